"""Candidate sites of both strands, with all that their scores are made of.

The gene grammar reads a contig from left to right.  A CDS segment of either strand opens at a site and closes at one;
between a closing and an opening site of one gene lies an intron.  Positions are cuts between bases: cut ``x`` lies
left of base ``x``.

====================  ==========================  ==========================
kind                  plus strand                 minus strand
====================  ==========================  ==========================
``BEGIN`` (opens)     start codon begins          stop codon ends
``INTRON_END`` (")    acceptor                    donor
``INTRON_BEGIN``      donor                       acceptor
``END`` (closes)      stop codon ends             start codon begins
====================  ==========================  ==========================

``t`` (0, 1, 2) is the number of bases left of an intron that belong to the codon which the intron splits; a segment
that opens at ``p`` or closes at ``p`` with ``t`` has its codons at positions congruent to ``p - t`` modulo 3, on both
strands.  ``BEGIN`` and ``END`` have ``t = 0``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from phytoscribe.labels.states import NON_CODING_STATES, State

END, INTRON_BEGIN, CHECK, INTRON_END, BEGIN = range(5)
#: NORMAL is GT-AG; AT_AC pairs with its like only; EDGE stands for the end of the contig (setting ``partial``).
NORMAL, GC, AT_AC, EDGE = range(4)
PLUS, MINUS = range(2)
A, C, G, T, N = range(5)

#: Distance of the places where the lattice asks whether all that is still open can be given up.
CHECK_DISTANCE = 256
#: Most rows that one cut can give: every kind on both strands, and two rows of a check.
ROWS_PER_CUT = 10
#: Bases that must be known on either side of a cut.
CONTEXT = 3
FORBIDDEN = -1e30
#: A probability this far (log) below another adds nothing to it in single precision.
NEGLIGIBLE = np.float32(-16.0)
#: Log probabilities of sites are not told apart above this one.
SUREST = np.float32(-1e-4)

# Columns of Rows.features.  PREFIX columns are sums over all bases of the contig before the row's position; for a site
# that opens or closes a segment the coding prefixes leave out the segment's outermost base, which the site scores.
ODDS = 0
CODING_FRAME = 3
CODING_TOTAL = 6
INTRON_PHASE = 7
INTRON_TOTAL = 10
FEATURE_COUNT = 11

_CODING0, _INTRON0, _FIRST0, _LAST0 = int(State.CODING0), int(State.INTRON0), int(State.FIRST0), int(State.LAST0)
_START, _STOP = int(State.START), int(State.STOP)
assert tuple(NON_CODING_STATES) == (0, 1, 2, 3, 4), "the scan sums over the first five columns"
_NON_CODING_COUNT = 5


class Rows(NamedTuple):
    """Candidate sites in order of position; closing sites come before opening ones.

    Attributes:
        position: int64 (n,), cut.
        kind, strand, variant: int8 (n,).
        bound: int64 (n, 3) by ``t``, closing sites and checks: a segment that ends here must open after this position
            (a ``BEGIN`` of the minus strand may open at it), or there is a stop codon in frame or an N in it.
        context: int8 (n, 3) by ``t``: for closing sites the class of the split codon's bases on the left, for opening
            ones the set of classes (one bit each) that would complete a stop codon.
        features: float64 (n, FEATURE_COUNT): log odds of the site by ``t`` and prefix sums by ``t``.
    """

    position: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int8]
    strand: npt.NDArray[np.int8]
    variant: npt.NDArray[np.int8]
    bound: npt.NDArray[np.int64]
    context: npt.NDArray[np.int8]
    features: npt.NDArray[np.float64]

    @classmethod
    def empty(cls, count: int) -> Rows:
        return cls(
            np.empty(count, np.int64),
            np.empty(count, np.int8),
            np.empty(count, np.int8),
            np.empty(count, np.int8),
            np.empty((count, 3), np.int64),
            np.empty((count, 3), np.int8),
            np.empty((count, FEATURE_COUNT)),
        )

    def part(self, first: int, last: int) -> Rows:
        return Rows(*(array[first:last].copy() for array in self))


def join(parts: list[Rows]) -> Rows:
    """Rows one after the other."""
    return parts[0] if len(parts) == 1 else Rows(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


@njit(cache=True, inline="always")
def is_stop(first, second, third):
    return first == T and ((second == A and (third in (A, G))) or (second == G and third == A))


@njit(cache=True, inline="always")
def is_stop_reversed(left, middle, right):
    """The three bases are the reverse complement of a stop codon."""
    return right == A and ((middle == T and (left in (T, C))) or (middle == C and left == T))


@njit(cache=True)
def _left_class(strand, t, bases, x):
    """Class of the ``t`` bases before cut ``x``: 0 where no base on the right can make a stop codon of them."""
    one = bases[x - 1]
    two = bases[x - 2]
    if strand == PLUS:
        if t == 1:
            return 1 if one == T else 0
        if t == 2 and two == T:
            return 1 if one == A else (2 if one == G else 0)
        return 0
    if t == 1:
        return 1 if one == T else (2 if one == C else 0)
    if t == 2:
        return 1 if (one == T and (two in (T, C))) or (one == C and two == T) else 0
    return 0


@njit(cache=True)
def _stop_classes(strand, t, bases, x):
    """Classes on the left (bits) with which the bases after cut ``x`` would complete a stop codon."""
    b0 = bases[x]
    b1 = bases[x + 1]
    mask = 0
    if strand == PLUS:
        if t == 1 and is_stop(T, b0, b1):
            mask |= 2
        if t == 2:
            mask |= (2 if b0 in (A, G) else 0) | (4 if b0 == A else 0)
        return mask
    if t == 1:
        mask |= (2 if is_stop_reversed(T, b0, b1) else 0) | (4 if is_stop_reversed(C, b0, b1) else 0)
    if t == 2 and b0 == A:
        mask |= 2
    return mask


@njit(cache=True, inline="always")
def log_odds(log_probability):
    """Log odds of a site against all else that its base may be."""
    bounded = min(log_probability, SUREST)
    return bounded - np.log(-np.expm1(bounded))


@njit(cache=True, inline="always")
def _log_sum3(table, row, column):
    a, b, c = table[row, column], table[row, column + 1], table[row, column + 2]
    top = max(a, b, c)
    # One of the three is the largest; what is far below it adds nothing in single precision.
    total = np.float32(0.0)
    for k in range(3):
        difference = table[row, column + k] - top
        if difference > NEGLIGIBLE:
            total += np.exp(difference)
    return top + np.log(total)


@njit(cache=True, inline="always")
def _log_non_coding(table, row):
    """Log probability of all non-coding states together; in doubt-free sequence that of one of them."""
    top = max(table[row, 0], table[row, 1], table[row, 2], table[row, 3], table[row, 4])
    total = np.float32(0.0)
    for column in range(_NON_CODING_COUNT):
        difference = table[row, column] - top
        if difference > NEGLIGIBLE:
            total += np.exp(difference)
    return top + np.log(total)


@njit(cache=True)
def _site_column(strand, kind, index):
    """First state of a site and the step to the state of codon position ``index`` (of the contig's left-to-right)."""
    if kind == BEGIN:
        return _START if strand == PLUS else _STOP
    if kind == END:
        return _STOP if strand == PLUS else _START
    position = index if strand == PLUS else 2 - index
    last = (kind == INTRON_BEGIN) == (strand == PLUS)
    return (_LAST0 if last else _FIRST0) + position


@njit(cache=True)
def _emit(rows, n, kind, strand, variant, x, absolute, table, base_row, bases, cutoff, keep, bounds, coding, intron):
    """Write a site row if its probability reaches the cut-off; returns the new number of rows.

    ``base_row`` is the outermost base of the segment; ``coding`` and ``intron`` are the (8,) prefix sums to store of
    either.
    """
    opens = kind in (BEGIN, INTRON_END)
    whole = kind in (BEGIN, END)
    top = np.float32(FORBIDDEN)
    for t in range(1 if whole else 3):
        index = t if opens else (t + 2) % 3
        top = max(top, table[base_row, _site_column(strand, kind, index)])
    if top < cutoff and not keep:
        return n
    rows.position[n] = absolute
    rows.kind[n] = kind
    rows.strand[n] = strand
    rows.variant[n] = variant
    for t in range(3):
        frame = (absolute - t) % 3
        rows.bound[n, t] = bounds[frame]
        if whole and t > 0:
            rows.features[n, ODDS + t] = FORBIDDEN
            rows.context[n, t] = 0
        else:
            index = t if opens else (t + 2) % 3
            rows.features[n, ODDS + t] = log_odds(table[base_row, _site_column(strand, kind, index)])
            if opens:
                rows.context[n, t] = _stop_classes(strand, t, bases, x)
            else:
                rows.context[n, t] = _left_class(strand, t, bases, x)
        rows.features[n, CODING_FRAME + t] = coding[frame]
        rows.features[n, INTRON_PHASE + t] = intron[4 + t]
    rows.features[n, CODING_TOTAL] = coding[3]
    rows.features[n, INTRON_TOTAL] = intron[7]
    return n + 1


@njit(cache=True)
def _add_base(strand, absolute, table, row, here, after):
    """Prefix sums behind one more base."""
    lognc = _log_non_coding(table, row)
    coding = _log_sum3(table, row, _CODING0)
    intron = _log_sum3(table, row, _INTRON0)
    for k in range(3):
        index = (absolute + 3 - k) % 3
        position = index if strand == PLUS else 2 - index
        after[k] = here[k] + (table[row, _CODING0 + position] - coding)
        phase = k if strand == PLUS else (3 - k) % 3
        after[4 + k] = here[4 + k] + (table[row, _INTRON0 + phase] - intron)
    after[3] = here[3] + (coding - lognc)
    after[7] = here[7] + (intron - lognc)


@njit(cache=True, nogil=True)
def scan(first, last, absolute, bases, plus, minus, cutoff, at_ac, keep, prefixes, bounds, rows):
    """Candidate sites at the cuts ``first..last-1`` of a piece.

    Args:
        first, last: rows of the arrays; ``CONTEXT`` rows on each side exist, with base N past the contig's ends.
        absolute: contig position of row ``first``.
        bases: uint8 (rows,); plus, minus: float32 (rows, STATE_COUNT) log probabilities, contig orientation.
        cutoff: least log probability of a site.
        at_ac: whether AT-AC introns are candidates.
        keep: uint8 (rows,), sites at cuts where it is not 0 are kept whatever their probability; or of size 0.
        prefixes: float64 (2 strands, 2, 8), prefix sums at the cut before the first one and at the first one: coding by
            frame, coding total, intron by ``t``, intron total; overwritten with those for the next piece.
        bounds: int64 (2, 3) by strand and frame, see Rows.bound; overwritten likewise.
        rows: room for ``ROWS_PER_CUT`` rows a cut.

    Returns:
        Number of rows written.
    """
    n = 0
    after_plus, after_minus = np.empty(8), np.empty(8)
    for x in range(first, last):
        position = absolute + x - first
        kept = keep.size > 0 and keep[x] != 0
        l3, l2, l1 = bases[x - 3], bases[x - 2], bases[x - 1]
        r0, r1, r2 = bases[x], bases[x + 1], bases[x + 2]
        before_plus, before_minus = prefixes[PLUS, 0], prefixes[MINUS, 0]
        here_plus, here_minus = prefixes[PLUS, 1], prefixes[MINUS, 1]
        # A stop codon may end its own segment, so its END goes before the bound moves up to it.
        if is_stop(l3, l2, l1):
            n = _emit(
                rows,
                n,
                END,
                PLUS,
                NORMAL,
                x,
                position,
                plus,
                x - 1,
                bases,
                cutoff,
                kept,
                bounds[PLUS],
                before_plus,
                here_plus,
            )
            bounds[PLUS, (position - 3) % 3] = max(position - 3, bounds[PLUS, (position - 3) % 3])
        if is_stop_reversed(l3, l2, l1):
            bounds[MINUS, (position - 3) % 3] = max(position - 3, bounds[MINUS, (position - 3) % 3])
        if l1 > T:
            bounds[:] = position - 1
        if l3 == C and l2 == A and l1 == T:
            n = _emit(
                rows,
                n,
                END,
                MINUS,
                NORMAL,
                x,
                position,
                minus,
                x - 1,
                bases,
                cutoff,
                kept,
                bounds[MINUS],
                before_minus,
                here_minus,
            )
        variant = _donor_variant(r0, r1, at_ac)
        if variant >= 0 and l1 <= T:
            n = _emit(
                rows,
                n,
                INTRON_BEGIN,
                PLUS,
                variant,
                x,
                position,
                plus,
                x - 1,
                bases,
                cutoff,
                kept,
                bounds[PLUS],
                before_plus,
                here_plus,
            )
        variant = _acceptor_variant(3 - r1, 3 - r0, at_ac) if r0 <= T and r1 <= T else -1
        if variant >= 0 and l1 <= T:
            n = _emit(
                rows,
                n,
                INTRON_BEGIN,
                MINUS,
                variant,
                x,
                position,
                minus,
                x - 1,
                bases,
                cutoff,
                kept,
                bounds[MINUS],
                before_minus,
                here_minus,
            )
        if position % CHECK_DISTANCE == 0:
            for strand in range(2):
                n = write_plain_row(rows, n, CHECK, strand, position, prefixes[strand, 1], bounds[strand])
        _add_base(PLUS, position, plus, x, here_plus, after_plus)
        _add_base(MINUS, position, minus, x, here_minus, after_minus)
        variant = _acceptor_variant(l2, l1, at_ac)
        if variant >= 0 and r0 <= T:
            n = _emit(
                rows,
                n,
                INTRON_END,
                PLUS,
                variant,
                x,
                position,
                plus,
                x,
                bases,
                cutoff,
                kept,
                bounds[PLUS],
                after_plus,
                here_plus,
            )
        variant = _donor_variant(3 - l1, 3 - l2, at_ac) if l1 <= T and l2 <= T else -1
        if variant >= 0 and r0 <= T:
            n = _emit(
                rows,
                n,
                INTRON_END,
                MINUS,
                variant,
                x,
                position,
                minus,
                x,
                bases,
                cutoff,
                kept,
                bounds[MINUS],
                after_minus,
                here_minus,
            )
        if r0 == A and r1 == T and r2 == G:
            n = _emit(
                rows,
                n,
                BEGIN,
                PLUS,
                NORMAL,
                x,
                position,
                plus,
                x,
                bases,
                cutoff,
                kept,
                bounds[PLUS],
                after_plus,
                here_plus,
            )
        if is_stop_reversed(r0, r1, r2):
            n = _emit(
                rows,
                n,
                BEGIN,
                MINUS,
                NORMAL,
                x,
                position,
                minus,
                x,
                bases,
                cutoff,
                kept,
                bounds[MINUS],
                after_minus,
                here_minus,
            )
        for k in range(8):
            prefixes[PLUS, 0, k], prefixes[MINUS, 0, k] = prefixes[PLUS, 1, k], prefixes[MINUS, 1, k]
            prefixes[PLUS, 1, k], prefixes[MINUS, 1, k] = after_plus[k], after_minus[k]
    return n


@njit(cache=True, inline="always")
def _donor_variant(first, second, at_ac):
    if first == G and second == T:
        return NORMAL
    if first == G and second == C:
        return GC
    return AT_AC if at_ac and first == A and second == T else -1


@njit(cache=True, inline="always")
def _acceptor_variant(last_but_one, last, at_ac):
    if last_but_one == A and last == G:
        return NORMAL
    return AT_AC if at_ac and last_but_one == A and last == C else -1


@njit(cache=True)
def write_plain_row(rows, n, kind, strand, position, prefix, bounds):
    """A row without a site of its own: a check, or the contig's end.  All ``t`` are open to it."""
    rows.position[n] = position
    rows.kind[n] = kind
    rows.strand[n] = strand
    rows.variant[n] = EDGE
    for t in range(3):
        frame = (position - t) % 3
        rows.bound[n, t] = bounds[frame]
        rows.context[n, t] = 0
        rows.features[n, ODDS + t] = 0.0
        rows.features[n, CODING_FRAME + t] = prefix[frame]
        rows.features[n, INTRON_PHASE + t] = prefix[4 + t]
    rows.features[n, CODING_TOTAL] = prefix[3]
    rows.features[n, INTRON_TOTAL] = prefix[7]
    return n + 1


def edge_rows(
    kinds: tuple[int, ...],
    position: int,
    prefixes: npt.NDArray[np.float64],
    bounds: npt.NDArray[np.int64],
    wanted: bool,
) -> Rows:
    """Rows for genes that an end of the contig cuts, one for each kind and strand; none if they are not wanted.

    Args:
        position: 0 or the contig's length.
        prefixes: (2, 8) by strand, see :func:`scan`; bounds: (2, 3) by strand and frame.
    """
    rows = Rows.empty(2 * len(kinds) if wanted else 0)
    count = 0
    for kind in kinds if wanted else ():
        for strand in (PLUS, MINUS):
            count = write_plain_row(rows, count, kind, strand, position, prefixes[strand], bounds[strand])
    return rows
