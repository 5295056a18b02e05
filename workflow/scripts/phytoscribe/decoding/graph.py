"""What the lattice is read from, what is open while it is read, what it gives, and the genes on the best path."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.compiled import njit
from phytoscribe.decoding.grammar import (
    BEGIN,
    EDGE,
    FORBIDDEN,
    INTRON_BEGIN,
    INTRON_END,
    Scores,
    Sites,
    end_of,
    intron_length_score,
    segment_kind,
    segment_length_score,
)
from phytoscribe.decoding.support import NO_SUPPORT, Support, intron_gain

FORWARD, BACKWARD = 1, -1
#: How functions are compiled that make no array: without counting references, which took most of the lattice's time
#: because every look at an array of :class:`Open` counts.  Such a function does not compile once it makes an array.
ALLOCATES_NOTHING = {"cache": True, "nogil": True, "_nrt": False}
#: No path.
NO_CODE = -1
#: Left of every site.
NO_BOUND = -2
#: The first entries of a list are its tails: ``3 * end of the open site + end of the node`` for segments, ``CONTEXTS *
#: family + context of the open site`` for introns.
CONTEXTS = 8
SEGMENT_TAILS, INTRON_TAILS = 9, 3 * CONTEXTS


class Graph(NamedTuple):
    """Nodes and scores.

    Attributes:
        sites: the rows.
        site, span: float64 (rows, 3), what each node adds to a segment and to an intron
            (:func:`phytoscribe.decoding.scoring.compose`).
        scores: what the edges add.
        support: the introns that evidence speaks for.
    """

    sites: Sites
    site: npt.NDArray[np.float64]
    span: npt.NDArray[np.float64]
    scores: Scores
    support: Support = NO_SUPPORT


class Paths(NamedTuple):
    """Results of reading rows from left to right (from right to left: what lies right of the node), by row and ``t``.

    Attributes:
        total: float64 (n, 3), log sum of all paths that arrive at an opening site (before its segment) or leave a
            closing one (its segment and site included).
        best: the same for the best path.
        back: int64 (n, 3), ``3 * row + t`` of the best path's node before this one; for ``BEGIN`` that of the gene
            before, -1 for none.
        free: float64 (n,), sum of the non-coding path behind the row.
    """

    total: npt.NDArray[np.float64]
    best: npt.NDArray[np.float64]
    back: npt.NDArray[np.int64]
    free: npt.NDArray[np.float64]

    @classmethod
    def empty(cls, count: int) -> Paths:
        return cls(np.empty((count, 3)), np.empty((count, 3)), np.empty((count, 3), np.int64), np.empty(count))

    @classmethod
    def sums(cls, count: int) -> Paths:
        """Without a best path."""
        return cls(np.empty((count, 3)), np.empty((0, 3)), np.empty((0, 3), np.int64), np.empty(count))


class Mode(NamedTuple):
    """How rows are read.

    Attributes:
        way: FORWARD or BACKWARD.
        threshold: :data:`GIVEN_UP`, or infinity for one block whatever its length.
        begins: whether genes may begin (read backwards: end).
        counted: whether the expected lengths are wanted (read backwards only).
    """

    way: int = FORWARD
    threshold: float = math.inf
    begins: bool = True
    counted: bool = False


class Lengths(NamedTuple):
    """Expected numbers of segments and introns by length.

    Attributes:
        before: float64 (n, 3), :attr:`Paths.total` of the forward pass.
        total: log sum over all paths.
        segment: float64 (SEGMENT_KINDS, limit + 1), intron: float64 (limit + 1,): filled.
    """

    before: npt.NDArray[np.float64]
    total: float
    segment: npt.NDArray[np.float64]
    intron: npt.NDArray[np.float64]


def no_lengths() -> Lengths:
    """What to give where expected lengths are not wanted."""
    return Lengths(np.empty((0, 3)), 0.0, np.empty((0, 0)), np.empty(0))


class Open(NamedTuple):
    """Sites read so far from which a segment or an intron may still go on.

    Segments are listed by ``3 * strand + frame``, introns by strand; entries are in the order of reading.
    """

    count: npt.NDArray[np.int64]  # (8,) entries of the six segment lists and two intron lists, tails included
    start: npt.NDArray[np.int64]  # (8,) first entry that is neither dead nor in the tail
    bound: npt.NDArray[np.int64]  # (6,) bound that the tail belongs to
    intron_tails: npt.NDArray[np.int64]  # (2,) tails of introns in use, one bit each
    position: npt.NDArray[np.int64]  # (6, room)
    end: npt.NDArray[np.int8]
    site_bound: npt.NDArray[np.int64]
    code: npt.NDArray[np.int64]  # 3 * row + t of the node
    total: npt.NDArray[np.float64]  # tails have the length's slope taken out
    best: npt.NDArray[np.float64]
    intron_position: npt.NDArray[np.int64]  # (2, room)
    intron_row: npt.NDArray[np.int64]
    intron_code: npt.NDArray[np.int64]  # (2, room, 3)
    intron_total: npt.NDArray[np.float64]
    intron_best: npt.NDArray[np.float64]
    free: npt.NDArray[np.float64]  # (2,) non-coding path: sum, best
    last: npt.NDArray[np.int64]  # (1,) code of the last gene's end on the best non-coding path
    extent: npt.NDArray[np.int64]  # (3,) position at which the block began, bases after which it is long, the default

    def room(self) -> int:
        """Entries that each list has room for, tails not counted."""
        return self.position.shape[1] - SEGMENT_TAILS

    def used(self) -> int:
        """Entries of the longest list, tails not counted."""
        return int(max(self.count[:6].max() - SEGMENT_TAILS, self.count[6:].max() - INTRON_TAILS))


@njit(cache=True, nogil=True)
def new_open(room, long_block):
    """Nothing is open; each list has room for so many sites."""
    segments, introns = (6, room + SEGMENT_TAILS), (2, room + INTRON_TAILS)
    opened = Open(
        np.empty(8, np.int64),
        np.empty(8, np.int64),
        np.empty(6, np.int64),
        np.empty(2, np.int64),
        np.empty(segments, np.int64),
        np.empty(segments, np.int8),
        np.empty(segments, np.int64),
        np.empty(segments, np.int64),
        np.empty(segments),
        np.empty(segments),
        np.empty(introns, np.int64),
        np.empty(introns, np.int64),
        np.empty((2, room + INTRON_TAILS, 3), np.int64),
        np.empty((2, room + INTRON_TAILS, 3)),
        np.empty((2, room + INTRON_TAILS, 3)),
        np.empty(2),
        np.empty(1, np.int64),
        np.full(3, long_block, np.int64),
    )
    clear(opened, 0)
    return opened


@njit(**ALLOCATES_NOTHING)
def clear(opened, position):
    """Nothing is open, and the non-coding path starts anew at this position."""
    opened.count[:6], opened.start[:6] = SEGMENT_TAILS, SEGMENT_TAILS
    opened.count[6:], opened.start[6:] = INTRON_TAILS, INTRON_TAILS
    opened.bound[:] = NO_BOUND
    opened.intron_tails[:] = 0
    opened.total[:, :SEGMENT_TAILS] = FORBIDDEN
    opened.best[:, :SEGMENT_TAILS] = FORBIDDEN
    opened.intron_total[:, :INTRON_TAILS] = FORBIDDEN
    opened.intron_best[:, :INTRON_TAILS] = FORBIDDEN
    opened.free[:] = 0.0
    opened.last[:] = NO_CODE
    opened.extent[0] = position
    opened.extent[1] = opened.extent[2]


def with_room(opened: Open, room: int) -> Open:
    """The same state with lists of up to ``room`` entries."""
    larger = new_open(room, 0)
    for old, new in zip(opened, larger, strict=True):
        if old.shape == new.shape:
            new[...] = old
        else:
            new[:, : old.shape[1]] = old
    return larger


Node = tuple[int, int]


def trace(code: int, sites: Sites, paths: Paths) -> list[list[Node]]:
    """Chains of nodes ``(row, t)`` of the genes on the best path, in order of position, each from left to right.

    Args:
        code: the last gene's last node, ``Open.last``.
    """
    kind, variant = sites["kind"], sites["variant"]
    chains = []
    while code >= 0:
        chain = [divmod(int(code), 3)]
        while True:
            row, t = chain[-1]
            code = paths.back[row, t]
            at_left_end = kind[row] == INTRON_BEGIN and variant[row] == EDGE
            if kind[row] == BEGIN or at_left_end:
                break
            chain.append(divmod(int(code), 3))
        chains.append(chain[::-1])
    return chains[::-1]


@njit(cache=True, nogil=True)
def chain_sums(rows, states, graph, before, after):
    """Log sums of all paths through each edge of a chain of nodes, and through all of it.

    Args:
        rows, states: int64 (n,), the nodes.
        before, after: float64 (rows, 3), :attr:`Paths.total` of both directions.

    Returns:
        float64 (n,): of the edge behind each node; last that of the whole chain.
    """
    sites, last = graph.sites, rows.size - 1
    sums = np.empty(rows.size)
    sums[last] = before[rows[0], states[0]] + after[rows[last], states[last]]
    for k in range(last):
        left, right, t, u = rows[k], rows[k + 1], states[k], states[k + 1]
        length = sites.position[right] - sites.position[left]
        if sites.kind[left] == BEGIN or sites.kind[left] == INTRON_END:
            opening = end_of(sites.kind[left], sites.variant[left])
            closing = end_of(sites.kind[right], sites.variant[right])
            kind = segment_kind(sites.strand[left], opening, closing)
            score = graph.site[left, t] + graph.site[right, u] + segment_length_score(graph.scores, kind, length)
        else:
            score = graph.span[left, t] + graph.span[right, u] + intron_length_score(graph.scores, length)
            score += intron_gain(graph.support, sites.strand[left], sites.position[left], sites.position[right])
        sums[k] = before[left, t] + score + after[right, u]
        sums[last] += score
    return sums


def renumber(opened: Open, paths: Paths, done: int, removed: int) -> None:
    """Make up for ``removed`` first rows having been dropped; ``done`` rows of those left have been read."""
    for codes, factor in (
        (opened.code, 3),
        (opened.intron_row, 1),
        (opened.intron_code, 3),
        (opened.last, 3),
        (paths.back[:done], 3),
    ):
        codes[codes >= 0] -= factor * removed
