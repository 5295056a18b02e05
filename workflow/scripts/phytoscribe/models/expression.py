"""The expression head: from the bases around both ends of a gene to its level in each tissue.

A motif stem reads the pieces of a window in cells of 10 bases; it may be that of a regulatory head, whose motifs do not
change.  Features of the structure model's trunk may join through a gate that starts closed.  Bins of 50 bases get an
embedding of their place, residual convolutions combine neighbours, and attention pools all bins into one vector.  A
layer on the counts of short words along the window gives a second one.  From both come the level of the gene (one
number), the deviation of each tissue (which sum to zero because their mean is taken off), and the log odds that the
gene is expressed there at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phytoscribe.errors import ModelError
from phytoscribe.models import EXPRESSION_FILES
from phytoscribe.models.loading import load_beside, save_beside
from phytoscribe.models.motif_stem import MotifStem
from phytoscribe.models.words import LONGEST, roots_of_words, words_in_cells

#: Bases of a cell of the stem, and of a bin.
CELL, BIN = 10, 50
KERNEL, DILATIONS = 5, (1, 2, 4)
#: Share of the numbers of a bin that are left out in training, for each one left out of a gene's vector.
_DROPPED_OF_BINS = 0.25
#: Features that vary less are not worth scaling.
_LEAST_SPREAD = 1e-3
#: Genes whose words are counted at a time, to scale them.
_MEASURED_AT_ONCE = 100


@dataclass(frozen=True)
class ExpressionConfig:
    """Sizes of the head, and the scale of its output.

    Attributes:
        tissues: names, in the order of the output.
        means, deviation: log2(1 + TPM) of expressed training genes: mean in each tissue, and deviation over all cells.
        silent: mean log2(1 + TPM) of genes below the threshold in each tissue.
        pieces, piece: pieces of a window, and bases of each, a multiple of :data:`BIN`.
        filters, motif: number and bases of the motifs.
        width: channels of the convolutions, and of the vector of a gene.
        trunk_channels: features of the structure model for each bin; 0 for none.
        stretch: bases of each stretch in which words are counted, a multiple of :data:`BIN`; 0 for no count of words.
    """

    tissues: tuple[str, ...]
    means: tuple[float, ...]
    silent: tuple[float, ...]
    deviation: float
    pieces: int = 2
    piece: int = 1500
    filters: int = 256
    motif: int = 19
    width: int = 128
    trunk_channels: int = 0
    dropout: float = 0.2
    stretch: int = 0

    @property
    def stretches(self) -> int:
        """Stretches of a piece; the last may be shorter."""
        return -(-self.piece // self.stretch)


class ExpressionOutput(NamedTuple):
    """Of a batch of genes.

    Attributes:
        level: (batch,), in units of ``deviation``, around the mean of each tissue.
        deviation: (batch, tissues), sums to zero over the tissues.
        expressed: (batch, tissues), log odds.
    """

    level: Tensor
    deviation: Tensor
    expressed: Tensor


class _Residual(nn.Module):
    """Convolution over the bins of a piece that is added to its input."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.convolution = nn.Conv1d(width, width, KERNEL, dilation=dilation, padding=KERNEL // 2 * dilation)
        self.dropout = nn.Dropout(dropout)

    def forward(self, bins: Tensor) -> Tensor:
        inner = F.elu(self.norm(bins)).transpose(1, 2)
        return bins + self.dropout(self.convolution(inner).transpose(1, 2))


class _Scaled(nn.Module):
    """A linear layer on features in units of their spread over training genes; as they are until that is measured."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, width)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))

    def measure(self, features: Tensor) -> None:
        """Set the scale by features (any, features)."""
        self.mean.copy_(features.mean(dim=0))
        self.spread.copy_(features.std(dim=0).clamp(min=_LEAST_SPREAD))

    def forward(self, features: Tensor) -> Tensor:
        return self.linear((features - self.mean) / self.spread)


class ExpressionHead(nn.Module):
    """The network; see the module."""

    def __init__(self, config: ExpressionConfig) -> None:
        super().__init__()
        if config.piece % BIN:
            raise ModelError(f"a piece of {config.piece} bases is no multiple of {BIN}; change expression.upstream")
        self.config = config
        width, tissues = config.width, len(config.tissues)
        self.stem = MotifStem(config.filters, config.motif, CELL)
        # The best match in a bin says whether a motif is there, the mean how many there are.
        self.mix = _Scaled(2 * config.filters, width)
        if config.trunk_channels:
            self.trunk = _Scaled(config.trunk_channels, width)
            self.gate = nn.Parameter(torch.zeros(1))
        self.place = nn.Parameter(0.02 * torch.randn(config.pieces, config.piece // BIN, width))
        within = _DROPPED_OF_BINS * config.dropout
        self.sparse = nn.Dropout(within)
        self.blocks = nn.ModuleList(_Residual(width, dilation, within) for dilation in DILATIONS)
        self.norm = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 1)
        self.hidden = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(config.dropout)
        joined = width
        if config.stretch:
            words = sum(4**length for length in range(1, LONGEST + 1))
            self.words = _Scaled(config.pieces * config.stretches * words, width)
            self.left_out = nn.Dropout(config.dropout / 2)
            joined += width
        self.level = nn.Linear(joined, 1)
        self.deviation = nn.Linear(joined, tissues)
        self.expressed = nn.Linear(joined, tissues)
        for layer in (self.level, self.deviation, self.expressed):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def matches(self, bases: Tensor) -> Tensor:
        """What is read of each bin, of base codes int64 (batch, pieces, bases of a piece) on the gene's strand.

        Returns:
            (batch, pieces, bins, 2 * filters), the best and the mean match of each motif; and behind them the number of
            each word of three bases, for a head that counts them.
        """
        return self.matches_of(self.stem.one_hot(bases))

    def matches_of(self, one_hot: Tensor) -> Tensor:
        """As :meth:`matches`, from (batch, pieces, bases of a piece, 4) as the stem's ``one_hot`` gives it."""
        return self.in_bins(self.cells_of(one_hot.flatten(0, 1))).unflatten(0, one_hot.shape[:2])

    def cells_of(self, one_hot: Tensor) -> Tensor:
        """Match of each motif, and number of each word, in each cell of (any, bases, 4)."""
        cells = self.stem.matches(one_hot)
        return torch.cat([cells, words_in_cells(one_hot, CELL)], dim=-1) if self.config.stretch else cells

    def in_bins(self, cells: Tensor) -> Tensor:
        """What is read of each bin, (any, bins, channels), of :meth:`cells_of`."""
        within = cells.unflatten(1, (-1, BIN // CELL))
        motifs, words = within.tensor_split([self.config.filters], dim=-1)
        return torch.cat([motifs.amax(dim=2), motifs.mean(dim=2), words.sum(dim=2)], dim=-1)

    def word_roots(self, words: Tensor) -> Tensor:
        """Square roots of the counts in stretches, (batch, features), of those in bins (batch, pieces, bins, 64)."""
        beside = self.config.stretch // BIN
        filled = F.pad(words, (0, 0, 0, -words.shape[2] % beside)).unflatten(2, (-1, beside)).sum(dim=3)
        return roots_of_words(filled.float()).flatten(1)

    def measure_words(self, bases: Tensor) -> None:
        """Set the scale of the words' counts by genes, codes int64 (genes, pieces, bases)."""
        found = []
        for part in bases.split(_MEASURED_AT_ONCE):
            cells = words_in_cells(self.stem.one_hot(part).flatten(0, 1), BIN)
            found.append(self.word_roots(cells.unflatten(0, part.shape[:2])))
        self.words.measure(torch.cat(found))

    def forward(self, bases: Tensor, trunk: Tensor | None = None) -> ExpressionOutput:
        """
        Args:
            bases: as of :meth:`matches`.
            trunk: (batch, pieces, bins, trunk_channels), for a head with the structure model's features.
        """
        return self.read(self.matches(bases), trunk)

    def read(self, matches: Tensor, trunk: Tensor | None = None) -> ExpressionOutput:
        """The output for :meth:`matches`, which need not be found again and again where the motifs do not change."""
        motifs, words = matches.tensor_split([2 * self.config.filters], dim=-1)
        bins = self.mix(self.sparse(motifs))
        if self.config.trunk_channels:
            if trunk is None:
                raise ValueError("this head needs the trunk's features")
            bins = bins + self.gate * self.trunk(trunk)
        bins = (bins + self.place).flatten(0, 1)
        for block in self.blocks:
            bins = block(bins)
        bins = self.norm(bins).unflatten(0, matches.shape[:2]).flatten(1, 2)
        shares = self.attention(bins).softmax(dim=1)
        pooled = torch.cat([(shares * bins).sum(dim=1), bins.mean(dim=1)], dim=-1)
        vectors = [self.hidden(pooled)]
        if self.config.stretch:
            vectors.append(self.words(self.left_out(self.word_roots(words))))
        gene = self.dropout(F.elu(torch.cat(vectors, dim=-1)))
        deviation = self.deviation(gene).float()
        return ExpressionOutput(
            self.level(gene)[:, 0].float(),
            deviation - deviation.mean(dim=1, keepdim=True),
            self.expressed(gene).float(),
        )

    def expected(self, output: ExpressionOutput) -> Tensor:
        """Expected log2(1 + TPM), (batch, tissues): of an expressed gene and a silent one, each by its probability."""
        config, like = self.config, output.deviation
        means = torch.tensor(config.means, dtype=like.dtype, device=like.device)
        silent = torch.tensor(config.silent, dtype=like.dtype, device=like.device)
        level = means + config.deviation * (output.level[:, None] + output.deviation)
        return silent + output.expressed.sigmoid() * (level - silent)


def save_heads(networks: Sequence[ExpressionHead], report: dict[str, Any], folder: Path) -> None:
    """Write :data:`EXPRESSION_FILES`: weights of all seeds; sizes and scale beside ``report``."""
    tensors = {f"{seed}.{name}": x for seed, own in enumerate(networks) for name, x in own.state_dict().items()}
    description = {**report, "seeds": len(networks), "network": asdict(networks[0].config)}
    save_beside(EXPRESSION_FILES, description, tensors, folder)


def load_heads(
    folder: Path, kind: type[ExpressionHead] = ExpressionHead
) -> tuple[list[ExpressionHead], dict[str, Any]]:
    """The heads of a folder, one for each seed, in single precision, and what its JSON file says.

    Args:
        kind: the network whose weights lie there; another than the default is one of the benchmarks'.

    Raises:
        ModelError: a file is missing, damaged, or of another version.
    """

    def build(report: dict[str, Any], tensors: dict[str, Tensor]) -> list[ExpressionHead]:
        sizes = {key: tuple(x) if isinstance(x, list) else x for key, x in report["network"].items()}
        networks = [kind(ExpressionConfig(**sizes)) for _ in range(report["seeds"])]
        for seed, network in enumerate(networks):
            own = {name: x.float() for name, x in tensors.items() if name.startswith(f"{seed}.")}
            network.load_state_dict({name.partition(".")[2]: x for name, x in own.items()})
        return [network.eval() for network in networks]

    missing = f"; an expression head has {' and '.join(EXPRESSION_FILES)}"
    return load_beside(EXPRESSION_FILES, folder, build, missing, "fetch or train the head again")
