"""Counts of short words: what the composition of sequence tells, of which a scan for motifs sees nothing.

Around a bin each word of four bases, together with its reverse complement, is counted in stretches of three sizes: open
chromatin differs in composition from what is around it (benchmarks/heads.md).  Along a gene the words of three bases
are counted on its strand, stretch by stretch (benchmarks/heads_expression.md).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phytoscribe.genome.sequence import N_CODE

#: Bases of a word around a bin, and of the longest one along a gene.
WORD, LONGEST = 4, 3
#: How much further the widest stretch around a bin reaches than the one before it.
NARROWER = 4
#: Counts of a stretch that reaches into N or beyond its contig are scaled up, as if this share were known at least.
LEAST_KNOWN = 0.25


def _place_values(length: int, device: torch.device | None = None) -> Tensor:
    """What each base of a word counts in the word's number, whose digits to base 4 are the bases."""
    return 4 ** torch.arange(length - 1, -1, -1, device=device)


def words_at(one_hot: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Which words begin at each base of (batch, bases, 4), and how much of each.

    The bases may lie between two: a word with one base faded is there as much as that base is.  Two faded bases in one
    word are not counted in full: no more than four words begin at a base.  None is there with N.

    Returns:
        numbers int64 and shares (batch, bases - length + 1, 4): words that differ in the least certain base.
    """
    powers = _place_values(length, one_hot.device)
    certain, codes = (found.unfold(1, length, 1) for found in one_hot.max(dim=2))
    least = certain.argmin(dim=2, keepdim=True)
    faded = codes.scatter(2, least, 0)
    numbers = (faded * powers).sum(dim=2, keepdim=True) + powers[least] * torch.arange(N_CODE, device=one_hot.device)
    place = least + torch.arange(least.shape[1], device=one_hot.device)[:, None]
    others = certain.scatter(2, least, 0).sum(dim=2, keepdim=True)
    return numbers, F.relu(one_hot.gather(1, place.expand(-1, -1, N_CODE)) + others - (length - 1))


def in_cells(numbers: Tensor, shares: Tensor, places: Tensor, cells: int, words: int) -> Tensor:
    """Number of each word in each cell, (batch, cells, words), of numbers and shares (batch, places, any) of words, and
    the cell of each place."""
    first = torch.arange(len(numbers), device=numbers.device)[:, None, None] * cells
    into = (first + places[:, None]) * words + numbers
    found = shares.new_zeros(len(numbers) * cells * words).scatter_add(0, into.flatten(), shares.flatten())
    return found.view(len(numbers), cells, words)


def words_in_cells(one_hot: Tensor, cell: int) -> Tensor:
    """Number of each word of :data:`LONGEST` bases that begins in each cell, (batch, bases / cell, 64), of bases
    (batch, bases, 4) as :func:`words_at` takes them."""
    numbers, shares = words_at(one_hot, LONGEST)
    places = torch.arange(numbers.shape[1], device=one_hot.device) // cell
    return in_cells(numbers, shares, places, one_hot.shape[1] // cell, 4**LONGEST)


def roots_of_words(counts: Tensor) -> Tensor:
    """Square roots of the counts of all words of up to :data:`LONGEST` bases, (..., 84), of those of the longest
    (..., 64): of counts of one mean they have one spread."""
    shorter = [counts.unflatten(-1, (4**length, -1)).sum(dim=-1) for length in range(1, LONGEST)]
    return torch.sqrt(torch.cat([*shorter, counts], dim=-1).clamp(min=0) + 0.375)


def _columns() -> Tensor:
    """The column of each word by its number, which it shares with its reverse complement; int64 (256,)."""
    numbers = torch.arange(4**WORD)
    places = _place_values(WORD)
    digits = numbers[:, None] // places % 4
    other = ((3 - digits.flip(1)) * places).sum(dim=1)
    return torch.unique(torch.minimum(numbers, other), return_inverse=True)[1]


class Surroundings(nn.Module):
    """Log odds of labels by the words in and around each bin.

    Args:
        bin: bases of a bin.
        reaches: bases beside a bin of each stretch; they and ``bin`` are multiples of ``cell``.
        cell: bases of a cell, in which words are counted first.
        hidden: width of the hidden layer.
        labels: number of outputs; the output starts at zero.
    """

    def __init__(self, bin: int, reaches: tuple[int, ...], cell: int, hidden: int, labels: int, dropout: float) -> None:
        super().__init__()
        columns = _columns()
        self.words = int(columns.max()) + 1
        self.cell, self.inner, self.reaches = cell, bin // cell, tuple(reach // cell for reach in reaches)
        # Words with an N are counted in a column of their own, which nothing reads.
        self.register_buffer("column", F.pad(columns, (0, 1), value=self.words), persistent=False)
        expected = torch.tensor([(bin + 2 * reach) / self.words for reach in reaches])
        self.register_buffer("expected", expected[:, None], persistent=False)
        self.hidden = nn.Linear(len(reaches) * self.words, hidden)
        self.dropout = nn.Dropout(dropout)
        self.labels = nn.Linear(hidden, labels, bias=False)
        nn.init.zeros_(self.labels.weight)

    def sums(self, bases: Tensor, margin: int) -> Tensor:
        """Number of each word in the stretches around each bin.

        Args:
            bases: codes int64 (batch, margin + bins * bin + margin); what a stretch has beyond them is not counted.
            margin: bases beside the bins, a multiple of a cell.

        Returns:
            float32 (batch, bins, stretches, words).  A word counts half for the cell of its second base and half for
            that of its third: so the counts are the same on either strand.
        """
        digits = bases.unfold(1, WORD, 1)
        numbers = (digits * _place_values(WORD, bases.device)).sum(dim=2)
        numbers = torch.where((digits == N_CODE).any(dim=2), 4**WORD, numbers)[:, :, None]
        return self._stretches(numbers, torch.ones(numbers.shape, device=bases.device), margin)

    def sums_of(self, one_hot: Tensor, margin: int) -> Tensor:
        """As :meth:`sums`, of bases (batch, length, 4) that may lie between two: with a gradient.

        A word counts as much as :func:`words_at` says.
        """
        return self._stretches(*words_at(one_hot, WORD), margin)

    def _stretches(self, numbers: Tensor, shares: Tensor, margin: int) -> Tensor:
        """Sums over the stretches around each bin, of words as :func:`words_at` gives them."""
        second = torch.arange(1, numbers.shape[1] + 1, device=numbers.device)
        count, beside = (numbers.shape[1] + WORD - 1) // self.cell, margin // self.cell
        halves = (
            in_cells(self.column[numbers], shares / 2, place // self.cell, count, self.words + 1)
            for place in (second, second + 1)
        )
        until = F.pad(sum(halves)[..., : self.words].cumsum(dim=1), (0, 0, 1, 0))
        start = torch.arange(beside, count - beside, self.inner, device=numbers.device)
        found = [
            until[:, (start + self.inner + reach).clamp(max=count)] - until[:, (start - reach).clamp(min=0)]
            for reach in self.reaches
        ]
        return torch.stack(found, dim=2)

    def forward(self, sums: Tensor) -> Tensor:
        """Log odds (batch, bins, labels) of :meth:`sums`."""
        full = self.expected * self.words
        known = sums.sum(dim=3, keepdim=True)
        sums = sums * (full / torch.maximum(known, LEAST_KNOWN * full))
        # Anscombe (1948, doi:10.1093/biomet/35.3-4.246): counts of one mean then have a deviation of about 1.
        scaled = 2 * (torch.sqrt(sums.clamp(min=0) + 0.375) - torch.sqrt(self.expected + 0.375))
        return self.labels(self.dropout(F.elu(self.hidden(scaled.flatten(2))))).float()
