"""Sets of half-open intervals: merging, overlap look-up and shared length.

Coordinates are 0-based and half-open.  A *track* is any hashable name of an axis: a contig, or a (contig, strand).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import Interval, merge_intervals
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import open_text

Tracks = Mapping[Hashable, Sequence[Interval]]


def read_bed(path: str | Path, contigs: Mapping[str, int] | None = None) -> dict[str, list[Interval]]:
    """Intervals of a BED file by contig, in the order of the file; further columns are ignored.

    Args:
        contigs: ``{contig: length}`` of the FASTA; with it every interval must lie on one of them.

    Raises:
        PhytoScribeError: a line has fewer than three columns, no valid interval, or one that is not on ``contigs``.
    """
    intervals: dict[str, list[Interval]] = defaultdict(list)
    with open_text(path) as handle:
        for number, line in enumerate(handle, start=1):
            if not line.strip() or line.startswith(("#", "track", "browser")):
                continue
            fields = line.rstrip("\n").split("\t")
            try:
                start, end = int(fields[1]), int(fields[2])
            except (IndexError, ValueError):
                raise PhytoScribeError(
                    f"{path}, line {number}: a BED line needs contig, start and end, separated by tabs"
                ) from None
            if not 0 <= start < end:
                raise PhytoScribeError(f"{path}, line {number}: start {start} and end {end} are no interval")
            if contigs is not None:
                _check_place(f"{path}, line {number}", fields[0], end, contigs)
            intervals[fields[0]].append((start, end))
    return dict(intervals)


def _check_place(where: str, contig: str, end: int, contigs: Mapping[str, int]) -> None:
    """Raise PhytoScribeError if ``contig`` is not in the FASTA or is shorter than ``end``."""
    if contig not in contigs:
        some = ", ".join(list(contigs)[:5]) + (", ..." if len(contigs) > 5 else "")
        raise PhytoScribeError(
            f"{where}: contig {contig!r} is not in the FASTA, which has {some}; use the names of the FASTA, or remove "
            "the line"
        )
    if end > contigs[contig]:
        raise PhytoScribeError(
            f"{where}: the interval ends at {end}, but contig {contig!r} has {contigs[contig]} bases; correct or "
            "remove the line, or use the BED file of this genome version"
        )


class IntervalIndex:
    """Answers whether an interval shares a base with any of a fixed set of intervals."""

    def __init__(self, tracks: Mapping[Hashable, Iterable[Interval]]) -> None:
        self._merged = {track: merge_intervals(intervals) for track, intervals in tracks.items()}

    def __bool__(self) -> bool:
        return any(self._merged.values())

    def overlaps(self, track: Hashable, start: int, end: int) -> bool:
        """True if ``[start, end)`` shares at least one base with the set on ``track``."""
        merged = self._merged.get(track)
        if not merged:
            return False
        before = bisect_right(merged, (start, start))
        return (before > 0 and merged[before - 1][1] > start) or (before < len(merged) and merged[before][0] < end)

    def overlaps_any(self, track: Hashable, intervals: Iterable[Interval]) -> bool:
        """True if any of ``intervals`` shares a base with the set on ``track``."""
        return any(self.overlaps(track, start, end) for start, end in intervals)


def shared_bases(left: Tracks, right: Tracks, without: Tracks) -> tuple[int, int, int]:
    """Bases in both, in ``left`` only and in ``right`` only, not counting bases in ``without``.

    One sweep over all interval ends per track: time follows the number of intervals, not the length of the contigs.
    """
    both = left_only = right_only = 0
    for track in sorted({*left, *right}, key=repr):
        sides = [left.get(track, ()), right.get(track, ()), without.get(track, ())]
        lengths, depth = _sweep(sides)
        in_left, in_right, counted = depth[0] > 0, depth[1] > 0, depth[2] == 0
        both += int(lengths[counted & in_left & in_right].sum())
        left_only += int(lengths[counted & in_left & ~in_right].sum())
        right_only += int(lengths[counted & ~in_left & in_right].sum())
    return both, left_only, right_only


def _sweep(sides: Sequence[Sequence[Interval]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Elementary pieces of an axis: lengths (pieces,) and intervals of each side on them (sides, pieces)."""
    ends, owners, steps = [], [], []
    for owner, intervals in enumerate(sides):
        flat = np.asarray(intervals, dtype=np.int64).reshape(-1, 2)
        ends.append(flat.ravel())
        owners.append(np.full(flat.size, owner))
        steps.append(np.tile(np.array([1, -1]), len(flat)))
    position, owner, step = np.concatenate(ends), np.concatenate(owners), np.concatenate(steps)
    order = np.argsort(position, kind="stable")
    change = np.zeros((len(sides), position.size), dtype=np.int64)
    change[owner[order], np.arange(position.size)] = step[order]
    return np.diff(position[order]), np.cumsum(change, axis=1)[:, :-1]
