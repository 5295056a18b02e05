"""The gene grammar of both strands as one lattice, and its best path (Viterbi).

The path reads the contig from left to right through one non-coding state and the coding and intron states of genes on
either strand, so two genes never share a coding base and strand conflicts are settled by score.  Scores are relative
to the non-coding path: for a gene on one strand the other strand's probability of being non-coding cancels.

Hard rules, on each strand: ATG; a stop codon at the end and none in frame before it, also not across an intron; GT-AG
or GC-AG introns of at least ``minimum_intron`` bases; no CDS segment under three bases; no N in a CDS.  Untranslated
regions and intergenic sequence are one state here; :mod:`phytoscribe.decoding.untranslated` tells them apart later.

Every edge that must cover several bases at once (start codon, the first three bases of a CDS segment, the shortest
intron) is a jump: it lands on its last base and refers back to the score before its first one.  Thus one pass costs
constant time a base, and looks back at most ``minimum_intron`` bases.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from phytoscribe.decoding.settings import MINIMUM_CDS_SEGMENT

# Nodes of the lattice.  P_ is the plus strand, M_ the minus strand.  C0..C2: the base's codon position.
# Introns by phase; a split codon that may still turn into a stop codon has a node of its own, so that the check
# crosses the intron: P_I1T has seen T; P_I2TA has seen TA, P_I2TG has seen TG.  On the minus strand the codon is met
# from its 3' end: M_I1S has seen the last two bases of a stop codon, M_I2A and M_I2G its last base.
NON_CODING = 0
P_C0, P_C1, P_C2, P_STOP, P_I0, P_I1, P_I1T, P_I2, P_I2TA, P_I2TG = range(1, 11)
M_C0, M_C1, M_C2, M_START, M_I0, M_I1, M_I1S, M_I2, M_I2A, M_I2G = range(11, 21)
NODE_COUNT = 21

# Columns of the relative scores of one strand, see relative_scores().
CODING, FIRST, LAST, INTRON, START, STOP = 0, 3, 6, 9, 12, 13
COLUMN_COUNT = 14

A, C, G, T, N = range(5)
FORBIDDEN = -1e30
#: A path this far (natural log units) behind the non-coding one is given up.  No probability is under exp(-14), so it
#: would need some 350 bases of certain evidence to come back; without this an intron could be open through any gap.
GIVEN_UP = 5000.0
JUMP = MINIMUM_CDS_SEGMENT


@njit(cache=True, inline="always")
def _is_stop(first, second, third):
    return first == T and ((second == A and (third in (A, G))) or (second == G and third == A))


@njit(cache=True, inline="always")
def _is_stop_reversed(left, middle, right):
    return _is_stop(3 - right, 3 - middle, 3 - left) if max(left, middle, right) < N else False


@njit(cache=True, inline="always")
def _offer(best, back, row, node, score, origin):
    if score > best[row, node]:
        best[row, node] = score
        back[row, node] = origin


@njit(cache=True)
def _plus_row(u, bases, plus, best, back, minimum_intron, gene, intron):
    """Edges of the plus strand that land on row ``u``."""
    coding0, coding1, coding2 = plus[u, CODING], plus[u, CODING + 1], plus[u, CODING + 2]
    before = u - 1
    _offer(best, back, u, P_C0, best[before, P_C2] + coding0, P_C2)
    _offer(best, back, u, P_C1, best[before, P_C0] + coding1, P_C0)
    stop = u >= 2 and _is_stop(bases[u - 2], bases[u - 1], bases[u])
    if stop:
        _offer(best, back, u, P_STOP, best[before, P_C1] + plus[u, STOP], P_C1)
    else:
        _offer(best, back, u, P_C2, best[before, P_C1] + coding2, P_C1)
    for k in range(6):
        node = P_I0 + k
        phase = 0 if k == 0 else (1 if k < 3 else 2)
        _offer(best, back, u, node, best[before, node] + plus[u, INTRON + phase], node)
    first = u - JUMP + 1
    if first >= 1:
        b0, b1, b2 = bases[first], bases[first + 1], bases[u]
        origin = first - 1
        if b0 == A and b1 == T and b2 == G:
            score = plus[first, START] + plus[first + 1, CODING + 1] + coding2 + gene
            _offer(best, back, u, P_C2, best[origin, NON_CODING] + score, NON_CODING)
        if first >= 2 and bases[first - 2] == A and bases[first - 1] == G:
            score = plus[first, FIRST] + plus[first + 1, CODING + 1]
            if _is_stop(b0, b1, b2):
                _offer(best, back, u, P_STOP, best[origin, P_I0] + score + plus[u, STOP], P_I0)
            else:
                _offer(best, back, u, P_C2, best[origin, P_I0] + score + coding2, P_I0)
            score = plus[first, FIRST + 1] + plus[first + 1, CODING + 2] + coding0
            _offer(best, back, u, P_C0, best[origin, P_I1] + score, P_I1)
            if not _is_stop(T, b0, b1):
                _offer(best, back, u, P_C0, best[origin, P_I1T] + score, P_I1T)
            score = plus[first, FIRST + 2] + plus[first + 1, CODING] + coding1
            _offer(best, back, u, P_C1, best[origin, P_I2] + score, P_I2)
            if not _is_stop(T, A, b0):
                _offer(best, back, u, P_C1, best[origin, P_I2TA] + score, P_I2TA)
            if not _is_stop(T, G, b0):
                _offer(best, back, u, P_C1, best[origin, P_I2TG] + score, P_I2TG)
    first = u - minimum_intron + 1
    if first >= 2 and bases[first] == G and (bases[first + 1] == T or bases[first + 1] == C):
        origin = first - 1
        for position in range(3):
            start_score = best[origin, P_C0 + position]
            if start_score <= FORBIDDEN:
                continue
            phase = (position + 1) % 3
            score = start_score + plus[origin, LAST + position] - plus[origin, CODING + position] + intron
            for row in range(first, u + 1):
                score += plus[row, INTRON + phase]
            last = bases[origin]
            node = P_I0
            if phase == 1:
                node = P_I1T if last == T else P_I1
            elif phase == 2:
                node = P_I2
                if bases[origin - 1] == T and last == A:
                    node = P_I2TA
                elif bases[origin - 1] == T and last == G:
                    node = P_I2TG
            _offer(best, back, u, node, score, P_C0 + position)


@njit(cache=True)
def _minus_row(u, bases, minus, best, back, minimum_intron, gene, intron):
    """Edges of the minus strand that land on row ``u``; its genes are met from stop to start."""
    coding0, coding1, coding2 = minus[u, CODING], minus[u, CODING + 1], minus[u, CODING + 2]
    before = u - 1
    _offer(best, back, u, M_C2, best[before, M_C0] + coding2, M_C0)
    _offer(best, back, u, M_C1, best[before, M_C2] + coding1, M_C2)
    if u >= 2:
        if not _is_stop_reversed(bases[u - 2], bases[u - 1], bases[u]):
            _offer(best, back, u, M_C0, best[before, M_C1] + coding0, M_C1)
        if bases[u - 2] == C and bases[u - 1] == A and bases[u] == T:
            _offer(best, back, u, M_START, best[before, M_C1] + minus[u, START], M_C1)
    for k in range(6):
        node = M_I0 + k
        phase = 0 if k == 0 else (1 if k < 3 else 2)
        _offer(best, back, u, node, best[before, node] + minus[u, INTRON + phase], node)
    first = u - JUMP + 1
    if first >= 1:
        b0, b1, b2 = bases[first], bases[first + 1], bases[u]
        origin = first - 1
        if _is_stop_reversed(b0, b1, b2):
            score = minus[first, STOP] + minus[first + 1, CODING + 1] + coding0 + gene
            _offer(best, back, u, M_C0, best[origin, NON_CODING] + score, NON_CODING)
        if first >= 2 and bases[first - 1] == C and (bases[first - 2] == A or bases[first - 2] == G):
            score = minus[first, LAST + 2] + minus[first + 1, CODING + 1]
            if not _is_stop_reversed(b0, b1, b2):
                _offer(best, back, u, M_C0, best[origin, M_I0] + score + coding0, M_I0)
            if b0 == C and b1 == A and b2 == T:
                _offer(best, back, u, M_START, best[origin, M_I0] + score + minus[u, START], M_I0)
            score = minus[first, LAST] + minus[first + 1, CODING + 2] + coding1
            _offer(best, back, u, M_C1, best[origin, M_I1] + score, M_I1)
            if b0 != A:
                _offer(best, back, u, M_C1, best[origin, M_I1S] + score, M_I1S)
            score = minus[first, LAST + 1] + minus[first + 1, CODING] + coding2
            _offer(best, back, u, M_C2, best[origin, M_I2] + score, M_I2)
            if not (b1 == A and (b0 in (T, C))):
                _offer(best, back, u, M_C2, best[origin, M_I2A] + score, M_I2A)
            if not (b1 == A and b0 == T):
                _offer(best, back, u, M_C2, best[origin, M_I2G] + score, M_I2G)
    first = u - minimum_intron + 1
    if first >= 2 and bases[first] == C and bases[first + 1] == T:
        origin = first - 1
        for position in range(3):
            start_score = best[origin, M_C0 + position]
            if start_score <= FORBIDDEN:
                continue
            score = start_score + minus[origin, FIRST + position] - minus[origin, CODING + position] + intron
            for row in range(first, u + 1):
                score += minus[row, INTRON + position]
            last = bases[origin]
            node = M_I0
            if position == 1:
                earlier = bases[origin - 1]
                split_stop = (last == T and (earlier in (T, C))) or (last == C and earlier == T)
                node = M_I1S if split_stop else M_I1
            elif position == 2:
                node = M_I2A if last == T else (M_I2G if last == C else M_I2)
            _offer(best, back, u, node, score, M_C0 + position)


@njit(cache=True, nogil=True)
def advance(begin, end, bases, plus, minus, best, back, minimum_intron, gene, intron):
    """Fill rows ``begin..end`` of ``best`` and ``back``; rows before ``begin`` (at least one) are done.

    Args:
        bases: uint8, (rows,); plus, minus: float32, (rows, COLUMN_COUNT) relative scores, contig orientation.
        best: float64, (rows, NODE_COUNT) score of the best path that ends in each node at each base.
        back: uint8, (rows, NODE_COUNT) node that this path came from.
    """
    for u in range(begin, end):
        for node in range(NODE_COUNT):
            best[u, node] = FORBIDDEN
            back[u, node] = NON_CODING
        best[u, NON_CODING] = best[u - 1, NON_CODING]
        _offer(best, back, u, NON_CODING, best[u - 1, P_STOP], P_STOP)
        _offer(best, back, u, NON_CODING, best[u - 1, M_START], M_START)
        _plus_row(u, bases, plus, best, back, minimum_intron, gene, intron)
        _minus_row(u, bases, minus, best, back, minimum_intron, gene, intron)
        for node in range(1, NODE_COUNT):
            if best[u, node] < best[u, NON_CODING] - GIVEN_UP:
                best[u, node] = FORBIDDEN


@njit(cache=True, inline="always")
def _jump_length(node, origin, minimum_intron):
    """Bases that the edge ``origin`` -> ``node`` covers."""
    if node == NON_CODING:
        return 1
    node_intron = P_I0 <= node <= P_I2TG or M_I0 <= node <= M_I2G
    origin_intron = P_I0 <= origin <= P_I2TG or M_I0 <= origin <= M_I2G
    if node_intron:
        return 1 if origin_intron else minimum_intron
    return JUMP if origin_intron or origin == NON_CODING else 1


@njit(cache=True, nogil=True)
def settled_row(rows, best, back, minimum_intron):
    """Last row that every surviving path spends in NON_CODING, or -1: what lies before it cannot change any more.

    A later edge may start at any of the last ``minimum_intron + 3`` rows, so each node there ends a surviving path.
    The number of such paths through each node is summed up from right to left.
    """
    paths = np.zeros((rows, NODE_COUNT), np.int64)
    alive = 0
    for row in range(max(rows - minimum_intron - JUMP, 0), rows):
        for node in range(NODE_COUNT):
            if best[row, node] > FORBIDDEN:
                paths[row, node] = 1
                alive += 1
    for row in range(rows - 1, -1, -1):
        if paths[row, NON_CODING] == alive:
            return row
        for node in range(NODE_COUNT):
            if paths[row, node] > 0:
                origin = back[row, node]
                earlier = row - _jump_length(node, origin, minimum_intron)
                if earlier >= 0:
                    paths[earlier, origin] += paths[row, node]
    return -1


@njit(cache=True, nogil=True)
def trace(row, node, back, minimum_intron, path):
    """Write the nodes of the path that ends in ``node`` at ``row`` into ``path[0..row]``.

    Bases inside a jump get the node that they belong to: codon positions for CDS, the intron's node for introns.
    """
    at, here = row, node
    while at >= 0:
        origin = back[at, here]
        length = _jump_length(here, origin, minimum_intron)
        if length == JUMP and (P_C0 <= here <= P_STOP or M_C0 <= here <= M_START):
            for k in range(JUMP):
                path[at - k] = P_C0 if here <= P_STOP else M_C0
            path[at] = here
        else:
            for k in range(length):
                path[at - k] = here
        at -= length
        here = origin


def relative_scores(log_probabilities: npt.NDArray, bases: npt.NDArray[np.uint8], coding_score: float) -> npt.NDArray:
    """Scores of one strand relative to its non-coding states.

    Args:
        log_probabilities: (length, STATE_COUNT), natural log, contig orientation.
        bases: uint8 (length,).
        coding_score: added to each coding base.

    Returns:
        float32 (length, COLUMN_COUNT); coding columns are so low on N that no path takes them.
    """
    from phytoscribe.labels.states import NON_CODING_STATES, State

    values = np.asarray(log_probabilities, dtype=np.float32)
    non_coding = np.logaddexp.reduce(values[:, list(NON_CODING_STATES)], axis=1)
    order = [State.CODING0, State.CODING1, State.CODING2, State.FIRST0, State.FIRST1, State.FIRST2]
    order += [State.LAST0, State.LAST1, State.LAST2, State.INTRON0, State.INTRON1, State.INTRON2]
    order += [State.START, State.STOP]
    scores = values[:, order] - non_coding[:, None]
    coding_columns = [c for c in range(COLUMN_COUNT) if not INTRON <= c < START]
    scores[:, coding_columns] += np.float32(coding_score)
    scores[np.ix_(bases == N, coding_columns)] = -1e6
    return np.ascontiguousarray(scores)
