"""Several features of one id: to which of them does another feature belong?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

#: Copies behind a feature's start that are compared; more begin inside one feature only in broken files.
_BEHIND = 64


class Place(NamedTuple):
    """0-based half-open."""

    contig: str
    start: int
    end: int
    strand: str


class _Sorted:
    """Copies on one strand of one sequence, by start."""

    def __init__(self) -> None:
        self.items: list[tuple[int, int, int]] = []  # start, number, end

    def finish(self) -> None:
        self.items.sort()
        self._starts = [start for start, _, _ in self.items]
        self._farthest: list[tuple[int, int, int]] = []  # of all up to here the one with the largest end
        for item in self.items:
            ahead = self._farthest and self._farthest[-1][2] >= item[2]
            self._farthest.append(self._farthest[-1] if ahead else item)

    def best(self, start: int, end: int) -> tuple[int, int]:
        """(overlap, minus the number) of the copy with most overlap; a negative overlap is a distance."""
        at = bisect_right(self._starts, start)
        found = self._farthest[at - 1 : at] if at else []
        found += self.items[at : at + _BEHIND]
        return max((min(last, end) - max(first, start), -number) for first, number, last in found)


class Copies:
    """An index of copies, numbered as they are given; a query takes logarithmic time."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._groups: dict[tuple[str, str], _Sorted] = {}
        for number, place in enumerate(places):
            group = self._groups.setdefault((place.contig, place.strand), _Sorted())
            group.items.append((place.start, number, place.end))
        for group in self._groups.values():
            group.finish()
        self._strands = sorted({strand for _, strand in self._groups})

    def nearest(self, place: Place) -> int:
        """Number of the copy on the same strand of the same sequence with most overlap, or the nearest one.

        Failing these, a copy on another strand of that sequence; failing these too, the first.
        """
        same = self._groups.get((place.contig, place.strand))
        others = [self._groups.get((place.contig, strand)) for strand in self._strands]
        for groups in ([same], others):
            found = [group.best(place.start, place.end) for group in groups if group is not None]
            if found:
                return -max(found)[1]
        return 0
