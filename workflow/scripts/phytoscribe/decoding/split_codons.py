"""Stop codons, also those that an intron splits.

The lattice must not join two segments whose split codon is a stop codon.  It sees the bases left of the intron as one
of a few classes, and those on the right as the set of classes with which they would make a stop codon.
"""

from __future__ import annotations

from numba import njit

from phytoscribe.decoding.candidate_sites import PLUS

A, C, G, T, N = range(5)


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
