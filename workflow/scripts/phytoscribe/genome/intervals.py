"""Sets of half-open intervals: union, gaps, overlap and shared length, one by one and as arrays.

Coordinates are 0-based and half-open.  A *track* is any hashable name of an axis: a contig, or a (contig, strand).
The functions on arrays take *places*, which are coordinates on the one axis of
:mod:`phytoscribe.evaluation.accuracy.gene_arrays`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import open_text
from phytoscribe.genome.names import some_names

Interval = tuple[int, int]
Places = npt.NDArray[np.int64]

#: Digits of the longest number that is read; no genome needs more, and Python refuses to read thousands.
MOST_DIGITS = 18


def is_coordinate(text: str) -> bool:
    """True for a whole number that ``int`` reads and that can be a genome coordinate."""
    return text.isdecimal() and len(text) <= MOST_DIGITS


def read_bed(
    path: str | Path,
    contigs: Mapping[str, int] | None = None,
    seqid_map: Mapping[str, str | None] | None = None,
) -> dict[str, list[Interval]]:
    """Read the intervals of a BED file by contig, in the order of the file; further columns are ignored.

    Args:
        contigs: ``{contig: length}`` of the FASTA; with it every interval must lie on one of them.
        seqid_map: sequence name in the file to name in ``contigs``; intervals on a name mapped to None are left out.

    Raises:
        PhytoScribeError: a line has fewer than three columns, no valid interval, or one that is not on ``contigs``.
    """
    intervals: dict[str, list[Interval]] = defaultdict(list)
    for number, fields in data_rows(path):
        try:
            start, end = int(fields[1]), int(fields[2])
        except (IndexError, ValueError):
            raise PhytoScribeError(
                f"{path}, line {number}: a BED line needs contig, start and end, separated by tabs"
            ) from None
        if not 0 <= start < end:
            raise PhytoScribeError(f"{path}, line {number}: start {start} and end {end} are no interval")
        contig = (seqid_map or {}).get(fields[0], fields[0])
        if contig is None:
            continue
        if contigs is not None and end > contigs.get(contig, -1):
            raise PhytoScribeError(
                f"{path}, line {number}: "
                + (
                    f"the interval ends at {end}, but contig {contig!r} has {contigs[contig]} bases; correct "
                    "or remove the line, or use the BED file of this genome version"
                    if contig in contigs
                    else f"contig {contig!r} is not in the FASTA, which has {some_names(contigs)}; use the "
                    "names of the FASTA, or remove the line"
                )
            )
        intervals[contig].append((start, end))
    return dict(intervals)


def is_data_line(line: str) -> bool:
    """False for an empty line, a comment, and a line that tells a browser how to show a BED file."""
    return bool(line.strip()) and line[0] != "#" and line.split(None, 1)[0] not in ("track", "browser")


def data_rows(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Number, from 1, and tab-separated columns of each line of data (:func:`is_data_line`).

    Raises:
        PhytoScribeError: the file cannot be read (:func:`phytoscribe.files.open_text`).
    """
    with open_text(path) as handle:
        for number, line in enumerate(handle, start=1):
            if is_data_line(line):
                yield number, line.rstrip("\n").split("\t")


def merge_intervals(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted union: intervals that overlap or touch are joined, empty ones dropped."""
    return [(start, end) for start, end in merged(as_places(intervals)).tolist()]


def complement(intervals: Sequence[Interval], length: int) -> list[Interval]:
    """Gaps between sorted, merged intervals within ``[0, length)``."""
    edges = [0, *(edge for interval in intervals for edge in interval), length]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]


def true_runs(mask: npt.NDArray[np.bool_], offset: int = 0) -> tuple[Interval, ...]:
    """Maximal runs of True as sorted half-open intervals; ``offset`` is the position of the first element."""
    edges = np.diff(np.concatenate(([0], mask.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1) + offset, np.flatnonzero(edges == -1) + offset
    return tuple(zip(starts.tolist(), ends.tolist(), strict=True))


class IntervalIndex:
    """Answers whether an interval shares a base with any of a fixed set of intervals."""

    def __init__(self, tracks: Mapping[Hashable, Iterable[Interval]]) -> None:
        self._merged = {track: merge_intervals(intervals) for track, intervals in tracks.items()}

    def __bool__(self) -> bool:
        return any(self._merged.values())

    def overlaps(self, track: Hashable, start: int, end: int) -> bool:
        """True if ``[start, end)`` shares at least one base with the set on ``track``."""
        intervals = self._merged.get(track, [])
        at = bisect_right(intervals, start, key=itemgetter(1))  # the first that ends behind the start
        return at < len(intervals) and intervals[at][0] < end


def as_places(intervals: Iterable[Interval]) -> Places:
    """Intervals as int64 (n, 2): start and end."""
    return np.array(list(intervals), dtype=np.int64).reshape(-1, 2)


def merged(places: Places) -> Places:
    """Sorted union of intervals (n, 2): those that overlap or touch are joined, empty ones dropped."""
    kept = places[places[:, 0] < places[:, 1]]
    if not len(kept):
        return kept
    ordered = kept[np.argsort(kept[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ordered[:, 1])
    opens = np.concatenate([[True], ordered[1:, 0] > reach[:-1]])
    closes = np.concatenate([opens[1:], [True]])
    return np.column_stack([ordered[opens, 0], reach[closes]])


def overlapping(places: Places, union: Places) -> npt.NDArray[np.bool_]:
    """Whether each interval (n, 2) shares a base with a union as :func:`merged` gives it; bool (n,)."""
    if not len(union):
        return np.zeros(len(places), dtype=np.bool_)
    at = np.searchsorted(union[:, 1], places[:, 0], side="right")
    return (at < len(union)) & (union[np.minimum(at, len(union) - 1), 0] < places[:, 1])


def overlapping_pairs(left: Places, right: Places) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row numbers of all pairs of intervals that share a base, int64 (pairs,) each.

    If two intervals overlap, one starts in the other; both cases are consecutive runs in the order of starts.
    """
    first, second = _starting_inside(left, right, "left")
    fourth, third = _starting_inside(right, left, "right")
    return np.concatenate([first, third]), np.concatenate([second, fourth])


def _starting_inside(outer: Places, inner: Places, side: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs whose ``inner`` starts in ``outer``; at the very start of it too with ``side`` "left"."""
    order = np.argsort(inner[:, 0], kind="stable")
    starts = inner[order, 0]
    low = np.searchsorted(starts, outer[:, 0], side=side)  # type: ignore[call-overload]
    counts = np.maximum(np.searchsorted(starts, outer[:, 1], side="left") - low, 0)
    return np.repeat(np.arange(len(outer)), counts), order[runs(low, counts)]


def runs(first: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``first[0], first[0] + 1, ...``: ``counts[i]`` numbers from ``first[i]`` on, one run after the other."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if ends.size else 0) + np.repeat(first - (ends - counts), counts)


def shared_bases(left: Places, right: Places, without: Places) -> tuple[int, int, int]:
    """Bases in both, in ``left`` only and in ``right`` only, not counting bases in ``without``; each (n, 2)."""
    hidden = _bases_of(without)
    in_left, in_right = _bases_of(left, without) - hidden, _bases_of(right, without) - hidden
    in_any = _bases_of(left, right, without) - hidden
    return in_left + in_right - in_any, in_any - in_right, in_any - in_left


def _bases_of(*places: Places) -> int:
    """Bases of the union."""
    union = merged(np.concatenate(places))
    return int((union[:, 1] - union[:, 0]).sum())
