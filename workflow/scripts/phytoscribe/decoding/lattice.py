"""The lattice of gene structures over candidate sites: a semi-Markov conditional random field of both strands.

Nodes are candidate sites (:mod:`phytoscribe.decoding.candidate_sites`) with the state of the reading frame, and one
non-coding path.  Edges are whole CDS segments and whole introns, with explicit scores for their lengths, so the sums
over all paths (forward-backward) give exact posterior probabilities of segments, introns, codons and gene structures.
Scores are relative to the non-coding path; for a gene on one strand the other strand's probability of being non-coding
cancels.

Lengths up to a limit are looked up edge by edge.  Beyond it the score falls linearly (a geometric tail), so all older
openings are carried along as one sum for each state that matters to what may follow; work stays linear in the contig
and no length is limited.  A segment also ends at the first stop codon in its frame.

Everything is in natural log units and float64.  See S. Sarawagi and W. Cohen, *Semi-Markov conditional random fields*,
NIPS 2004, and for gene finding C. Burge and S. Karlin, J. Mol. Biol. 268:78 (1997).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from phytoscribe.decoding.candidate_sites import (
    AT_AC,
    BEGIN,
    CHECK,
    EDGE,
    END,
    FORBIDDEN,
    INTRON_BEGIN,
    INTRON_END,
    MINUS,
    NORMAL,
    PLUS,
    Rows,
)
from phytoscribe.decoding.settings import MINIMUM_CDS_SEGMENT

#: All that is open may be given up where it is this far (natural log units) behind the non-coding path.  The lattice
#: falls into independent blocks there.
GIVEN_UP = 300.0
#: Where something is always open, because candidate sites are dense or bases weigh little, a block of so many bases,
#: and again of twice as many, is cut where hardly any path crosses.
LONG_BLOCK = 65_536
#: Log posterior, by length of the block from which it holds, up to which the genes that cross such a cut are ignored:
#: a millionth at first, a thousandth where nothing better has been found for long.  They are out of the sums then.
IGNORED = ((0, -14.0), (2 * LONG_BLOCK, -7.0), (8 * LONG_BLOCK, -3.0))
#: What is still open where the search for a cut ends must be further behind than that by this much.
STILL_OPEN = 30.0
#: Terms this far under the largest add nothing to a sum in double precision.
NEGLIGIBLE = 45.0
#: No path.
_NONE = -1

# What the forward pass stopped for.
MORE, COMPLETE, LONG = range(3)

# How a segment's ends look to its length: a split CDS, a gene's end, or the contig's end.
_INNER, _OUTER, _CUT = range(3)
INITIAL, INTERNAL, TERMINAL, SINGLE, CUT_SEGMENT = range(5)
SEGMENT_KINDS = 5


class Scores(NamedTuple):
    """What the edges need beyond their sites.

    Attributes:
        segment: float64 (SEGMENT_KINDS, limit + 1), score of a CDS segment by kind and length.
        segment_slope: float64 (SEGMENT_KINDS,), per base beyond the limit.
        intron: float64 (limit + 1,); intron_slope: per base beyond the limit.
        minimum_intron: shortest intron, bp.
        minimum_single: shortest CDS of a gene of one segment, bp.
    """

    segment: npt.NDArray[np.float64]
    segment_slope: npt.NDArray[np.float64]
    intron: npt.NDArray[np.float64]
    intron_slope: float
    minimum_intron: int
    minimum_single: int


class Paths(NamedTuple):
    """Forward results by row and ``t``.

    Attributes:
        total: float64 (n, 3), log sum of all paths that arrive at an opening site (before its segment) or leave a
            closing one (its segment and site included).
        best: the same for the best path.
        back: int64 (n, 3), ``3 * row + t`` of the best path's node before this one; for ``BEGIN`` that of the gene
            before, -1 for none.
        free: float64 (n,), sum (or best, if sums are not wanted) of the non-coding path behind the row.
    """

    total: npt.NDArray[np.float64]
    best: npt.NDArray[np.float64]
    back: npt.NDArray[np.int64]
    free: npt.NDArray[np.float64]

    @classmethod
    def empty(cls, count: int) -> Paths:
        return cls(np.empty((count, 3)), np.empty((count, 3)), np.empty((count, 3), np.int64), np.empty(count))


class Open(NamedTuple):
    """What may still be continued while the rows are read from left to right.

    Segments are kept by ``3 * strand + frame``, introns by strand; entries are in order of position.
    """

    count: npt.NDArray[np.int64]  # (8,) entries of the six segment lists and two intron lists
    start: npt.NDArray[np.int64]  # (8,) first entry that is neither dead nor in the tail
    bound: npt.NDArray[np.int64]  # (6,) bound that the tail belongs to
    position: npt.NDArray[np.int64]  # (6, room)
    total: npt.NDArray[np.float64]
    best: npt.NDArray[np.float64]
    code: npt.NDArray[np.int64]
    end: npt.NDArray[np.int8]
    tail: npt.NDArray[np.float64]  # (6, 3 opening ends, 3 closing ends) sums with the length's slope taken out
    tail_best: npt.NDArray[np.float64]
    tail_code: npt.NDArray[np.int64]
    intron_position: npt.NDArray[np.int64]  # (2, room)
    intron_row: npt.NDArray[np.int64]
    intron_total: npt.NDArray[np.float64]  # (2, room, 3)
    intron_best: npt.NDArray[np.float64]
    intron_tail: npt.NDArray[np.float64]  # (2, 27): family, t, class of the split codon
    intron_tail_best: npt.NDArray[np.float64]
    intron_tail_code: npt.NDArray[np.int64]
    free: npt.NDArray[np.float64]  # (2,) non-coding path: sum, best
    last: npt.NDArray[np.int64]  # (1,) code of the last gene's end on the best non-coding path
    extent: npt.NDArray[np.int64]  # (3,) position at which the block began, bases after which it is long, LONG_BLOCK

    @classmethod
    def empty(cls, room: int) -> Open:
        opened = cls(
            np.zeros(8, np.int64),
            np.zeros(8, np.int64),
            np.full(6, -1, np.int64),
            np.empty((6, room), np.int64),
            np.empty((6, room)),
            np.empty((6, room)),
            np.empty((6, room), np.int64),
            np.empty((6, room), np.int8),
            np.empty((6, 3, 3)),
            np.empty((6, 3, 3)),
            np.empty((6, 3, 3), np.int64),
            np.empty((2, room), np.int64),
            np.empty((2, room), np.int64),
            np.empty((2, room, 3)),
            np.empty((2, room, 3)),
            np.empty((2, 27)),
            np.empty((2, 27)),
            np.empty((2, 27), np.int64),
            np.zeros(2),
            np.full(1, _NONE, np.int64),
            np.full(3, LONG_BLOCK, np.int64),
        )
        clear(opened, 0)
        return opened


@njit(cache=True)
def clear(opened, position):
    """Nothing is open, and the non-coding path starts anew at this position."""
    opened.count[:] = 0
    opened.start[:] = 0
    opened.bound[:] = -1
    opened.tail[:] = FORBIDDEN
    opened.tail_best[:] = FORBIDDEN
    opened.intron_tail[:] = FORBIDDEN
    opened.intron_tail_best[:] = FORBIDDEN
    opened.free[:] = 0.0
    opened.last[:] = _NONE
    opened.extent[0] = position
    opened.extent[1] = opened.extent[2]


@njit(cache=True, inline="always")
def add_logs(a, b):
    if b > a:
        a, b = b, a
    return a + np.log1p(np.exp(b - a)) if b - a > -NEGLIGIBLE else a


@njit(cache=True, inline="always")
def _log_sum(values, count, top):
    """Log of the sum of exponentials of the first ``count`` values, ``top`` the largest of them."""
    if count == 0 or top <= 0.5 * FORBIDDEN:
        return FORBIDDEN
    total = 0.0
    for k in range(count):
        if values[k] > top - NEGLIGIBLE:
            total += np.exp(values[k] - top)
    return top + np.log(total)


@njit(cache=True, inline="always")
def segment_kind(strand, opening, closing):
    """Kind of a segment from its left and right end."""
    if opening == _CUT or closing == _CUT:
        return CUT_SEGMENT
    if opening == _OUTER and closing == _OUTER:
        return SINGLE
    if opening == _INNER and closing == _INNER:
        return INTERNAL
    return INITIAL if (opening == _OUTER) == (strand == PLUS) else TERMINAL


@njit(cache=True, inline="always")
def _end_of(kind, variant):
    if kind in (INTRON_BEGIN, INTRON_END):
        return _INNER
    return _CUT if variant == EDGE else _OUTER


@njit(cache=True, inline="always")
def segment_length_score(scores, kind, length):
    """Score of a segment's length; FORBIDDEN for one that is too short for a gene of its own."""
    if kind == SINGLE and length < scores.minimum_single:
        return FORBIDDEN
    limit = scores.segment.shape[1] - 1
    if length <= limit:
        return scores.segment[kind, length]
    return scores.segment[kind, limit] + scores.segment_slope[kind] * (length - limit)


@njit(cache=True, inline="always")
def intron_length_score(scores, length):
    limit = scores.intron.size - 1
    if length <= limit:
        return scores.intron[length]
    return scores.intron[limit] + scores.intron_slope * (length - limit)


@njit(cache=True, inline="always")
def _may_open(position, end, bound):
    """Whether a segment that opens here is free of stop codons in frame and N up to a closing site with this bound."""
    return position > bound or (position == bound and end == _OUTER)


@njit(cache=True, inline="always")
def _tail_family(variant):
    """GT-AG and GC-AG introns, AT-AC introns, and those that the contig's left end cuts."""
    return 1 if variant == AT_AC else (2 if variant == EDGE else 0)


@njit(cache=True, inline="always")
def _tail_group(family, t, left):
    return 9 * family + 3 * t + left


@njit(cache=True, inline="always")
def _alike(first, second):
    """The two ends of an intron belong to one kind of intron; the contig's ends do not make one by themselves."""
    return (first == AT_AC) == (second == AT_AC) and not (first == EDGE and second == EDGE)


@njit(cache=True, inline="always")
def _of_family(family, variant):
    """An intron of this family may end at a site of this variant."""
    return _alike(AT_AC if family == 1 else (EDGE if family == 2 else NORMAL), variant)


@njit(cache=True)
def _drop_dead_segments(opened, held, bound):
    """Forget segments that a stop codon in frame or an N has ended."""
    if bound > opened.bound[held]:
        opened.bound[held] = bound
        opened.tail[held] = FORBIDDEN
        opened.tail_best[held] = FORBIDDEN
        start = opened.start[held]
        while start < opened.count[held] and not _may_open(
            opened.position[held, start], opened.end[held, start], bound
        ):
            start += 1
        opened.start[held] = start


@njit(cache=True)
def _segments_into(opened, held, strand, position, bound, closing, scores, scratch, summed):
    """Sum and best of all segments that close here: (total, best, code of the best opening)."""
    _drop_dead_segments(opened, held, bound)
    limit = scores.segment.shape[1] - 1
    start = opened.start[held]
    while start < opened.count[held] and opened.position[held, start] < position - limit:
        opening = opened.end[held, start]
        for other in range(3):
            shift = scores.segment_slope[segment_kind(strand, opening, other)] * opened.position[held, start]
            if summed:
                opened.tail[held, opening, other] = add_logs(
                    opened.tail[held, opening, other], opened.total[held, start] - shift
                )
            if opened.best[held, start] - shift > opened.tail_best[held, opening, other]:
                opened.tail_best[held, opening, other] = opened.best[held, start] - shift
                opened.tail_code[held, opening, other] = opened.code[held, start]
        start += 1
    opened.start[held] = start
    best, code, top, count = FORBIDDEN, _NONE, FORBIDDEN, 0
    for entry in range(opened.count[held] - 1, start - 1, -1):
        length = position - opened.position[held, entry]
        if length < MINIMUM_CDS_SEGMENT:
            continue
        length_score = segment_length_score(scores, segment_kind(strand, opened.end[held, entry], closing), length)
        score = opened.best[held, entry] + length_score
        if score > best:
            best, code = score, opened.code[held, entry]
        if summed:
            score = opened.total[held, entry] + length_score
            scratch[count] = score
            count += 1
            top = max(top, score)
    for opening in range(3):
        if opened.tail_best[held, opening, closing] > FORBIDDEN:
            kind = segment_kind(strand, opening, closing)
            length_score = scores.segment[kind, limit] + scores.segment_slope[kind] * (position - limit)
            if opened.tail_best[held, opening, closing] + length_score > best:
                best = opened.tail_best[held, opening, closing] + length_score
                code = opened.tail_code[held, opening, closing]
            if summed:
                score = opened.tail[held, opening, closing] + length_score
                scratch[count] = score
                count += 1
                top = max(top, score)
    return _log_sum(scratch, count, top), best, code


@njit(cache=True)
def _introns_into(opened, strand, rows, r, scores, scratch, total, best, code, summed):
    """Sums and bests by ``t`` of all introns that end at row ``r``, written to ``total``, ``best``, ``code``."""
    position, variant = rows.position[r], rows.variant[r]
    limit = scores.intron.size - 1
    start = opened.start[6 + strand]
    while start < opened.count[6 + strand] and opened.intron_position[strand, start] < position - limit:
        row = opened.intron_row[strand, start]
        shift = scores.intron_slope * opened.intron_position[strand, start]
        for t in range(3):
            group = _tail_group(_tail_family(rows.variant[row]), t, rows.context[row, t])
            if summed:
                opened.intron_tail[strand, group] = add_logs(
                    opened.intron_tail[strand, group], opened.intron_total[strand, start, t] - shift
                )
            if opened.intron_best[strand, start, t] - shift > opened.intron_tail_best[strand, group]:
                opened.intron_tail_best[strand, group] = opened.intron_best[strand, start, t] - shift
                opened.intron_tail_code[strand, group] = 3 * row + t
        start += 1
    opened.start[6 + strand] = start
    count = 0
    top = np.full(3, FORBIDDEN)
    best[:] = FORBIDDEN
    code[:] = _NONE
    for entry in range(opened.count[6 + strand] - 1, start - 1, -1):
        length = position - opened.intron_position[strand, entry]
        row = opened.intron_row[strand, entry]
        if length < scores.minimum_intron and variant != EDGE and rows.variant[row] != EDGE:
            continue
        if not _alike(variant, rows.variant[row]):
            continue
        length_score = intron_length_score(scores, length)
        for t in range(3):
            scratch[3 * count + t] = FORBIDDEN
            if rows.context[r, t] >> rows.context[row, t] & 1:
                continue
            score = opened.intron_best[strand, entry, t] + length_score
            if score > best[t]:
                best[t], code[t] = score, 3 * row + t
            if summed:
                score = opened.intron_total[strand, entry, t] + length_score
                scratch[3 * count + t] = score
                top[t] = max(top[t], score)
        count += 1
    length_score = scores.intron[limit] + scores.intron_slope * (position - limit)
    for t in range(3):
        total[t] = FORBIDDEN
        if summed and top[t] > 0.5 * FORBIDDEN:
            added = 0.0
            for k in range(count):
                if scratch[3 * k + t] > top[t] - NEGLIGIBLE:
                    added += np.exp(scratch[3 * k + t] - top[t])
            total[t] = top[t] + np.log(added)
        for family_left in range(9):
            family, left = family_left // 3, family_left % 3
            if not _of_family(family, variant):
                continue
            group = _tail_group(family, t, left)
            if opened.intron_tail_best[strand, group] <= FORBIDDEN or rows.context[r, t] >> left & 1:
                continue
            if opened.intron_tail_best[strand, group] + length_score > best[t]:
                best[t] = opened.intron_tail_best[strand, group] + length_score
                code[t] = opened.intron_tail_code[strand, group]
            if summed:
                total[t] = add_logs(total[t], opened.intron_tail[strand, group] + length_score)


@njit(cache=True)
def pending_score(opened, rows, r, site, span, scores):
    """Best score of all that is open at the checks in rows ``r - 1`` (plus) and ``r`` (minus)."""
    position = rows.position[r]
    top = FORBIDDEN
    for strand in range(2):
        check = r - 1 + strand
        for t in range(3):
            held = 3 * strand + (position - t) % 3
            _drop_dead_segments(opened, held, rows.bound[check, t])
            for entry in range(opened.start[held], opened.count[held]):
                top = max(top, max(opened.total[held, entry], opened.best[held, entry]) + site[check, t])
            for opening in range(3):
                for closing in range(3):
                    slope = scores.segment_slope[segment_kind(strand, opening, closing)] * position
                    score = max(opened.tail[held, opening, closing], opened.tail_best[held, opening, closing])
                    top = max(top, score + slope + site[check, t])
            for entry in range(opened.start[6 + strand], opened.count[6 + strand]):
                score = max(opened.intron_total[strand, entry, t], opened.intron_best[strand, entry, t])
                top = max(top, score + span[check, t])
            for family in range(3):
                for left in range(3):
                    group = _tail_group(family, t, left)
                    score = max(opened.intron_tail[strand, group], opened.intron_tail_best[strand, group])
                    top = max(top, score + scores.intron_slope * position + span[check, t])
    return top


@njit(cache=True, nogil=True)
def forward(first, last, block, rows, site, span, scores, opened, paths, scratch, threshold, begins, summed):
    """Read rows ``first..last-1``; stop behind a check where a block is complete or has grown long.

    Args:
        block: first row of the block that row ``first`` belongs to.
        site, span: float64 (n, 3), see :func:`phytoscribe.decoding.scoring.compose`.
        opened: state between calls.
        scratch: float64, room for three values a row.
        threshold: :data:`GIVEN_UP`, or infinity for one block whatever its length.
        begins: whether genes may begin.
        summed: whether sums over paths are wanted beside the best path.

    Returns:
        ``(next row, first row of the block, status)``: COMPLETE where a block with genes on its best path is complete,
        rows ``block..next - 1``, and ``opened`` holds its end for the caller to clear; LONG where it has grown long;
        else MORE.  Checks in ``paths.best`` hold how far what is open is behind the non-coding path.
    """
    total, best, code = np.empty(3), np.empty(3), np.empty(3, np.int64)
    for r in range(first, last):
        kind, strand, variant, position = rows.kind[r], rows.strand[r], rows.variant[r], rows.position[r]
        paths.total[r] = FORBIDDEN
        paths.best[r] = FORBIDDEN
        paths.back[r] = _NONE
        paths.free[r] = max(opened.free[0], opened.free[1])
        if kind == CHECK:
            if strand == PLUS or threshold == np.inf:
                continue
            ahead = pending_score(opened, rows, r, site, span, scores) - max(opened.free[0], opened.free[1])
            paths.best[r, 0] = ahead
            if ahead < -threshold:
                if opened.last[0] >= 0:
                    return r + 1, block, COMPLETE
                clear(opened, position)
                block = r + 1
            elif position - opened.extent[0] >= opened.extent[1]:
                return r + 1, block, LONG
            continue
        if kind in (INTRON_BEGIN, END):
            for t in range(3):
                if site[r, t] <= FORBIDDEN:
                    continue
                if kind == INTRON_BEGIN and variant == EDGE:
                    paths.total[r, t] = opened.free[0] + site[r, t]
                    paths.best[r, t] = opened.free[1] + site[r, t]
                    paths.back[r, t] = opened.last[0]
                    continue
                held = 3 * strand + (position - t) % 3
                added, top, origin = _segments_into(
                    opened, held, strand, position, rows.bound[r, t], _end_of(kind, variant), scores, scratch, summed
                )
                if origin >= 0:
                    paths.total[r, t] = added + site[r, t]
                    paths.best[r, t] = top + site[r, t]
                    paths.back[r, t] = origin
            if kind == END:
                _finish_gene(opened, paths, r)
            elif max(paths.best[r, 0], paths.best[r, 1], paths.best[r, 2]) > 0.5 * FORBIDDEN:
                entry = opened.count[6 + strand]
                opened.intron_position[strand, entry] = position
                opened.intron_row[strand, entry] = r
                for t in range(3):
                    opened.intron_total[strand, entry, t] = paths.total[r, t] + span[r, t]
                    opened.intron_best[strand, entry, t] = paths.best[r, t] + span[r, t]
                opened.count[6 + strand] = entry + 1
            continue
        if kind == INTRON_END:
            _introns_into(opened, strand, rows, r, scores, scratch, total, best, code, summed)
            for t in range(3):
                if code[t] >= 0 and site[r, t] > FORBIDDEN:
                    paths.total[r, t] = total[t] + span[r, t]
                    paths.best[r, t] = best[t] + span[r, t]
                    paths.back[r, t] = code[t]
            if variant == EDGE:
                for t in range(3):
                    paths.total[r, t] += site[r, t]
                    paths.best[r, t] += site[r, t]
                _finish_gene(opened, paths, r)
                continue
        elif begins:
            for t in range(3):
                if site[r, t] > FORBIDDEN:
                    paths.total[r, t] = opened.free[0]
                    paths.best[r, t] = opened.free[1]
                    paths.back[r, t] = opened.last[0]
        for t in range(3):
            if paths.best[r, t] <= 0.5 * FORBIDDEN or site[r, t] <= FORBIDDEN:
                continue
            held = 3 * strand + (position - t) % 3
            entry = opened.count[held]
            opened.position[held, entry] = position
            opened.total[held, entry] = paths.total[r, t] + site[r, t]
            opened.best[held, entry] = paths.best[r, t] + site[r, t]
            opened.code[held, entry] = 3 * r + t
            opened.end[held, entry] = _end_of(kind, variant)
            opened.count[held] = entry + 1
    return last, block, MORE


@njit(cache=True)
def _finish_gene(opened, paths, r):
    """A gene ends at row ``r``: the non-coding path goes on from there too."""
    for t in range(3):
        if paths.best[r, t] > 0.5 * FORBIDDEN:
            opened.free[0] = add_logs(opened.free[0], paths.total[r, t])
            if paths.best[r, t] > opened.free[1]:
                opened.free[1] = paths.best[r, t]
                opened.last[0] = 3 * r + t
    paths.free[r] = max(opened.free[0], opened.free[1])


@njit(cache=True, nogil=True)
def backward(first, last, rows, site, span, scores, onward, free):
    """Sums over all ways to continue from every node of the block of rows ``first..last-1``.

    Args:
        onward: float64 (rows, 3), filled: for an opening site its segment and all after it, for a closing site all
            after it.
        free: float64 (rows,), filled: all that may come right of the row on the non-coding path.

    Returns:
        The log sum over all paths of the block.
    """
    room = 1
    for r in range(first, last):
        # Each list takes one entry of a row at most.
        if rows.kind[r] == INTRON_BEGIN or rows.kind[r] == END or rows.kind[r] == INTRON_END:
            room += 1
    count, start = np.zeros(8, np.int64), np.zeros(8, np.int64)
    bound = np.full(6, -2, np.int64)
    position, ahead = np.empty((6, room), np.int64), np.empty((6, room))
    bounds, ends = np.empty((6, room), np.int64), np.empty((6, room), np.int8)
    tail = np.full((6, 3, 3), FORBIDDEN)
    intron_row, intron_ahead = np.empty((2, room), np.int64), np.empty((2, room, 3))
    intron_tail = np.full((2, 27), FORBIDDEN)
    limit, intron_limit = scores.segment.shape[1] - 1, scores.intron.size - 1
    scratch = np.empty(3 * room + 27)
    top3 = np.empty(3)
    path = 0.0
    for r in range(last - 1, first - 1, -1):
        kind, strand, variant, here = rows.kind[r], rows.strand[r], rows.variant[r], rows.position[r]
        onward[r] = FORBIDDEN
        free[r] = path
        if kind == CHECK:
            continue
        if kind in (BEGIN, INTRON_END):
            if kind == INTRON_END and variant == EDGE:
                for t in range(3):
                    onward[r, t] = path + site[r, t]
            else:
                opening = _end_of(kind, variant)
                for t in range(3):
                    if site[r, t] <= FORBIDDEN:
                        continue
                    held = 3 * strand + (here - t) % 3
                    while start[held] < count[held] and position[held, start[held]] > here + limit:
                        entry = start[held]
                        if bounds[held, entry] != bound[held]:
                            tail[held] = FORBIDDEN
                            bound[held] = bounds[held, entry]
                        for other in range(3):
                            slope = scores.segment_slope[segment_kind(strand, other, ends[held, entry])]
                            tail[held, other, ends[held, entry]] = add_logs(
                                tail[held, other, ends[held, entry]],
                                ahead[held, entry] + slope * position[held, entry],
                            )
                        start[held] += 1
                    found, top = 0, FORBIDDEN
                    for entry in range(count[held] - 1, start[held] - 1, -1):
                        if not _may_open(here, opening, bounds[held, entry]):
                            break
                        length = position[held, entry] - here
                        if length < MINIMUM_CDS_SEGMENT:
                            continue
                        segment = segment_kind(strand, opening, ends[held, entry])
                        score = ahead[held, entry] + segment_length_score(scores, segment, length)
                        scratch[found] = score
                        found += 1
                        top = max(top, score)
                    if _may_open(here, opening, bound[held]):
                        for closing in range(3):
                            if tail[held, opening, closing] > FORBIDDEN:
                                segment = segment_kind(strand, opening, closing)
                                slope = scores.segment_slope[segment]
                                score = tail[held, opening, closing] + scores.segment[segment, limit]
                                scratch[found] = score - slope * (here + limit)
                                top = max(top, scratch[found])
                                found += 1
                    added = _log_sum(scratch, found, top)
                    if added > FORBIDDEN:
                        onward[r, t] = added + site[r, t]
            if kind == BEGIN:
                for t in range(3):
                    if onward[r, t] > 0.5 * FORBIDDEN:
                        path = add_logs(path, onward[r, t])
            elif max(onward[r, 0], onward[r, 1], onward[r, 2]) > 0.5 * FORBIDDEN:
                entry = count[6 + strand]
                intron_row[strand, entry] = r
                for t in range(3):
                    intron_ahead[strand, entry, t] = onward[r, t] + span[r, t]
                count[6 + strand] = entry + 1
            continue
        if kind == END:
            for t in range(3):
                if site[r, t] > FORBIDDEN:
                    onward[r, t] = path
        else:
            while start[6 + strand] < count[6 + strand]:
                row = intron_row[strand, start[6 + strand]]
                if rows.position[row] <= here + intron_limit:
                    break
                for t in range(3):
                    for family_left in range(9):
                        family, left = family_left // 3, family_left % 3
                        if _of_family(family, rows.variant[row]) and not rows.context[row, t] >> left & 1:
                            group = _tail_group(family, t, left)
                            intron_tail[strand, group] = add_logs(
                                intron_tail[strand, group],
                                intron_ahead[strand, start[6 + strand], t] + scores.intron_slope * rows.position[row],
                            )
                start[6 + strand] += 1
            top3[:] = FORBIDDEN
            found = 0
            for entry in range(count[6 + strand] - 1, start[6 + strand] - 1, -1):
                row = intron_row[strand, entry]
                length = rows.position[row] - here
                if length < scores.minimum_intron and variant != EDGE and rows.variant[row] != EDGE:
                    continue
                if not _alike(variant, rows.variant[row]):
                    continue
                length_score = intron_length_score(scores, length)
                for t in range(3):
                    scratch[3 * found + t] = FORBIDDEN
                    if not rows.context[row, t] >> rows.context[r, t] & 1:
                        scratch[3 * found + t] = intron_ahead[strand, entry, t] + length_score
                        top3[t] = max(top3[t], scratch[3 * found + t])
                found += 1
            length_score = scores.intron[intron_limit] - scores.intron_slope * (here + intron_limit)
            for t in range(3):
                if site[r, t] <= FORBIDDEN:
                    continue
                added = FORBIDDEN
                if top3[t] > 0.5 * FORBIDDEN:
                    sum_of = 0.0
                    for k in range(found):
                        if scratch[3 * k + t] > top3[t] - NEGLIGIBLE:
                            sum_of += np.exp(scratch[3 * k + t] - top3[t])
                    added = top3[t] + np.log(sum_of)
                group = _tail_group(_tail_family(variant), t, rows.context[r, t])
                if intron_tail[strand, group] > 0.5 * FORBIDDEN:
                    added = add_logs(added, intron_tail[strand, group] + length_score)
                if added > 0.5 * FORBIDDEN:
                    onward[r, t] = added + span[r, t]
            if variant == EDGE:
                for t in range(3):
                    if onward[r, t] > 0.5 * FORBIDDEN:
                        path = add_logs(path, onward[r, t] + site[r, t])
                continue
        for t in range(3):
            if onward[r, t] > 0.5 * FORBIDDEN:
                held = 3 * strand + (here - t) % 3
                entry = count[held]
                position[held, entry] = here
                ahead[held, entry] = onward[r, t] + site[r, t]
                bounds[held, entry] = rows.bound[r, t]
                ends[held, entry] = _end_of(kind, variant)
                count[held] = entry + 1
    return path


Node = tuple[int, int]


def trace(code: int, rows: Rows, paths: Paths) -> list[list[Node]]:
    """Chains of nodes ``(row, t)`` of the genes on the best path, in order of position, each from left to right.

    Args:
        code: the last gene's last node, ``Open.last``.
    """
    chains = []
    while code >= 0:
        chain = [divmod(int(code), 3)]
        while True:
            row, t = chain[-1]
            code = paths.back[row, t]
            at_left_end = rows.kind[row] == INTRON_BEGIN and rows.variant[row] == EDGE
            if rows.kind[row] == BEGIN or at_left_end:
                break
            chain.append(divmod(int(code), 3))
        chains.append(chain[::-1])
    return chains[::-1]


def kind_of_segment(rows: Rows, left: int, right: int) -> int:
    """Kind of the segment between two rows."""
    opening, closing = (_end_of(rows.kind[row], rows.variant[row]) for row in (left, right))
    return int(segment_kind(rows.strand[left], opening, closing))


def renumber(opened: Open, paths: Paths, done: int, removed: int) -> None:
    """Make up for ``removed`` first rows having been dropped; ``done`` rows of those left have been read."""
    for codes, factor in (
        (opened.code, 3),
        (opened.tail_code, 3),
        (opened.intron_row, 1),
        (opened.intron_tail_code, 3),
        (opened.last, 3),
        (paths.back[:done], 3),
    ):
        codes[codes >= 0] -= factor * removed


def most_open(rows: Rows) -> int:
    """Entries that the longest list of :class:`Open` may need for these rows: each row adds one at most to a list."""
    segments = (rows.kind == BEGIN) | (rows.kind == INTRON_END)
    return max(
        int(np.count_nonzero(mask & (rows.strand == strand)))
        for mask in (segments, rows.kind == INTRON_BEGIN)
        for strand in (PLUS, MINUS)
    )


def with_room(opened: Open, room: int) -> Open:
    """The same state with lists of up to ``room`` entries."""
    larger = Open.empty(room)
    for old, new in zip(opened, larger, strict=True):
        if old.shape == new.shape:
            new[...] = old
        else:
            new[:, : old.shape[1]] = old
    return larger
