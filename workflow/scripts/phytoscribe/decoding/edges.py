"""The edges that lead into a node of the lattice, whichever way it is read.

The lattice is read from left to right for the best path and for the sum of all paths that arrive at a node, and from
right to left for the sum of all ways to go on from it.  Either way a node's edges lead to sites that were read
before: those that are *open*.  :func:`segment_edges` and :func:`intron_edges` are the only places that list them, and
what is made of the list (best edge, sum, posteriors of edges) does not enumerate again.  A term that depends on both
ends of a segment or an intron is added to the edge's score there.

Lengths up to a limit are looked up edge by edge.  Beyond it the score falls linearly (a geometric tail), so all older
openings are carried along as one sum, the *tail*, for each combination of ends that matters to what may follow; work
stays linear in the contig and no length is limited.  A segment also ends at the first stop codon in its frame.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.compiled import njit
from phytoscribe.decoding.grammar import (
    EDGE,
    FORBIDDEN,
    family_pairs,
    intron_family,
    intron_length_score,
    may_open,
    segment_kind,
    segment_length_score,
    variants_pair,
)
from phytoscribe.decoding.graph import (
    ALLOCATES_NOTHING,
    BACKWARD,
    CONTEXTS,
    FORWARD,
    INTRON_TAILS,
    NO_BOUND,
    NO_CODE,
    SEGMENT_TAILS,
)
from phytoscribe.decoding.settings import MINIMUM_CDS_SEGMENT
from phytoscribe.decoding.support import first_supported, gain

#: Terms this far under the largest add nothing to a sum in double precision.
NEGLIGIBLE = 45.0
#: What is above this can be reached.
REACHED = 0.5 * FORBIDDEN


class Edges(NamedTuple):
    """The edges into one node, as :func:`segment_edges` and :func:`intron_edges` list them."""

    slot: npt.NDArray[np.int64]  # entry of the list of what is open
    score: npt.NDArray[np.float64]  # what the edge itself adds
    frames: npt.NDArray[np.int64]  # introns: bit t, whether the split codon is no stop codon
    values: npt.NDArray[np.float64]  # room for sums
    more: npt.NDArray[np.float64]  # further edges of introns: what the best path gets beyond the score


@njit(cache=True, inline="always")
def new_edges(room):
    return Edges(np.empty(room, np.int64), np.empty(room), np.empty(room, np.int64), np.empty(room), np.empty(room))


@njit(cache=True, inline="always")
def add_logs(a, b):
    """Log of the sum of two exponentials."""
    if b > a:
        a, b = b, a
    return a + np.log1p(np.exp(b - a)) if b - a > -NEGLIGIBLE else a


@njit(cache=True, inline="always")
def _log_sum(values, count, top):
    """Log of the sum of exponentials of the first ``count`` values, ``top`` the largest of them."""
    if top <= REACHED:
        return FORBIDDEN
    total = 0.0
    for k in range(count):
        if values[k] > top - NEGLIGIBLE:
            total += np.exp(values[k] - top)
    return top + np.log(total)


@njit(cache=True, inline="always")
def _kind(strand, end, open_end, way):
    return segment_kind(strand, open_end, end) if way == FORWARD else segment_kind(strand, end, open_end)


@njit(**ALLOCATES_NOTHING)
def drop_dead(opened, held, position, end, bound, way):
    """Forget segments that a stop codon in frame or an N separates from a node."""
    start, count = opened.start[held], opened.count[held]
    if way == FORWARD:
        if bound <= opened.bound[held]:
            return
        # The stop codon or N lies behind the last node, so it separates all of the tail.
        opened.bound[held] = bound
        opened.total[held, :SEGMENT_TAILS] = FORBIDDEN
        opened.best[held, :SEGMENT_TAILS] = FORBIDDEN
        while start < count and not may_open(opened.position[held, start], opened.end[held, start], bound):
            start += 1
    else:
        if not may_open(position, end, opened.bound[held]):
            opened.bound[held] = NO_BOUND
            opened.total[held, :SEGMENT_TAILS] = FORBIDDEN
        while start < count and not may_open(position, end, opened.site_bound[held, start]):
            start += 1
    opened.start[held] = start


@njit(**ALLOCATES_NOTHING)
def _segments_to_tail(opened, held, strand, position, scores, way):
    """Move segments beyond the limit of the length table to the tail."""
    limit = scores.segment.shape[1] - 1
    start = opened.start[held]
    while start < opened.count[held] and way * (position - opened.position[held, start]) > limit:
        if way == BACKWARD and opened.site_bound[held, start] != opened.bound[held]:
            opened.bound[held] = opened.site_bound[held, start]
            opened.total[held, :SEGMENT_TAILS] = FORBIDDEN
        end = opened.end[held, start]
        for other in range(3):
            slot = 3 * end + other
            slope = scores.segment_slope[_kind(strand, other, end, way)]
            shift = way * slope * opened.position[held, start]
            opened.total[held, slot] = add_logs(opened.total[held, slot], opened.total[held, start] - shift)
            if opened.best[held, start] - shift > opened.best[held, slot]:
                opened.best[held, slot] = opened.best[held, start] - shift
                opened.code[held, slot] = opened.code[held, start]
        start += 1
    opened.start[held] = start


@njit(cache=True, inline="always")
def segment_edges(opened, held, strand, position, end, bound, scores, way, edges):
    """List the segments between a node and what is open in its frame.

    Args:
        held: list of open segments, ``3 * strand + frame``.
        end, bound: of the node's site.
        way: FORWARD where the node closes segments, BACKWARD where it opens them.

    Returns:
        The number of edges.
    """
    limit = scores.segment.shape[1] - 1
    first = opened.start[held]
    # A call copies all that describes what is open, so it is made only where it is needed.
    if way == FORWARD:
        dead = bound > opened.bound[held]
    else:
        dead = not may_open(position, end, opened.bound[held]) or (
            first < opened.count[held] and not may_open(position, end, opened.site_bound[held, first])
        )
    if dead:
        drop_dead(opened, held, position, end, bound, way)
        first = opened.start[held]
    if first < opened.count[held] and way * (position - opened.position[held, first]) > limit:
        _segments_to_tail(opened, held, strand, position, scores, way)
        first = opened.start[held]
    count = 0
    for entry in range(opened.count[held] - 1, first - 1, -1):
        length = way * (position - opened.position[held, entry])
        if length < MINIMUM_CDS_SEGMENT:
            continue
        edges.slot[count] = entry
        edges.score[count] = segment_length_score(scores, _kind(strand, end, opened.end[held, entry], way), length)
        count += 1
    for open_end in range(3):
        slot = 3 * open_end + end
        if max(opened.total[held, slot], opened.best[held, slot]) > REACHED:
            kind = _kind(strand, end, open_end, way)
            edges.slot[count] = slot
            edges.score[count] = scores.segment[kind, limit] + scores.segment_slope[kind] * (way * position - limit)
            count += 1
    return count


@njit(cache=True, inline="always")
def segments_reach(held, totals, bests, codes, edges, count):
    """Sum over the listed segments, the best of them, and the code of its other end; values are those of ``Open``."""
    best, code, top = FORBIDDEN, NO_CODE, FORBIDDEN
    for k in range(count):
        slot = edges.slot[k]
        value = bests[held, slot] + edges.score[k]
        if value > best:
            best, code = value, codes[held, slot]
        edges.values[k] = totals[held, slot] + edges.score[k]
        top = max(top, edges.values[k])
    return _log_sum(edges.values, count, top), best, code


@njit(cache=True, inline="always")
def open_segment(opened, held, position, end, bound, code, total, best):
    """A segment may go on from a node with this value, the node's site included."""
    entry = opened.count[held]
    opened.position[held, entry] = position
    opened.end[held, entry] = end
    opened.site_bound[held, entry] = bound
    opened.code[held, entry] = code
    opened.total[held, entry] = total
    opened.best[held, entry] = best
    opened.count[held] = entry + 1


@njit(**ALLOCATES_NOTHING)
def _introns_to_tail(opened, strand, sites, position, scores, way):
    """Move introns beyond the limit of the length table to the tail."""
    limit = scores.intron.size - 1
    start = opened.start[6 + strand]
    while start < opened.count[6 + strand] and way * (position - opened.intron_position[strand, start]) > limit:
        row = opened.intron_row[strand, start]
        shift = way * scores.intron_slope * opened.intron_position[strand, start]
        for t in range(3):
            if max(opened.intron_total[strand, start, t], opened.intron_best[strand, start, t]) <= REACHED:
                continue
            slot = CONTEXTS * intron_family(sites.variant[row]) + sites.context[row, t]
            opened.intron_tails[strand] |= 1 << slot
            opened.intron_total[strand, slot, t] = add_logs(
                opened.intron_total[strand, slot, t], opened.intron_total[strand, start, t] - shift
            )
            if opened.intron_best[strand, start, t] - shift > opened.intron_best[strand, slot, t]:
                opened.intron_best[strand, slot, t] = opened.intron_best[strand, start, t] - shift
                opened.intron_code[strand, slot, t] = opened.intron_code[strand, start, t]
        start += 1
    opened.start[6 + strand] = start


@njit(cache=True, inline="always")
def _split_codon(context, open_context, way):
    """Whether the codon that an intron splits is no stop codon: bases on the left by class, on the right as a set."""
    left, right = (open_context, context) if way == FORWARD else (context, open_context)
    return 1 - (right >> left & 1)


@njit(cache=True, inline="always")
def intron_edges(opened, strand, graph, r, way, edges):
    """List the introns between row ``r`` and what is open on its strand.

    Returns:
        Their number, and that of further edges behind them: an intron of a tail that evidence speaks for is there once
        more, with the part of its sum that evidence adds.
    """
    sites, scores = graph.sites, graph.scores
    position, variant = sites.position[r], sites.variant[r]
    context0, context1, context2 = sites.context[r, 0], sites.context[r, 1], sites.context[r, 2]
    first = opened.start[6 + strand]
    some = first < opened.count[6 + strand]
    if some and way * (position - opened.intron_position[strand, first]) > scores.intron.size - 1:
        _introns_to_tail(opened, strand, sites, position, scores, way)
    count = 0
    for entry in range(opened.count[6 + strand] - 1, opened.start[6 + strand] - 1, -1):
        length = way * (position - opened.intron_position[strand, entry])
        row = opened.intron_row[strand, entry]
        if length < scores.minimum_intron and variant != EDGE and sites.variant[row] != EDGE:
            continue
        if not variants_pair(variant, sites.variant[row]):
            continue
        edges.slot[count] = entry
        edges.score[count] = intron_length_score(scores, length)
        edges.frames[count] = (
            _split_codon(context0, sites.context[row, 0], way)
            | _split_codon(context1, sites.context[row, 1], way) << 1
            | _split_codon(context2, sites.context[row, 2], way) << 2
        )
        count += 1
    beyond = scores.intron[-1] + scores.intron_slope * (way * position - (scores.intron.size - 1))
    # Three classes of bases on the left of a split codon, sets of them on the right.
    contexts = 3 if way == FORWARD else CONTEXTS
    for family in range(3 if opened.intron_tails[strand] else 0):
        if family_pairs(family, variant):
            for context in range(contexts):
                slot = CONTEXTS * family + context
                if opened.intron_tails[strand] >> slot & 1:
                    edges.slot[count] = slot
                    edges.score[count] = beyond
                    edges.frames[count] = (
                        _split_codon(context0, context, way)
                        | _split_codon(context1, context, way) << 1
                        | _split_codon(context2, context, way) << 2
                    )
                    count += 1
    if graph.support.end.shape[1] == 0:
        return count, 0
    return count, _add_support(opened, strand, graph, r, way, edges, count)


@njit(**ALLOCATES_NOTHING)
def _add_support(opened, strand, graph, r, way, edges, count):
    """Raise the listed introns that evidence speaks for, and list those in a tail once more; returns their number."""
    sites, support = graph.sites, graph.support
    position, variant = sites.position[r], sites.variant[r]
    if variant == EDGE:
        return 0
    order, more = (0 if way == FORWARD else 1), 0
    column = first_supported(support, order, position, strand)
    while column < support.end.shape[1] and support.end[order, column] == 2 * position + strand:
        other, odds = support.other[order, column], support.odds[order, column]
        column += 1
        length = way * (position - other)
        entry = _opened_at(opened, strand, other, way)
        if entry < 0 or length < graph.scores.minimum_intron:
            continue
        row = opened.intron_row[strand, entry]
        if sites.variant[row] == EDGE or not variants_pair(variant, sites.variant[row]):
            continue
        if entry >= opened.start[6 + strand]:
            for k in range(count):
                if edges.slot[k] == entry:
                    edges.score[k] += gain(odds)
            continue
        frames = 0
        for t in range(3):
            frames |= _split_codon(sites.context[r, t], sites.context[row, t], way) << t
        edges.slot[count + more] = entry
        edges.score[count + more] = intron_length_score(graph.scores, length) + odds
        edges.more[count + more] = gain(-odds)
        edges.frames[count + more] = frames
        more += 1
    return more


@njit(cache=True, inline="always")
def _opened_at(opened, strand, position, way):
    """Entry of the intron list that was opened at a position, in a tail or not; -1 for none."""
    low, high = INTRON_TAILS, opened.count[6 + strand]
    while low < high:
        middle = (low + high) // 2
        if way * opened.intron_position[strand, middle] < way * position:
            low = middle + 1
        else:
            high = middle
    found = low < opened.count[6 + strand] and opened.intron_position[strand, low] == position
    return low if found else -1


@njit(cache=True, inline="always")
def introns_reach(strand, t, totals, bests, codes, edges, count, more):
    """The same for the listed introns of one ``t``, and the ``more`` further edges."""
    best, code, top, found = FORBIDDEN, NO_CODE, FORBIDDEN, 0
    for k in range(count):
        if edges.frames[k] >> t & 1:
            slot = edges.slot[k]
            value = bests[strand, slot, t] + edges.score[k]
            if value > best:
                best, code = value, codes[strand, slot, t]
            edges.values[found] = totals[strand, slot, t] + edges.score[k]
            top = max(top, edges.values[found])
            found += 1
    for k in range(count, count + more):
        if edges.frames[k] >> t & 1:
            slot = edges.slot[k]
            value = bests[strand, slot, t] + edges.score[k] + edges.more[k]
            if value > best:
                best, code = value, codes[strand, slot, t]
            edges.values[found] = totals[strand, slot, t] + edges.score[k]
            top = max(top, edges.values[found])
            found += 1
    return _log_sum(edges.values, found, top), best, code
