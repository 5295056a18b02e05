"""The grid of windows of a contig, each strand from its own 5' end, and how the network's output for them is joined.

The grid depends only on the contig's length and the settings.  Batch size, shards, threads and other contigs therefore
do not change the network's input, and the reverse complement of a contig has the mirrored grid.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.devices import PRECISIONS
from phytoscribe.errors import ConfigError
from phytoscribe.genome.sequence import N_CODE, Bases, reverse_complement

#: Windows at a contig's ends are shorter than others, of one of few lengths: multiples of a step that grows with them.
_STEPS = ((3072, 384), (12288, 1536))
_LAST_STEP = 6144

Table = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class PredictionSettings:
    """How contigs are cut into windows.

    Attributes:
        window: maximum number of bases that the model sees at once.
        margin: bases at each side of a window whose prediction is discarded, because their context is cut.
        batch_size: windows computed together on a GPU; only changes speed and memory.
        precision: ``float32``, ``bfloat16``, ``int8`` (processors only: bfloat16, and the encoder's large products of
            bytes), or ``auto``: the last of these that the device is fast with.
    """

    window: int = 24576
    margin: int = 512
    batch_size: int = 8
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.window <= 2 * self.margin:
            raise ConfigError(
                f"predict.window is {self.window}; it must be more than twice predict.margin {self.margin}"
            )
        if self.precision not in ("auto", *PRECISIONS):
            raise ConfigError(
                f"predict.precision: {self.precision!r} is unknown; choose auto, {' or '.join(PRECISIONS)}"
            )


@dataclass(frozen=True, slots=True)
class ContigSequence:
    """A contig that is read piece by piece.

    Attributes:
        read: ``read(start, end)`` returns the base codes of a region, 0-based half-open; any thread may call it.
    """

    name: str
    length: int
    read: Callable[[int, int], Bases]

    @classmethod
    def of(cls, name: str, bases: Bases) -> ContigSequence:
        """A contig that is in memory."""
        return cls(name, bases.size, lambda start, end: bases[start:end])


@dataclass(frozen=True, slots=True)
class Window:
    """The part of one strand that the network reads at once.

    Attributes:
        strand: ``+`` or ``-``.
        start, end: contig positions of the bases it reads.
        core_start, core_end: contig positions whose prediction is kept.
        size: bases of the window; those beyond ``end - start``, at its 3' end, are N.
    """

    strand: str
    start: int
    end: int
    core_start: int
    core_end: int
    size: int

    def bases(self, contig: ContigSequence) -> Bases:
        """Base codes in reading direction, uint8 (size,)."""
        window = np.full(self.size, N_CODE, dtype=np.uint8)
        bases = contig.read(self.start, self.end)
        window[: bases.size] = bases if self.strand == "+" else reverse_complement(bases)
        return window

    def core_of(self, values: np.ndarray) -> np.ndarray:
        """The core's rows of a table of the window, (size, n), in contig orientation."""
        if self.strand == "+":
            return values[self.core_start - self.start : self.core_end - self.start]
        last = self.end - self.core_start
        return values[self.end - self.core_end : last][::-1]


def fitting_size(length: int, window: int) -> int:
    """Size of the window for the last ``length`` bases of a strand; at most ``window``."""
    step = next((step for limit, step in _STEPS if length <= limit), _LAST_STEP)
    return min(-(-length // step) * step, window)


def strand_windows(length: int, window: int, margin: int) -> list[tuple[int, int, int, int]]:
    """``(start, core_start, core_end, size)`` of the windows of a strand, positions counted from its 5' end."""
    found = []
    core, start = 0, 0
    while length - start > window:
        found.append((start, core, start + window - margin, window))
        core = start + window - margin
        start = core - margin
    found.append((start, core, length, fitting_size(length - start, window)))
    return found


def contig_windows(length: int, window: int, margin: int) -> Iterator[Window]:
    """Windows of both strands by ascending start of their cores on the contig, plus strand first.

    Args:
        length: of the contig, bp.
        window: maximum number of bases in a window.
        margin: bases at each inner end of a window that are context only.
    """
    grid = strand_windows(length, window, margin)
    plus = (Window("+", s, min(s + size, length), c, e, size) for s, c, e, size in grid)
    minus = (
        Window("-", length - min(s + size, length), length - s, length - e, length - c, size)
        for s, c, e, size in reversed(grid)
    )
    return heapq.merge(plus, minus, key=lambda w: (w.core_start, w.strand))


class Piece(NamedTuple):
    """A region of a contig for which both strands have been read; the pieces of a contig are consecutive.

    Attributes:
        bases: uint8 (n,).
        states: log probabilities of the plus and the minus strand, each (n, STATE_COUNT), contig orientation.
        sites: probabilities of donors and acceptors in the same way, each (n, 2).
        features: the trunk's features that are asked for, in the same way.
        last: the contig ends here.
    """

    contig: ContigSequence
    start: int
    bases: Bases
    states: tuple[Table, Table]
    sites: tuple[Table, Table]
    features: tuple[Table, Table]
    last: bool


class Joint:
    """Joins the window cores of one contig into pieces as soon as both strands are available."""

    def __init__(self, contig: ContigSequence) -> None:
        self.contig = contig
        self._done = 0
        self._tables: dict[str, list[tuple[Table, ...]]] = {"+": [], "-": []}
        self._ends = {"+": 0, "-": 0}

    def add(self, window: Window, *tables: Table) -> Piece | None:
        """Take states, sites and features of the next window of its strand; return the piece it completes, if any."""
        strand = window.strand
        self._tables[strand].append(tuple(window.core_of(table) for table in tables))
        self._ends[strand] = window.core_end
        start, end = self._done, min(self._ends.values())
        if end <= start:
            return None
        self._done = end
        plus, minus = (self._take(strand, end - start) for strand in "+-")
        last = end == self.contig.length
        return Piece(self.contig, start, self.contig.read(start, end), *zip(plus, minus, strict=True), last)

    def _take(self, strand: str, count: int) -> tuple[Table, ...]:
        """The first ``count`` rows that wait on a strand; what is left goes on waiting."""
        parts = self._tables[strand]
        joined = tuple(np.concatenate(part) if len(parts) > 1 else part[0] for part in zip(*parts, strict=True))
        self._tables[strand] = [tuple(table[count:] for table in joined)] if joined[0].shape[0] > count else []
        return tuple(np.ascontiguousarray(table[:count]) for table in joined)
