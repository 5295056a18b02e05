"""Search for candidate sites, base by base."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from phytoscribe.compiled import njit
from phytoscribe.decoding.grammar import (
    AT_AC,
    BEGIN,
    CHECK,
    EDGE,
    END,
    FORBIDDEN,
    GC,
    INTRON_BEGIN,
    INTRON_END,
    MINUS,
    NORMAL,
    PLUS,
    SUREST,
    A,
    C,
    G,
    T,
    is_stop,
    is_stop_reversed,
    left_class,
    stop_classes,
)
from phytoscribe.labels.states import NON_CODING_STATES, State

#: Distance of the places where the lattice asks whether all that is still open can be given up.
CHECK_DISTANCE = 256
#: Most rows that one cut can give: every kind on both strands, and two rows of a check.
ROWS_PER_CUT = 10
#: Bases that must be known on either side of a cut.
CONTEXT = 3
#: A probability this far (log) below another adds nothing to it in single precision.
NEGLIGIBLE = np.float32(-16.0)

_CODING0, _INTRON0, _FIRST0, _LAST0 = int(State.CODING0), int(State.INTRON0), int(State.FIRST0), int(State.LAST0)
_START, _STOP = int(State.START), int(State.STOP)
assert tuple(NON_CODING_STATES) == (0, 1, 2, 3, 4), "the scan sums over the first five columns"
_NON_CODING_COUNT = 5
#: Each base's part in the sums is a multiple of this, so no addition of them rounds on contigs of up to eight Gb: sums
#: are the same wherever the stretches begin that they were added up in.  Half-precision input is less exact.
_QUANTUM = 2.0**-16
# Sums over the bases before the cut before, this cut, and the next one.
BEFORE, HERE, _AFTER = range(3)
_NO_SITE = -1


class Cut(NamedTuple):
    """A place between two bases.

    Attributes:
        row: of the base right of it, in the arrays of a piece.
        position: the same in the contig.
        cutoff: least log probability of a splice site.
        codon_cutoff: the same of a start or stop codon.
    """

    row: int
    position: int
    cutoff: float
    codon_cutoff: float


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
    """Log probability of all non-coding states together."""
    top = max(table[row, 0], table[row, 1], table[row, 2], table[row, 3], table[row, 4])
    total = np.float32(0.0)
    for column in range(_NON_CODING_COUNT):
        difference = table[row, column] - top
        if difference > NEGLIGIBLE:
            total += np.exp(difference)
    return top + np.log(total)


@njit(cache=True, inline="always")
def _rounded(score):
    """The nearest multiple of the quantum, float64."""
    return np.rint(np.float64(score) / _QUANTUM) * _QUANTUM


@njit(cache=True)
def _add_base(strand, absolute, table, row, sums):
    """Sums behind one more base."""
    non_coding = _log_non_coding(table, row)
    coding = _log_sum3(table, row, _CODING0)
    intron = _log_sum3(table, row, _INTRON0)
    for k in range(3):
        index = (absolute + 3 - k) % 3
        position = index if strand == PLUS else 2 - index
        sums[strand, _AFTER, k] = sums[strand, HERE, k] + _rounded(table[row, _CODING0 + position] - coding)
        phase = k if strand == PLUS else (3 - k) % 3
        sums[strand, _AFTER, 4 + k] = sums[strand, HERE, 4 + k] + _rounded(table[row, _INTRON0 + phase] - intron)
    sums[strand, _AFTER, 3] = sums[strand, HERE, 3] + _rounded(coding - non_coding)
    sums[strand, _AFTER, 7] = sums[strand, HERE, 7] + _rounded(intron - non_coding)


@njit(cache=True)
def _site_column(strand, kind, index):
    """State of a site; for splice sites that of codon position ``index`` (of the contig's left-to-right)."""
    if kind == BEGIN:
        return _START if strand == PLUS else _STOP
    if kind == END:
        return _STOP if strand == PLUS else _START
    position = index if strand == PLUS else 2 - index
    last = (kind == INTRON_BEGIN) == (strand == PLUS)
    return (_LAST0 if last else _FIRST0) + position


@njit(cache=True, inline="always")
def _write_place(sites, n, kind, strand, variant, position):
    """What row ``n`` is, and where."""
    sites.position[n] = position
    sites.kind[n] = kind
    sites.strand[n] = strand
    sites.variant[n] = variant


@njit(cache=True)
def _emit(sites, n, what, cut, bases, tables, sums, bounds):
    """Write a site, ``(kind, strand, variant)``, if its probability reaches the cut-off; returns the number of rows."""
    kind, strand, variant = what
    opens = kind in (BEGIN, INTRON_END)
    whole = kind in (BEGIN, END)
    # The segment's outermost base, which the site scores.
    row = cut.row if opens else cut.row - 1
    top = np.float32(FORBIDDEN)
    for t in range(1 if whole else 3):
        index = t if opens else (t + 2) % 3
        top = max(top, tables[strand, row, _site_column(strand, kind, index)])
    if top < (cut.codon_cutoff if whole else cut.cutoff):
        return n
    _write_place(sites, n, kind, strand, variant, cut.position)
    _write_sums(sites, n, sums[strand, _AFTER if opens else BEFORE], sums[strand, HERE], bounds[strand])
    for t in range(3):
        if whole and t > 0:
            sites.odds[n, t] = FORBIDDEN
            sites.context[n, t] = 0
            continue
        index = t if opens else (t + 2) % 3
        sites.odds[n, t] = log_odds(tables[strand, row, _site_column(strand, kind, index)])
        if opens:
            sites.context[n, t] = stop_classes(strand, t, bases, cut.row)
        else:
            sites.context[n, t] = left_class(strand, t, bases, cut.row)
    return n + 1


@njit(cache=True, inline="always")
def _write_sums(sites, n, coding, intron, bounds):
    """Sums over the bases before a row, and its bounds."""
    position = sites.position[n]
    for t in range(3):
        frame = (position - t) % 3
        sites.bound[n, t] = bounds[frame]
        sites.coding_frame[n, t] = coding[frame]
        sites.intron_phase[n, t] = intron[4 + t]
    sites.coding_total[n] = coding[3]
    sites.intron_total[n] = intron[7]


@njit(cache=True)
def write_plain_row(sites, n, kind, strand, position, sums, bounds):
    """A row without a site of its own: a check, or the contig's end.  All ``t`` are open to it."""
    _write_place(sites, n, kind, strand, EDGE, position)
    _write_sums(sites, n, sums, sums, bounds)
    for t in range(3):
        sites.context[n, t] = 0
        sites.odds[n, t] = 0.0
    return n + 1


@njit(cache=True, inline="always")
def _donor_variant(first, second, at_ac):
    if first == G and second == T:
        return NORMAL
    if first == G and second == C:
        return GC
    return AT_AC if at_ac and first == A and second == T else _NO_SITE


@njit(cache=True, inline="always")
def _acceptor_variant(last_but_one, last, at_ac):
    if last_but_one == A and last == G:
        return NORMAL
    return AT_AC if at_ac and last_but_one == A and last == C else _NO_SITE


@njit(cache=True, nogil=True)
def begin_sums(tables, row, position, sums):
    """Sums, all 0 before, for a first cut inside a contig: 0 there, and the base left of it taken off before.

    Args:
        row, position: of the base right of the cut.
    """
    for strand in range(2):
        _add_base(strand, position - 1, tables[strand], row - 1, sums)
        sums[strand, BEFORE] = -sums[strand, _AFTER]


@njit(cache=True, nogil=True)
def add_what_lies_before(sites, sums, bounds):
    """Make rows of a stretch that was searched by itself what they are in the contig.

    Args:
        sums: float64 (2 strands, 8), sums over all bases before the stretch.
        bounds: int64 (2, 3), last stop codon or N before it by strand and frame.
    """
    for r in range(sites.size):
        position, strand = sites.position[r], sites.strand[r]
        for t in range(3):
            frame = (position - t) % 3
            sites.bound[r, t] = max(sites.bound[r, t], bounds[strand, frame])
            sites.coding_frame[r, t] += sums[strand, frame]
            sites.intron_phase[r, t] += sums[strand, 4 + t]
        sites.coding_total[r] += sums[strand, 3]
        sites.intron_total[r] += sums[strand, 7]


@njit(cache=True, nogil=True)
def scan(bases, tables, keep, first, cutoffs, at_ac, sums, bounds, sites):
    """Candidate sites at the cuts of a piece, but for ``CONTEXT`` bases at either end, N past the contig's ends.

    Args:
        bases: uint8 (rows,).
        tables: float32 (2 strands, rows, STATE_COUNT), log probabilities, contig orientation.
        keep: uint8 (rows,), sites at cuts where it is not 0 are kept whatever their probability; or of size 0.
        first: contig position of the first cut.
        cutoffs: least log probability of a splice site, and of a start or stop codon.
        at_ac: whether AT-AC introns are candidates.
        sums: float64 (2 strands, 3, 8), sums over all bases left of the cut before the first one and of the first one:
            coding by frame (3), coding total, intron by ``t`` (3), intron total; overwritten with those behind the
            piece.
        bounds: int64 (2, 3), the ``bound`` of a site by strand and frame; overwritten likewise.
        sites: room for ``ROWS_PER_CUT`` rows a cut.

    Returns:
        Number of rows written.
    """
    n = 0
    plus, minus = tables[PLUS], tables[MINUS]
    # The motifs are looked for right here: to hand the arrays to a function for each base would double the time.
    for x in range(CONTEXT, bases.size - CONTEXT):
        position = first + x - CONTEXT
        l3, l2, l1 = bases[x - 3], bases[x - 2], bases[x - 1]
        r0, r1, r2 = bases[x], bases[x + 1], bases[x + 2]
        if keep.size > 0 and keep[x] != 0:
            cut = Cut(x, position, -np.inf, -np.inf)
        else:
            cut = Cut(x, position, cutoffs[0], cutoffs[1])
        # A stop codon may end its own segment, so its END goes before the bound moves up to it.
        if is_stop(l3, l2, l1):
            n = _emit(sites, n, (END, PLUS, NORMAL), cut, bases, tables, sums, bounds)
            bounds[PLUS, (position - 3) % 3] = max(position - 3, bounds[PLUS, (position - 3) % 3])
        if is_stop_reversed(l3, l2, l1):
            bounds[MINUS, (position - 3) % 3] = max(position - 3, bounds[MINUS, (position - 3) % 3])
        if l1 > T:
            bounds[:] = position - 1
        if l3 == C and l2 == A and l1 == T:
            n = _emit(sites, n, (END, MINUS, NORMAL), cut, bases, tables, sums, bounds)
        variant = _donor_variant(r0, r1, at_ac)
        if variant != _NO_SITE and l1 <= T:
            n = _emit(sites, n, (INTRON_BEGIN, PLUS, variant), cut, bases, tables, sums, bounds)
        variant = _acceptor_variant(3 - r1, 3 - r0, at_ac) if r0 <= T and r1 <= T else _NO_SITE
        if variant != _NO_SITE and l1 <= T:
            n = _emit(sites, n, (INTRON_BEGIN, MINUS, variant), cut, bases, tables, sums, bounds)
        if position % CHECK_DISTANCE == 0:
            for strand in range(2):
                n = write_plain_row(sites, n, CHECK, strand, position, sums[strand, HERE], bounds[strand])
        _add_base(PLUS, position, plus, x, sums)
        _add_base(MINUS, position, minus, x, sums)
        variant = _acceptor_variant(l2, l1, at_ac)
        if variant != _NO_SITE and r0 <= T:
            n = _emit(sites, n, (INTRON_END, PLUS, variant), cut, bases, tables, sums, bounds)
        variant = _donor_variant(3 - l1, 3 - l2, at_ac) if l1 <= T and l2 <= T else _NO_SITE
        if variant != _NO_SITE and r0 <= T:
            n = _emit(sites, n, (INTRON_END, MINUS, variant), cut, bases, tables, sums, bounds)
        if r0 == A and r1 == T and r2 == G:
            n = _emit(sites, n, (BEGIN, PLUS, NORMAL), cut, bases, tables, sums, bounds)
        if is_stop_reversed(r0, r1, r2):
            n = _emit(sites, n, (BEGIN, MINUS, NORMAL), cut, bases, tables, sums, bounds)
        for strand in range(2):
            for k in range(8):
                sums[strand, BEFORE, k] = sums[strand, HERE, k]
                sums[strand, HERE, k] = sums[strand, _AFTER, k]
    return n
