"""Introns that evidence speaks for, in the form in which the lattice looks them up.

Such an intron has two explanations: by the sequence alone, and by reads, whose log odds against the first are its
*support* ``z``.  The sum over both is what an intron's score grows by, ``log(1 + exp(z))``: never below 0, so evidence
counts for its own intron or not at all, and a path with it stays one path.  All other evidence adds to the scores of
nodes (:mod:`phytoscribe.decoding.intron_evidence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.compiled import njit


class Support(NamedTuple):
    """The supported introns of a contig, twice: row 0 by their right end, which reading forwards meets last, and row 1
    by their left end, which reading backwards meets last.

    Attributes:
        end: int64 (2, n), ``2 * position + strand`` of that end, ascending.
        other: int64 (2, n), position of the other end; ascending where ``end`` is the same.
        odds: float64 (2, n), log odds ``z`` of the explanation by reads.
    """

    end: npt.NDArray[np.int64]
    other: npt.NDArray[np.int64]
    odds: npt.NDArray[np.float64]


def support_of(
    left: Sequence[int] | npt.NDArray,
    right: Sequence[int] | npt.NDArray,
    strand: Sequence[int] | npt.NDArray,
    odds: Sequence[float] | npt.NDArray,
) -> Support:
    """Support of introns, each given once: their cuts, strands (PLUS or MINUS) and log odds, each of shape (n,)."""
    ends, others = [], []
    values = np.asarray(odds, np.float64)
    sorted_odds = []
    for near, far in ((right, left), (left, right)):
        key, other = 2 * np.asarray(near, np.int64) + np.asarray(strand, np.int64), np.asarray(far, np.int64)
        order = np.lexsort((other, key))
        ends.append(key[order])
        others.append(other[order])
        sorted_odds.append(values[order])
    return Support(np.stack(ends), np.stack(others), np.stack(sorted_odds))


def joined_support(parts: Sequence[Support]) -> Support:
    """Support by several kinds of evidence: what an intron's score grows by is added up."""
    if len(parts) == 1:
        return parts[0]
    gains: dict[tuple[int, int, int], float] = {}
    for part in parts:
        for end, other, odds in zip(part.end[0].tolist(), part.other[0].tolist(), part.odds[0].tolist(), strict=True):
            key = other, end // 2, end % 2
            gains[key] = gains.get(key, 0.0) + float(np.logaddexp(0.0, odds))
    left, right, strand = np.array(list(gains), np.int64).reshape(-1, 3).T
    grown = np.array(list(gains.values()))
    # The log odds that give this gain.
    return support_of(left, right, strand, grown + np.log(-np.expm1(-grown)))


#: Of a contig without evidence.
NO_SUPPORT = support_of([], [], [], [])


@njit(cache=True, inline="always")
def gain(odds):
    """What an intron's score grows by, from its log odds."""
    return odds + np.log1p(np.exp(-odds)) if odds > 0.0 else np.log1p(np.exp(odds))


@njit(cache=True, inline="always")
def first_supported(support, order, position, strand):
    """Column of the first supported intron with this end or a later one, in row ``order``."""
    key = 2 * position + strand
    low, high = 0, support.end.shape[1]
    while low < high:
        middle = (low + high) // 2
        if support.end[order, middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, inline="always")
def intron_gain(support, strand, left, right):
    """What the score of an intron between two cuts grows by; 0 for one without support."""
    column = first_supported(support, 0, right, strand)
    while column < support.end.shape[1] and support.end[0, column] == 2 * right + strand:
        if support.other[0, column] == left:
            return gain(support.odds[0, column])
        column += 1
    return 0.0
