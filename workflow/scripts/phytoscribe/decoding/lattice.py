"""The lattice of gene structures over candidate sites: a semi-Markov conditional random field of both strands.

Nodes are candidate sites (:mod:`phytoscribe.decoding.grammar`) with the state of the reading frame, and one
non-coding path.  Edges are whole CDS segments and whole introns (:mod:`phytoscribe.decoding.edges`), with explicit
scores for their lengths, so the sums over all paths (forward-backward) give exact posterior probabilities of segments,
introns, codons and gene structures.  Scores are relative to the non-coding path; for a gene on one strand the other
strand's probability of being non-coding cancels.

One function reads the rows in either direction.  Read from right to left, what closes opens and what opens closes; the
numbers of the kinds of sites mirror each other, so nothing else changes.

Everything is in natural log units and float64.  See S. Sarawagi and W. Cohen, *Semi-Markov conditional random fields*,
NIPS 2004, and for gene finding C. Burge and S. Karlin, J. Mol. Biol. 268:78 (1997).
"""

from __future__ import annotations

import numpy as np

from phytoscribe.compiled import njit
from phytoscribe.decoding.edges import (
    REACHED,
    add_logs,
    drop_dead,
    intron_edges,
    introns_reach,
    new_edges,
    open_segment,
    segment_edges,
    segments_reach,
)
from phytoscribe.decoding.grammar import (
    BEGIN,
    CHECK,
    EDGE,
    END,
    FORBIDDEN,
    INTRON_BEGIN,
    INTRON_END,
    PLUS,
    Sites,
    end_of,
    segment_kind,
)
from phytoscribe.decoding.graph import (
    ALLOCATES_NOTHING,
    BACKWARD,
    FORWARD,
    INTRON_TAILS,
    NO_CODE,
    SEGMENT_TAILS,
    clear,
    new_open,
)

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
#: Edges with a smaller log posterior are not counted.
_UNLIKELY = -20.0

# What the forward pass stopped for.
MORE, COMPLETE, LONG = range(3)

assert (BEGIN - END, BEGIN - INTRON_BEGIN, BEGIN - CHECK) == (BEGIN, INTRON_END, CHECK), "kinds mirror each other"


@njit(**ALLOCATES_NOTHING)
def pending_score(opened, graph, r):
    """Best score of all that is open at the checks in rows ``r - 1`` (plus) and ``r`` (minus)."""
    sites, scores = graph.sites, graph.scores
    position = sites.position[r]
    top = FORBIDDEN
    for strand in range(2):
        check = r - 1 + strand
        for t in range(3):
            site, span = graph.site[check, t], graph.span[check, t]
            held = 3 * strand + (position - t) % 3
            drop_dead(opened, held, position, 0, sites.bound[check, t], FORWARD)
            for entry in range(opened.start[held], opened.count[held]):
                top = max(top, max(opened.total[held, entry], opened.best[held, entry]) + site)
            for opening in range(3):
                for closing in range(3):
                    slot = 3 * opening + closing
                    slope = scores.segment_slope[segment_kind(strand, opening, closing)] * position
                    top = max(top, max(opened.total[held, slot], opened.best[held, slot]) + slope + site)
            for entry in range(opened.start[6 + strand], opened.count[6 + strand]):
                top = max(top, max(opened.intron_total[strand, entry, t], opened.intron_best[strand, entry, t]) + span)
            for slot in range(INTRON_TAILS):
                score = max(opened.intron_total[strand, slot, t], opened.intron_best[strand, slot, t])
                top = max(top, score + scores.intron_slope * position + span)
    return top


@njit(cache=True, inline="always")
def _arrive(paths, r, t, total, best, code, way):
    """Sum and best of all paths to state ``t`` of row ``r``, and the node that the best one comes from."""
    paths.total[r, t] = total
    if way == FORWARD:
        paths.best[r, t] = best
        paths.back[r, t] = code


@njit(cache=True, inline="always")
def _close_segments(r, kind, graph, opened, edges, paths, mode, lengths):
    """Sum and best of the segments into row ``r``, its site included."""
    sites = graph.sites
    strand, variant, position = sites.strand[r], sites.variant[r], sites.position[r]
    for t in range(3):
        site = graph.site[r, t]
        if site <= FORBIDDEN:
            continue
        if kind == INTRON_BEGIN and variant == EDGE:
            _arrive(paths, r, t, opened.free[0] + site, opened.free[1] + site, opened.last[0], mode.way)
            continue
        held, end = 3 * strand + (position - t) % 3, end_of(kind, variant)
        count = segment_edges(opened, held, strand, position, end, sites.bound[r, t], graph.scores, mode.way, edges)
        total, best, code = segments_reach(held, opened.total, opened.best, opened.code, edges, count)
        if max(total, best) <= REACHED:
            continue
        _arrive(paths, r, t, total + site, best + site, code, mode.way)
        if mode.counted:
            here = lengths.before[r, t] + site - lengths.total
            for k in range(count):
                slot = edges.slot[k]
                log_posterior = here + opened.total[held, slot] + edges.score[k]
                if log_posterior > _UNLIKELY and slot >= SEGMENT_TAILS:
                    segment = segment_kind(strand, end, opened.end[held, slot])
                    lengths.segment[segment, opened.position[held, slot] - position] += np.exp(log_posterior)


@njit(cache=True, inline="always")
def _close_introns(r, graph, opened, edges, paths, mode, lengths):
    """Sum and best of the introns into row ``r``."""
    strand = graph.sites.strand[r]
    count, more = intron_edges(opened, strand, graph, r, mode.way, edges)
    for t in range(3):
        if graph.site[r, t] <= FORBIDDEN:
            continue
        span = graph.span[r, t]
        total, best, code = introns_reach(
            strand, t, opened.intron_total, opened.intron_best, opened.intron_code, edges, count, more
        )
        if max(total, best) <= REACHED:
            continue
        _arrive(paths, r, t, total + span, best + span, code, mode.way)
        if mode.counted:
            here = lengths.before[r, t] + span - lengths.total
            for k in range(count):
                slot = edges.slot[k]
                log_posterior = here + opened.intron_total[strand, slot, t] + edges.score[k]
                if log_posterior > _UNLIKELY and slot >= INTRON_TAILS and edges.frames[k] >> t & 1:
                    length = opened.intron_position[strand, slot] - graph.sites.position[r]
                    lengths.intron[length] += np.exp(log_posterior)


@njit(cache=True, inline="always")
def _open_intron(r, graph, opened, paths, way):
    """Introns may go on from row ``r``."""
    strand = graph.sites.strand[r]
    reached = False
    entry = opened.count[6 + strand]
    for t in range(3):
        best = paths.best[r, t] if way == FORWARD else FORBIDDEN
        reached |= max(paths.total[r, t], best) > REACHED
        opened.intron_total[strand, entry, t] = paths.total[r, t] + graph.span[r, t]
        opened.intron_best[strand, entry, t] = best + graph.span[r, t]
        opened.intron_code[strand, entry, t] = 3 * r + t
    if reached:
        opened.intron_position[strand, entry] = graph.sites.position[r]
        opened.intron_row[strand, entry] = r
        opened.count[6 + strand] = entry + 1


@njit(cache=True, inline="always")
def _open_segments(r, kind, graph, opened, paths, way):
    """Segments may go on from row ``r``."""
    sites = graph.sites
    strand, position = sites.strand[r], sites.position[r]
    end = end_of(kind, sites.variant[r])
    for t in range(3):
        site = graph.site[r, t]
        best = paths.best[r, t] if way == FORWARD else FORBIDDEN
        if max(paths.total[r, t], best) > REACHED and site > FORBIDDEN:
            held = 3 * strand + (position - t) % 3
            open_segment(
                opened, held, position, end, sites.bound[r, t], 3 * r + t, paths.total[r, t] + site, best + site
            )


@njit(cache=True, inline="always")
def _begin_gene(r, graph, opened, paths, way):
    """A gene may begin at row ``r`` of the non-coding path."""
    for t in range(3):
        if graph.site[r, t] > FORBIDDEN:
            _arrive(paths, r, t, opened.free[0], opened.free[1], opened.last[0], way)


@njit(cache=True, inline="always")
def _finish_gene(r, graph, opened, paths, way):
    """A gene ends at row ``r``: the non-coding path goes on from there too."""
    # An intron that the contig's end cuts has no segment beyond it that would add the site.
    cut = graph.sites.variant[r] == EDGE and graph.sites.kind[r] in (INTRON_BEGIN, INTRON_END)
    for t in range(3):
        site = graph.site[r, t] if cut else 0.0
        if paths.total[r, t] > REACHED:
            opened.free[0] = add_logs(opened.free[0], paths.total[r, t] + site)
        if way == FORWARD and paths.best[r, t] > REACHED and paths.best[r, t] + site > opened.free[1]:
            opened.free[1] = paths.best[r, t] + site
            opened.last[0] = 3 * r + t
    if way == FORWARD:
        paths.free[r] = max(opened.free[0], opened.free[1])


@njit(**ALLOCATES_NOTHING)
def _read(first, last, block, graph, opened, paths, mode, lengths, edges):
    """:func:`read` with room for the edges into one node."""
    sites, way = graph.sites, mode.way
    for r in range(first, last) if way == FORWARD else range(last - 1, first - 1, -1):
        kind = sites.kind[r] if way == FORWARD else BEGIN - sites.kind[r]
        paths.total[r] = FORBIDDEN
        paths.free[r] = max(opened.free[0], opened.free[1])
        if way == FORWARD:
            paths.best[r] = FORBIDDEN
            paths.back[r] = NO_CODE
        if kind == CHECK:
            if way == BACKWARD or sites.strand[r] == PLUS or mode.threshold == np.inf:
                continue
            ahead = pending_score(opened, graph, r) - max(opened.free[0], opened.free[1])
            paths.best[r, 0] = ahead
            if ahead < -mode.threshold:
                if opened.last[0] >= 0:
                    return r + 1, block, COMPLETE
                clear(opened, sites.position[r])
                block = r + 1
            elif sites.position[r] - opened.extent[0] >= opened.extent[1]:
                return r + 1, block, LONG
        elif kind in (INTRON_BEGIN, END):
            _close_segments(r, kind, graph, opened, edges, paths, mode, lengths)
            if kind == END:
                _finish_gene(r, graph, opened, paths, way)
            else:
                _open_intron(r, graph, opened, paths, way)
        elif kind == INTRON_END:
            _close_introns(r, graph, opened, edges, paths, mode, lengths)
            if sites.variant[r] == EDGE:
                _finish_gene(r, graph, opened, paths, way)
            else:
                _open_segments(r, kind, graph, opened, paths, way)
        elif mode.begins:
            _begin_gene(r, graph, opened, paths, way)
            _open_segments(r, kind, graph, opened, paths, way)
    return last, block, MORE


@njit(cache=True, nogil=True)
def read(first, last, block, graph, opened, paths, mode, lengths):
    """Read rows ``first..last-1``; forwards, stop behind a check where a block is complete or has grown long.

    Args:
        block: first row of the block that row ``first`` belongs to.
        opened: state between calls.
        paths: filled; read backwards, only ``total`` and ``free``.
        lengths: filled if the mode counts them.

    Returns:
        ``(next row, first row of the block, status)``: COMPLETE where a block with genes on its best path is complete,
        rows ``block..next - 1``, and ``opened`` holds its end for the caller to clear; LONG where it has grown long;
        else MORE.  Checks in ``paths.best`` hold how far what is open is behind the non-coding path.
    """
    edges = new_edges(opened.position.shape[1] + opened.intron_position.shape[1])
    return _read(first, last, block, graph, opened, paths, mode, lengths, edges)


@njit(cache=True, nogil=True)
def _most_open(first, last, sites):
    counts = np.zeros((2, 2, 2), np.int64)
    for r in range(first, last):
        kind = sites.kind[r]
        if kind != CHECK:
            # Read forwards (0) BEGIN and INTRON_END open segments, backwards (1) END and INTRON_BEGIN.
            segments, introns = (0, 1) if kind in (BEGIN, INTRON_END) else (1, 0)
            counts[segments, 0, sites.strand[r]] += 1
            if kind in (INTRON_BEGIN, INTRON_END):
                counts[introns, 1, sites.strand[r]] += 1
    return counts[0].max(), counts[1].max()


def most_open(sites: Sites) -> int:
    """Entries that the longest list of :class:`Open` may need for these rows: each row adds one at most to a list."""
    return int(_most_open(0, sites.size, sites)[0])


@njit(cache=True, nogil=True)
def backward(first, last, graph, paths, mode, lengths):
    """Sums over all ways to go on from every node of the block of rows ``first..last-1``.

    Args:
        paths: ``total`` is filled (for an opening site its segment and all after it, for a closing site all after it),
            and ``free`` with all that may come right of the row on the non-coding path.
        mode: reads backwards.

    Returns:
        The log sum over all paths of the block.
    """
    opened = new_open(_most_open(first, last, graph.sites)[1] + 1, 0)
    read(first, last, first, graph, opened, paths, mode, lengths)
    return opened.free[0]
