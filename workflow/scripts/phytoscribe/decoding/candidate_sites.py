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

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

#: In the order of the rows of one position.  Read from right to left, kind ``k`` plays the part of ``BEGIN - k``.
END, INTRON_BEGIN, CHECK, INTRON_END, BEGIN = range(5)
#: NORMAL is GT-AG; AT_AC pairs with its like only; EDGE stands for the end of the contig (setting ``partial``).
NORMAL, GC, AT_AC, EDGE = range(4)
PLUS, MINUS = range(2)

FORBIDDEN = -1e30
#: Largest log probability of a site that is distinguished from certainty.
SUREST = np.float32(-1e-4)

# Columns of a site's features.  All but the odds are sums over all bases of the contig before the row's position; for a
# site that opens or closes a segment the coding sums leave out the segment's outermost base, which the site scores.
ODDS = 0
CODING_FRAME = 3
CODING_TOTAL = 6
INTRON_PHASE = 7
INTRON_TOTAL = 10
FEATURE_COUNT = 11

#: One candidate site, a row of a structured array; rows are in order of position, closing sites before opening ones.
#:
#: position: cut.
#: kind, strand, variant: of the tables above.
#: bound: by ``t``, closing sites and checks: a segment that ends here must open after this position (a ``BEGIN`` of the
#:     minus strand may open at it), or there is a stop codon in frame or an N in it.
#: context: by ``t``: for closing sites the class of the split codon's bases on the left, for opening ones the set of
#:     classes (one bit each) that would complete a stop codon.
#: features: log odds of the site by ``t`` and prefix sums by ``t``.
SITE = np.dtype(
    [
        ("position", np.int64),
        ("kind", np.int8),
        ("strand", np.int8),
        ("variant", np.int8),
        ("context", np.int8, 3),
        ("bound", np.int64, 3),
        ("features", np.float64, FEATURE_COUNT),
    ],
    align=True,
)
Sites: TypeAlias = npt.NDArray[np.void]


def empty_sites(count: int) -> Sites:
    """Room for rows of :data:`SITE`."""
    return np.empty(count, SITE)


def join(parts: Sequence[Sites]) -> Sites:
    """Rows one after the other."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts, out=empty_sites(sum(part.size for part in parts)))
