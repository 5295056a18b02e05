"""Bins of a genome: which hold a site of a label, which are known, and to which part of the split they belong.

A bin is positive if a summit lies in it, or if a wide interval covers its middle, and so at least half of it.
Probabilities of bins come from prediction to tracks as a table of numpy, and what it holds as JSON.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.files import atomic_open
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.regulatory.peaks import Peaks
from phytoscribe.splits.parts import Parts

#: Bases that bins of one part keep from another part at least.
GUARD = 1000

Labels = npt.NDArray[np.bool_]


class Segment(NamedTuple):
    """A region of one part, 0-based half-open."""

    contig: str
    start: int
    end: int

    def grid(self, width: int) -> tuple[int, int]:
        """Start of the first bin and number of bins; bins lie on multiples of their width."""
        first = -(-self.start // width) * width
        return first, max(0, (self.end - first) // width)


def segments_of(parts: Parts, part: str, guard: int = GUARD) -> list[Segment]:
    """Regions of a part, without what lies within ``guard`` bases of another part."""
    found = []
    for contig, length in parts.contigs.items():
        for start, end in parts.of(contig, part):
            left = start + guard if start else 0
            right = end - guard if end < length else length
            if left < right:
                found.append(Segment(contig, left, right))
    return found


def blocks_of(segments: Sequence[Segment], size: int) -> Iterator[Segment]:
    """Segments cut at multiples of ``size`` bases."""
    for contig, start, end in segments:
        edges = [start, *range((start // size + 1) * size, end, size), end]
        for left, right in itertools.pairwise(edges):
            yield Segment(contig, left, right)


def known_bins(bases: Bases, width: int) -> npt.NDArray[np.bool_]:
    """Whether at least half of the bases of each bin are known; bool (len(bases) // width,)."""
    count = bases.size // width
    unknown = (bases[: count * width] == N_CODE).reshape(count, width).sum(axis=1)
    return 2 * unknown <= width


class BinLabels:
    """Labels of any bins of one genome.

    Args:
        peaks: of the genome.
        labels: whose columns are asked for, in this order; those that the genome lacks are False everywhere.
    """

    def __init__(self, peaks: Peaks, labels: Sequence[str]) -> None:
        column = {label: place for place, label in enumerate(labels)}
        own = np.array([column.get(label, -1) for label in peaks.labels], dtype=np.int64)[peaks.label]
        self.count = len(labels)
        self._contigs = {name: place for place, name in enumerate(peaks.contigs)}
        wide = peaks.end - peaks.start > 1
        self._summits = _by_contig(peaks, own, (own >= 0) & ~wide)
        self._wide = _by_contig(peaks, own, (own >= 0) & wide)

    def dense(self, contig: str, start: int, count: int, width: int) -> Labels:
        """Labels of ``count`` bins from ``start`` on, bool (count, labels)."""
        found = np.zeros((count, self.count), dtype=np.bool_)
        place = self._contigs[contig]
        starts, _, labels, _ = self._summits[place]
        first, last = np.searchsorted(starts, [start, start + count * width])
        found[(starts[first:last] - start) // width, labels[first:last]] = True
        starts, ends, labels, longest = self._wide[place]
        first = int(np.searchsorted(starts, start - longest))
        last = int(np.searchsorted(starts, start + count * width))
        # The first bin whose middle is not before a place.
        left = -(-(starts[first:last] - start - width // 2) // width)
        right = -(-(ends[first:last] - start - width // 2) // width)
        for low, high, label in zip(left.tolist(), right.tolist(), labels[first:last].tolist(), strict=True):
            found[max(0, low) : max(0, high), label] = True
        return found

    def covers(self, contig: str) -> bool:
        """Whether the genome has a peak of any of the labels on a contig; where it has none, nothing was measured."""
        place = self._contigs[contig]
        return bool(self._summits[place][0].size or self._wide[place][0].size)

    def summits(self, contig: str, start: int, end: int) -> tuple[_Column, _Column]:
        """Summits in ``[start, end)`` and the column of the label of each, int64 (n,); wide intervals have none."""
        starts, _, labels, _ = self._summits[self._contigs[contig]]
        inside = slice(*np.searchsorted(starts, [start, end]))
        return starts[inside], labels[inside]


_Column = npt.NDArray[np.int64]


def _by_contig(
    peaks: Peaks, own: _Column, chosen: npt.NDArray[np.bool_]
) -> list[tuple[_Column, _Column, _Column, int]]:
    """Start, end and label of the chosen peaks of each contig by start, and the length of the longest."""
    edges = np.searchsorted(peaks.contig[chosen], np.arange(len(peaks.contigs) + 1))
    columns = [column[chosen] for column in (peaks.start, peaks.end, own)]
    found = []
    for first, last in itertools.pairwise(edges):
        starts, ends, labels = (column[first:last] for column in columns)
        found.append((starts, ends, labels, int((ends - starts).max()) if starts.size else 0))
    return found


Values = np.ndarray


def describe_values(described: str | Path, labels: Sequence[str], contigs: Mapping[str, int], width: int) -> None:
    """Write what a table holds: its labels, contigs with their lengths, and the bases of a bin."""
    with atomic_open(described) as handle:
        handle.write(json.dumps({"labels": list(labels), "contigs": dict(contigs), "bin": width}) + "\n")


def read_values(values: str | Path, described: str | Path) -> tuple[dict[str, Values], dict[str, int], int]:
    """The probabilities of each label, float16 (bins,); contigs with their lengths; the bases of a bin.

    Bins of unknown sequence are nan; each contig has as many bins as fit into it.
    """
    what = json.loads(Path(described).read_text(encoding="utf-8"))
    table = np.load(values, mmap_mode="r")
    return dict(zip(what["labels"], table, strict=True)), what["contigs"], int(what["bin"])
