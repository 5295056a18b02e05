"""Candidate sites of both strands, which of them an edge of the lattice may join, and the score of its length.

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

An edge is a whole CDS segment or a whole intron between two candidate sites.  The rules hold whichever way the lattice
is read.  Two segments must not be joined where the codon that their intron splits is a stop codon.  The bases left of
an intron are therefore kept as one of a few classes, and those on its right as the set of classes with which they would
make a stop codon.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from phytoscribe.compiled import njit

A, C, G, T, N = range(5)
#: How the end of a CDS segment looks to the segment's length: a splice site, a start or stop codon, the contig's end.
SPLICED, OUTER, CUT = range(3)
#: Kinds of CDS segments; each has a score of its own by length.
INITIAL, INTERNAL, TERMINAL, SINGLE, CUT_SEGMENT = range(5)
SEGMENT_KINDS = 5
#: In the order of the rows of one position.  Read from right to left, kind ``k`` plays the part of ``BEGIN - k``.
END, INTRON_BEGIN, CHECK, INTRON_END, BEGIN = range(5)
#: NORMAL is GT-AG; AT_AC pairs with its like only; EDGE stands for the end of the contig (setting ``partial``).
NORMAL, GC, AT_AC, EDGE = range(4)
PLUS, MINUS = range(2)

FORBIDDEN = -1e30
#: Largest log probability of a site that is distinguished from certainty.
SUREST = np.float32(-1e-4)

#: One candidate site, a row of a structured array; rows are in order of position, closing sites before opening ones.
#:
#: position: cut.
#: kind, strand, variant: of the tables above.
#: bound: by ``t``, closing sites and checks: a segment that ends here must open after this position (a ``BEGIN`` of the
#:     minus strand may open at it), or there is a stop codon in frame or an N in it.
#: context: by ``t``: for closing sites the class of the split codon's bases on the left, for opening ones the set of
#:     classes (one bit each) that would complete a stop codon.
#: odds: log odds of the site by ``t``; FORBIDDEN for a ``t`` that it cannot have.
#: coding_frame, coding_total, intron_phase, intron_total: sums over all bases of the contig before the position, by
#:     ``t`` where there are three; for a site that opens or closes a segment the coding sums leave out the segment's
#:     outermost base, which the site scores.
SITE = np.dtype(
    [
        ("position", np.int64),
        ("kind", np.int8),
        ("strand", np.int8),
        ("variant", np.int8),
        ("context", np.int8, 3),
        ("bound", np.int64, 3),
        ("odds", np.float64, 3),
        ("coding_frame", np.float64, 3),
        ("coding_total", np.float64),
        ("intron_phase", np.float64, 3),
        ("intron_total", np.float64),
    ],
    align=True,
)
Sites: TypeAlias = npt.NDArray[np.void]


def empty_sites(count: int) -> Sites:
    """Room for rows of :data:`SITE`."""
    return np.empty(count, SITE)


def join(parts: Sequence[Sites]) -> Sites:
    """A copy of rows, one after the other."""
    sites = empty_sites(sum(part.size for part in parts))
    # As bytes: field by field, which is NumPy's way with such rows, takes several times as long.
    np.concatenate([part.view(np.uint8) for part in parts], out=sites.view(np.uint8))
    return sites


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


@njit(cache=True, inline="always")
def segment_kind(strand, opening, closing):
    """Kind of a segment from its left and right end."""
    if opening == CUT or closing == CUT:
        return CUT_SEGMENT
    if opening == OUTER and closing == OUTER:
        return SINGLE
    if opening == SPLICED and closing == SPLICED:
        return INTERNAL
    return INITIAL if (opening == OUTER) == (strand == PLUS) else TERMINAL


@njit(cache=True, inline="always")
def end_of(kind, variant):
    """End of the segment that opens or closes at a site."""
    if kind in (INTRON_BEGIN, INTRON_END):
        return SPLICED
    return CUT if variant == EDGE else OUTER


def kind_of_segment(sites: Sites, left: int, right: int) -> int:
    """Kind of the segment between two rows."""
    kind, variant = sites["kind"], sites["variant"]
    opening, closing = (end_of(kind[row], variant[row]) for row in (left, right))
    return int(segment_kind(sites["strand"][left], opening, closing))


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
    """Score of an intron's length."""
    limit = scores.intron.size - 1
    if length <= limit:
        return scores.intron[length]
    return scores.intron[limit] + scores.intron_slope * (length - limit)


@njit(cache=True, inline="always")
def may_open(position, end, bound):
    """Whether a segment that opens here is free of stop codons in frame and N up to a closing site with this bound."""
    return position > bound or (position == bound and end == OUTER)


@njit(cache=True, inline="always")
def intron_family(variant):
    """0 for GT-AG and GC-AG introns, 1 for AT-AC introns, 2 for those that an end of the contig cuts."""
    return 1 if variant == AT_AC else (2 if variant == EDGE else 0)


@njit(cache=True, inline="always")
def variants_pair(first, second):
    """Whether two sites can be the ends of one intron: AT pairs with AC only, and one end at least is not cut."""
    return (first == AT_AC) == (second == AT_AC) and not (first == EDGE and second == EDGE)


@njit(cache=True, inline="always")
def family_pairs(family, variant):
    """Whether an intron with one end of this family may have a site of this variant at the other."""
    return variants_pair(AT_AC if family == 1 else (EDGE if family == 2 else NORMAL), variant)


@njit(cache=True, inline="always")
def is_stop(first, second, third):
    return first == T and ((second == A and (third in (A, G))) or (second == G and third == A))


@njit(cache=True, inline="always")
def is_stop_reversed(left, middle, right):
    """The three bases are the reverse complement of a stop codon."""
    return right == A and ((middle == T and (left in (T, C))) or (middle == C and left == T))


@njit(cache=True)
def left_class(strand, t, bases, x):
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
def stop_classes(strand, t, bases, x):
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
