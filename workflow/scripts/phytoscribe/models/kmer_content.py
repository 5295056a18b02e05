"""K-mer coding potential as a network input: per base, and summed in frame over the bases to its left and right."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phytoscribe.genome.sequence import N_CODE

#: Columns of the table: coding by codon position on the strand that is read, and on the other strand.
CODING, OTHER_CODING = slice(0, 3), slice(6, 9)
#: Bases that the sums in frame reach over, to either side: about a short exon, and a long one.
REACHES = (48, 192)
#: Sums per reach: two sides, three codon positions, two strands.
SUMS = 2 * 3 * 2
#: Log ratios of single k-mers are small numbers; scaled so, and sums by the root of their length, all inputs are of
#: order one.
BASE_SCALE, SUM_SCALE = 4.0, 2.0


class ContentTable(nn.Module):
    """Log ratios of k-mers under each kind of content.

    Row ``kmer`` of the table (bases as a number of base 4, leftmost base first) holds log ratios of conditional
    probabilities of the k-mer under kinds of content against intergenic sequence, counted on training labels
    (:mod:`phytoscribe.training.data.content_table`); the last row, of zeros, stands for k-mers with N or
    outside the window.  The table is counted instead of learned, so that it does not depend on the few windows of each
    step.

    Attributes:
        channels: columns of the output: the table's own, and the sums in frame.
    """

    def __init__(self, length: int, columns: int) -> None:
        super().__init__()
        self.length = length
        self.channels = columns + SUMS * len(REACHES)
        self.weight = nn.Parameter(torch.zeros(4**length + 1, columns), requires_grad=False)

    def forward(self, bases: Tensor) -> Tensor:
        """(batch, length) base codes to (batch, length, channels): position ``i`` has the k-mer that ends there."""
        content = F.embedding(kmer_numbers(bases, self.length), self.weight.float())
        parts = [BASE_SCALE * content]
        for coding, step in ((content[..., CODING], 1), (content[..., OTHER_CODING], -1)):
            cumulative = cumulative_by_frame(coding, step)
            parts += [sums_in_frame(cumulative, step, reach) for reach in REACHES]
        return torch.cat(parts, dim=-1)


def kmer_numbers(bases: Tensor, length: int) -> Tensor:
    """Number of the k-mer that ends at each base, int64; ``4**length`` where it holds N or begins outside."""
    padded = F.pad(bases, (length - 1, 0), value=N_CODE)
    size = bases.shape[1]
    numbers = torch.zeros_like(bases)
    known = torch.ones_like(bases, dtype=torch.bool)
    for step in range(length):
        part = padded[:, step : step + size]
        numbers = numbers * 4 + part
        known &= part < N_CODE
    return numbers.where(known, 4**length)


def cumulative_by_frame(coding: Tensor, step: int) -> Tensor:
    """Running sums of coding log ratios in each of the three frames of the window.

    Args:
        coding: float (batch, length, 3), by codon position.
        step: codon positions from a base to its right neighbour: 1 on the strand that is read, -1 on the other.

    Returns:
        (batch, length + 1, 3): entry ``[i, p]`` sums ``coding[j, (p + step * j) % 3]`` over ``j < i``.
    """
    length = coding.shape[1]
    positions = torch.arange(length, device=coding.device)[:, None]
    index = (torch.arange(3, device=coding.device) + step * positions) % 3
    in_frame = coding.gather(2, index.expand(coding.shape[0], -1, -1))
    return F.pad(in_frame.cumsum(1), (0, 0, 1, 0))


def sums_in_frame(cumulative: Tensor, step: int, reach: int) -> Tensor:
    """Scaled sums over ``reach`` bases up to each base, and from it on, for each codon position of that base.

    Args:
        cumulative: of :func:`cumulative_by_frame`, with the same ``step``.

    Returns:
        (batch, length, 6): three codon positions to the left, base included, then to the right, base included; sums
        end at the window's ends.
    """
    batch, rows, _ = cumulative.shape
    positions = torch.arange(rows - 1, device=cumulative.device)
    frames = (torch.arange(3, device=cumulative.device) - step * positions[:, None]) % 3
    frames = frames.expand(batch, -1, -1)
    before, after = (positions - reach + 1).clamp(min=0), (positions + reach).clamp(max=rows - 1)
    left = cumulative[:, 1:] - cumulative[:, before]
    right = cumulative[:, after] - cumulative[:, :-1]
    return torch.cat([left.gather(2, frames), right.gather(2, frames)], dim=-1) * (SUM_SCALE / reach**0.5)
