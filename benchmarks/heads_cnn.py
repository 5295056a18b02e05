"""Convolutional networks of other kinds, of the heads' size, for the same loops, windows and labels.

For regulatory labels DeepSEA (Zhou and Troyanskaya 2015): three convolutions of eight cells with ReLU, the first two
with a maximum over cells after them, the channels in the proportion 2:3:6, and two fully connected layers on all cells
of a bin's window.  It had 320 channels, windows of 1,000 bases, and 52 million numbers.  Here a bin sees its own bases
and its context, as the head's bins do.  The second maximum is over five cells, not four, so that 200 bases are a whole
number of cells and consecutive bins share the convolutions.  It reads one strand; the answers for both are averaged, as
the head's are.

For expression deepCRE (Peleke et al. 2024, doi:10.1038/s41467-024-47744-0): three pairs of convolutions of eight cells
with ReLU, a maximum over eight cells after each pair, the channels in the proportion 1:2:1, and two fully connected
layers of 128 and 64 on all cells that are left.  The pieces around both ends of a gene are read as one sequence, with
20 N between them.  It had 64 channels, 0.39 million numbers, and told high from low; here it ends as the head does.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.expression import ExpressionConfig, ExpressionHead, ExpressionOutput
from phytoscribe.models.regulatory import RegulatoryConfig, RegulatoryHead

#: Cells that a convolution reads, and over which a maximum is taken after the first and the second.
KERNEL, POOLS = 8, (4, 5)
#: DeepCRE: cells over which a maximum is taken, N between pieces, sizes of the fully connected layers.
POOL, GAP, DENSE = 8, 20, (128, 64)
#: Sizes of the network of deepCRE's kind: 0.58 million numbers; the drop-out is that of deepCRE.
EXPRESSION_SETTINGS = {"filters": 80, "dropout": 0.25, "stretch": 0}
#: Sizes that give about as many numbers as the head has: 0.55 million for 390 labels.
SETTINGS = {"filters": 64, "hidden": 140, "start": "random", "surroundings": 0}


class DeepSeaCnn(RegulatoryHead):
    """The network; it stands where a head does.  See the module.

    Args:
        config: ``filters`` is the number of channels of the first convolution; ``motif``, ``width`` and the trunk have
            no meaning here.
        frequencies: share of positive bins of each label; the network starts with it as its answer.
    """

    def __init__(self, config: RegulatoryConfig, frequencies: Sequence[float] | None = None) -> None:
        nn.Module.__init__(self)
        self.config = config
        first, labels = config.filters, len(config.labels)
        self.first = nn.Linear(KERNEL * N_CODE, first)
        self.second = nn.Conv1d(first, first * 3 // 2, KERNEL)
        self.third = nn.Conv1d(first * 3 // 2, first * 3, KERNEL)
        cells = (config.bin + 2 * config.context - KERNEL + 1) // POOLS[0]
        cells = (cells - KERNEL + 1) // POOLS[1] - KERNEL + 1
        self.hidden = nn.Conv1d(first * 3, config.hidden, cells, stride=config.bin // (POOLS[0] * POOLS[1]))
        for layer in (self.first, self.second, self.third, self.hidden):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.dropout = nn.Dropout(config.dropout)
        self.answer = nn.Linear(config.hidden, labels, bias=False)
        nn.init.normal_(self.answer.weight, std=0.02)
        shares = torch.full((labels,), 0.5) if frequencies is None else torch.tensor(list(frequencies))
        self.bias = nn.Parameter(torch.logit(shares.double(), eps=1e-6).float())

    def forward(self, bases: Tensor, trunk: Tensor | None = None) -> Tensor:
        """Log odds float32 (batch, bins, labels), as :meth:`RegulatoryHead.forward` gives them."""
        beside = self.config.margin - self.config.context
        inner = bases[:, beside : bases.shape[1] - beside]
        if self.training:
            return self._strand(inner)
        other = torch.where(inner == N_CODE, inner, N_CODE - 1 - inner).flip(1)
        return 0.5 * (self._strand(inner) + self._strand(other).flip(1))

    def _strand(self, bases: Tensor) -> Tensor:
        one_hot = F.one_hot(bases, N_CODE + 1)[..., :N_CODE].to(self.bias.dtype)
        # As a product of matrices: a convolution of four channels is slow on a CPU.
        cells = self.first(one_hot.flatten(1).unfold(1, KERNEL * N_CODE, N_CODE)).transpose(1, 2)
        cells = F.max_pool1d(F.relu(cells), POOLS[0])
        cells = F.max_pool1d(F.relu(self.second(self.dropout(cells))), POOLS[1])
        cells = F.relu(self.third(self.dropout(cells)))
        hidden = F.relu(self.hidden(self.dropout(cells))).transpose(1, 2)
        return self.answer(hidden).float() + self.bias


class DeepCreCnn(ExpressionHead):
    """The network for expression; it stands where a head does.  See the module.

    Args:
        config: ``filters`` is the number of channels of the first convolutions; ``motif``, ``width`` and the trunk have
            no meaning here.
    """

    def __init__(self, config: ExpressionConfig) -> None:
        nn.Module.__init__(self)
        self.config = config
        first, tissues = config.filters, len(config.tissues)
        layers: list[nn.Module] = []
        for channels, wanted in ((N_CODE, first), (first, 2 * first), (2 * first, first)):
            for inner in (channels, wanted):
                layers += [nn.Conv1d(inner, wanted, KERNEL, padding="same"), nn.ReLU()]
            layers += [nn.MaxPool1d(POOL, ceil_mode=True), nn.Dropout(config.dropout)]
        self.convolutions = nn.Sequential(*layers)
        cells = config.pieces * config.piece + GAP * (config.pieces - 1)
        for _ in range(3):
            cells = -(-cells // POOL)
        hidden, last = DENSE
        self.dense = nn.Sequential(
            nn.Linear(first * cells, hidden), nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(hidden, last), nn.ReLU()
        )
        for layer in (*self.convolutions, *self.dense):
            if hasattr(layer, "weight"):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        self.level, self.deviation, self.expressed = (nn.Linear(last, size) for size in (1, tissues, tissues))
        for layer in (self.level, self.deviation, self.expressed):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def matches(self, bases: Tensor) -> Tensor:
        """Both pieces as one sequence, one-hot (batch, 4, bases), of base codes int64 (batch, pieces, bases)."""
        one_hot = F.one_hot(bases, N_CODE + 1)[..., :N_CODE].to(self.level.weight.dtype)
        joined = F.pad(one_hot, (0, 0, 0, GAP)).flatten(1, 2)
        return joined[:, : joined.shape[1] - GAP].transpose(1, 2)

    def read(self, matches: Tensor, trunk: Tensor | None = None) -> ExpressionOutput:
        """The output for :meth:`matches`, as :meth:`ExpressionHead.read` gives it."""
        gene = self.dense(self.convolutions(matches).flatten(1))
        deviation = self.deviation(gene).float()
        return ExpressionOutput(
            self.level(gene)[:, 0].float(),
            deviation - deviation.mean(dim=1, keepdim=True),
            self.expressed(gene).float(),
        )
