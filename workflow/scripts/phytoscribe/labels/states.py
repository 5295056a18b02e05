"""The structure states that the model predicts for every base of one strand.

A gene on the strand that is read gives the states below; bases of genes on the other strand are ``INTERGENIC`` for
this strand (the other strand is read as the reverse complement).  The states follow DESIGN section 3: boundary bases
have states of their own, because exact exon ends are decided there.

* ``START`` is the first base of the start codon, ``STOP`` the last base of the stop codon.
* ``CODING0..2`` are inner coding bases by codon position (0 is the first base of a codon).
* ``FIRST0..2`` is the first base of a CDS segment that follows an intron, ``LAST0..2`` the last base of a CDS segment
  before an intron, by codon position.
* ``INTRON0..2`` is an intron inside the CDS; the number counts the bases of the split codon before the intron (the
  phase of the intron: 0 lies between two codons).
"""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """Classes of the structure head, in the order of its logits."""

    INTERGENIC = 0
    UTR5_EXON = 1
    UTR5_INTRON = 2
    UTR3_EXON = 3
    UTR3_INTRON = 4
    START = 5
    CODING0 = 6
    CODING1 = 7
    CODING2 = 8
    INTRON0 = 9
    INTRON1 = 10
    INTRON2 = 11
    FIRST0 = 12
    FIRST1 = 13
    FIRST2 = 14
    LAST0 = 15
    LAST1 = 16
    LAST2 = 17
    STOP = 18


STATE_COUNT = len(State)
NON_CODING_STATES = (
    State.INTERGENIC,
    State.UTR5_EXON,
    State.UTR5_INTRON,
    State.UTR3_EXON,
    State.UTR3_INTRON,
)
INTRON_STATES = (State.INTRON0, State.INTRON1, State.INTRON2)
CODING_STATES = tuple(s for s in State if s not in NON_CODING_STATES and s not in INTRON_STATES)
BOUNDARY_STATES = (State.START, State.STOP, *(s for s in State if s.name.startswith(("FIRST", "LAST"))))

#: Label of bases that code for nothing and of which no more is known: beside genes whose untranslated regions are not
#: annotated they may be UTR, UTR intron or intergenic.  A label only, no state: the loss sums over NON_CODING_STATES.
NON_CODING_LABEL = STATE_COUNT
LABEL_COUNT = STATE_COUNT + 1

#: Bits of site labels: the base is the first base of an intron (donor), its last base (acceptor), or no more is known
#: than that the annotation may lack an intron here.
DONOR_BIT, ACCEPTOR_BIT, UNKNOWN_SITE_BIT = 1, 2, 4

assert STATE_COUNT == 19, "released models depend on this order"
