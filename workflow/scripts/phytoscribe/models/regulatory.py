"""The regulatory head: from bases to the log odds that each label has a site in each bin.

A motif stem with one set of filters for both strands gives the best match of each motif in cells of 10 bases.  Features
of the structure model's trunk may join them through a gate that starts closed.  Residual convolutions combine
neighbouring cells.  Four terms give the log odds of a bin: the best match of each motif in it, the maximum of the
convolutions' features in it, their mean over the bin and its context, and the words in and around it.  Both strands are
read and averaged, so the output is the same for either strand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phytoscribe.models import REGULATORY_FILES
from phytoscribe.models.loading import load_beside, save_beside
from phytoscribe.models.motif_stem import MotifStem
from phytoscribe.models.words import NARROWER, Surroundings

#: Bases of a cell, and of a cell of the trunk's features.
CELL, TRUNK_CELL = 10, 50
#: Cells that a convolution reads, and the distance between them in each.
KERNEL, DILATIONS = 5, (1, 2)
#: Bases or cells of windows.
Window = TypeVar("Window", Tensor, npt.NDArray[Any])
#: Cells at each end of a window whose motifs are cut off.
_CUT = 1


@dataclass(frozen=True)
class RegulatoryConfig:
    """Sizes of the head.

    Attributes:
        labels: names, in the order of the output.
        bin: bases of a bin; a multiple of :data:`TRUNK_CELL`.
        context: bases beside a bin whose mean is read too; a multiple of :data:`CELL`.
        filters, motif: number and bases of the motifs.
        width: channels of the convolutions; hidden: of the layer before the output.
        trunk_channels: features of the structure model for each of its cells; 0 for none.
        surroundings: bases beside a bin whose words are counted, a multiple of 200; 0 for no count of words.
    """

    labels: tuple[str, ...]
    bin: int = 200
    context: int = 100
    filters: int = 256
    motif: int = 19
    width: int = 128
    hidden: int = 256
    trunk_channels: int = 0
    dropout: float = 0.1
    surroundings: int = 0

    @property
    def near(self) -> int:
        """Bases at each side of the bins in which motifs are sought; a multiple of :data:`TRUNK_CELL`."""
        return _whole_cells(self.context + CELL * (_CUT + KERNEL // 2 * sum(DILATIONS)))

    @property
    def margin(self) -> int:
        """Bases that a window has at each side of its bins; a multiple of :data:`TRUNK_CELL`."""
        # A word at the end of the surroundings reaches two bases further.
        return max(self.near, _whole_cells(self.surroundings + CELL))

    @property
    def far(self) -> int:
        """Bases at each end of a window of which only the words are read."""
        return self.margin - self.near

    @property
    def reaches(self) -> tuple[int, ...]:
        """Bases beside a bin of each stretch whose words are counted."""
        return (self.context, self.surroundings // NARROWER, self.surroundings)


def _whole_cells(bases: int) -> int:
    return -(-bases // TRUNK_CELL) * TRUNK_CELL


class _Residual(nn.Module):
    """Convolution over cells that is added to its input; the ends are cut off, not padded."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.convolution = nn.Conv1d(width, width, KERNEL, dilation=dilation)
        self.cut = KERNEL // 2 * dilation

    def forward(self, cells: Tensor) -> Tensor:
        inner = F.elu(self.norm(cells)).transpose(1, 2)
        return cells[:, self.cut : -self.cut] + self.convolution(inner).transpose(1, 2)


class RegulatoryHead(nn.Module):
    """The network; see the module.

    Args:
        frequencies: share of positive bins of each label; the head starts with it as its answer.
    """

    def __init__(self, config: RegulatoryConfig, frequencies: Sequence[float] | None = None) -> None:
        super().__init__()
        self.config = config
        labels = len(config.labels)
        self.stem = MotifStem(config.filters, config.motif, CELL)
        self.mix = nn.Linear(config.filters, config.width)
        if config.trunk_channels:
            self.trunk = nn.Linear(config.trunk_channels, config.width)
            self.gate = nn.Parameter(torch.zeros(1))
        self.blocks = nn.ModuleList(_Residual(config.width, dilation) for dilation in DILATIONS)
        self.norm = nn.LayerNorm(config.width)
        self.hidden = nn.Linear(config.width, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.motifs = nn.Linear(config.filters, labels, bias=False)
        self.sites = nn.Linear(config.hidden, labels, bias=False)
        self.around = nn.Linear(config.hidden, labels, bias=False)
        if config.surroundings:
            self.surroundings = Surroundings(config.bin, config.reaches, CELL, config.hidden, labels, config.dropout)
        nn.init.normal_(self.sites.weight, std=0.02)
        for layer in (self.motifs, self.around):
            nn.init.zeros_(layer.weight)
        shares = torch.full((labels,), 0.5) if frequencies is None else torch.tensor(list(frequencies))
        shares = shares.double().clamp(1e-6, 1 - 1e-6)
        self.bias = nn.Parameter(torch.log(shares / (1 - shares)).float())

    def cells(self, motifs: Tensor, trunk: Tensor | None = None) -> Tensor:
        """What the convolutions read, of the best matches of the motifs in each cell (batch, cells, filters)."""
        cells = self.mix(motifs)
        if not self.config.trunk_channels:
            return cells
        if trunk is None:
            raise ValueError("this head needs the trunk's features")
        joined = self.gate * self.trunk(trunk.to(cells.dtype))
        return cells + joined.repeat_interleave(TRUNK_CELL // CELL, dim=1)

    def read(self, cells: Tensor) -> Tensor:
        """Log odds (batch, bins, labels) of one strand, beside those of single motifs."""
        cells = self._inner(cells)
        for block in self.blocks:
            cells = block(cells)
        return self._odds(self._features(cells))

    def _inner(self, cells: Tensor) -> Tensor:
        """The cells that the convolutions read."""
        return cells[:, self._unread : cells.shape[1] - self._unread]

    @property
    def _unread(self) -> int:
        """Cells at each end of a window, far ones apart, that no convolution reads."""
        return (self.config.near - self.config.context) // CELL - KERNEL // 2 * sum(DILATIONS)

    def _features(self, cells: Tensor) -> Tensor:
        return F.elu(self.hidden(self.norm(cells)))

    def _odds(self, features: Tensor) -> Tensor:
        """Log odds (batch, bins, labels) of the features of each cell of bins and context."""
        hidden = features.transpose(1, 2)
        beside, inner = self.config.context // CELL, self.config.bin // CELL
        own = hidden[:, :, beside : hidden.shape[2] - beside]
        best = F.max_pool1d(own, inner).transpose(1, 2)
        around = F.avg_pool1d(hidden, inner + 2 * beside, inner).transpose(1, 2)
        return self.sites(self.dropout(best)).float() + self.around(self.dropout(around)).float()

    def steps(self, cells: Tensor) -> list[Tensor]:
        """What :meth:`read` makes of cells on its way to the log odds, for :meth:`read_changed`."""
        found = [self._inner(cells)]
        for block in self.blocks:
            found.append(block(found[-1]))
        return [*found, self._features(found[-1])]

    def read_changed(self, steps: Sequence[Tensor], changed: Tensor, first: int) -> Tensor:
        """:meth:`read` of windows that differ from another in a few cells: no cell that they leave alone is read again.

        Args:
            steps: of the other window, by :meth:`steps`.
            changed: the cells that differ (batch, cells, channels), all read by the convolutions.
            first: the number of the first of them in the window.
        """
        first -= self._unread
        for block, before, after in zip(self.blocks, steps, steps[1:], strict=False):
            reach = 2 * block.cut
            low, high = max(0, first - reach), min(after.shape[1], first + changed.shape[1])
            changed, first = block(spliced(before[:, low : high + reach], changed, first - low)), low
        return self._odds(spliced(steps[-1], self._features(changed), first))

    def single(self, motifs: Tensor) -> Tensor:
        """Log odds (batch, bins, labels) by the best match of each motif in a bin; the same for both strands."""
        near, inner = self.config.near // CELL, self.config.bin // CELL
        best = motifs[:, near:-near].unflatten(1, (-1, inner)).amax(dim=2)
        return self.motifs(best).float() + self.bias

    def forward(self, bases: Tensor, trunk: Tensor | None = None) -> Tensor:
        """Log odds of each label, not calibrated.

        Args:
            bases: int64 (batch, margin + bins * bin + margin), base codes; N outside the contig.
            trunk: (batch, length / 50, trunk_channels), for a head with the structure model's features: of both
                strands, averaged.

        Returns:
            float32 (batch, bins, labels).  In training, of one strand, whose turn the data decide.
        """
        near, cells = self.near(bases), None if trunk is None else self.near(trunk, TRUNK_CELL)
        return self.from_motifs(self.stem(near), cells, self.words(bases))

    def near(self, window: Window, of: int = 1) -> Window:
        """Bases in which motifs are sought, of those of a window (batch, bases, ...), or of cells ``of`` bases."""
        far = self.config.far // of
        return window[:, far : window.shape[1] - far]

    def words(self, bases: Tensor) -> Tensor | None:
        """Words around the bins of windows, as :meth:`Surroundings.sums` has them; None for a head that counts none."""
        return self.surroundings.sums(bases, self.config.margin) if self.config.surroundings else None

    def words_beyond(self, bases: Tensor, near: Tensor) -> Tensor | None:
        """:meth:`words` of windows less those of a piece of each, around the same bins: what changes in the piece leave
        alone.

        Args:
            near: codes int64 (batch, fewer bases), the middle of ``bases``.
        """
        words = self.words(bases)
        return None if words is None else words - self.surroundings.sums(near, self.beside(near))

    def beside(self, piece: Tensor) -> int:
        """Bases at each side of the one bin in the middle of pieces (batch, bases, ...)."""
        return (piece.shape[1] - self.config.bin) // 2

    def from_motifs(self, motifs: Tensor, trunk: Tensor | None = None, words: Tensor | None = None) -> Tensor:
        """As :meth:`forward`, of what is near the bins.

        Args:
            motifs: output of the stem (batch, cells, filters).
            trunk: features of the structure model in its cells there.
            words: of :meth:`words`, for a head that counts them.
        """
        alone, cells = self.single(motifs), self.cells(motifs, trunk)
        if words is not None:
            alone = alone + self.surroundings(words)
        if self.training:
            return alone + self.read(cells)
        return alone + 0.5 * (self.read(cells) + self.read(cells.flip(1)).flip(1))


def spliced(cells: Tensor, changed: Tensor, first: int) -> Tensor:
    """Cells (1, cells, channels) for each of ``changed`` (batch, fewer cells, channels), which replace those from
    ``first`` on."""
    whole = cells.repeat(len(changed), 1, 1)
    whole[:, first : first + changed.shape[1]] = changed
    return whole


@dataclass(frozen=True)
class Calibration:
    """From the head's log odds to probabilities, and from which probability on a bin is called.

    Attributes:
        slope, offset: float64 (labels,).
        cut: float64 (labels,); nan where no cut reaches the wanted precision.
        auprc: float64 (labels,), on the validation bins.
    """

    slope: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    cut: npt.NDArray[np.float64]
    auprc: npt.NDArray[np.float64]

    def probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Probabilities (..., labels) of log odds of the same shape."""
        line = self.slope * logits + self.offset
        return (0.5 + 0.5 * np.tanh(0.5 * line)).astype(np.float32)


#: Names of the calibration's numbers in the JSON file; null stands for nan.
_COLUMNS = ("slope", "offset", "cut", "validation_auprc")


def save_head(network: RegulatoryHead, calibration: Calibration, report: dict[str, Any], folder: Path) -> None:
    """Write :data:`REGULATORY_FILES`: the weights; sizes, calibration and cuts beside ``report``."""
    columns = zip(_COLUMNS, (calibration.slope, calibration.offset, calibration.cut, calibration.auprc), strict=True)
    known = {name: [None if np.isnan(x) else round(float(x), 6) for x in column] for name, column in columns}
    rows = {label: {name: known[name][place] for name in _COLUMNS} for place, label in enumerate(network.config.labels)}
    sizes = {name: value for name, value in asdict(network.config).items() if name != "labels"}
    save_beside(REGULATORY_FILES, {**report, "network": sizes, "labels": rows}, network.state_dict(), folder)


def load_head(
    folder: Path, kind: type[RegulatoryHead] = RegulatoryHead
) -> tuple[RegulatoryHead, Calibration, dict[str, Any]]:
    """The head of a folder in single precision, its calibration, and what its JSON file says.

    Args:
        kind: the network whose weights lie there; another than the default is one of the benchmarks'.

    Raises:
        ModelError: a file is missing, damaged, or of another version.
    """

    def build(report: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[RegulatoryHead, Calibration]:
        rows = report["labels"]
        network = kind(RegulatoryConfig(labels=tuple(rows), **report["network"]))
        network.load_state_dict({name: x.float() for name, x in tensors.items()})
        columns = ([row[name] for row in rows.values()] for name in _COLUMNS)
        return network.eval(), Calibration(*(np.array(column, dtype=np.float64) for column in columns))

    missing = f"; a regulatory head has {' and '.join(REGULATORY_FILES)}"
    remedy = "fetch or train the head again"
    (network, calibration), report = load_beside(REGULATORY_FILES, folder, build, missing, remedy)
    return network, calibration, report
