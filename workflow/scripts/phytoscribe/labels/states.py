"""The structure states that the model predicts for every base of one strand.

A gene on the strand that is read gives the states below; bases of genes on the other strand are ``INTERGENIC`` for
this strand (the other strand is read as the reverse complement).  Boundary bases have states of their own, because they
determine the exact exon ends.

* ``START`` is the first base of the start codon, ``STOP`` the last base of the stop codon.
* ``CODING0..2`` are inner coding bases by codon position (0 is the first base of a codon).
* ``FIRST0..2`` is the first base of a CDS segment that follows an intron, ``LAST0..2`` the last base of a CDS segment
  before an intron, by codon position.
* ``INTRON0..2`` is an intron inside the CDS; the number counts the bases of the split codon before the intron (the
  phase of the intron: 0 lies between two codons).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from phytoscribe.errors import ModelError


class State(IntEnum):
    """The structure states: the columns of every table of states, from the network's output to the tracks.

    A model may order its states differently and have additional ones; see :class:`StateSet`.
    """

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
#: As a model's config.json names them.
STATE_NAMES = tuple(state.name.lower() for state in State)
NON_CODING_STATES = (State.INTERGENIC, State.UTR5_EXON, State.UTR5_INTRON, State.UTR3_EXON, State.UTR3_INTRON)
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
#: Columns of every table of splice sites, and their names.
DONOR, ACCEPTOR = 0, 1
SITE_NAMES = ("donor", "acceptor")
SITE_COUNT = len(SITE_NAMES)


class StateSet:
    """The states of a model by name: maps each :class:`State` to the model's column.

    Args:
        names: the model's states in the order of its columns.

    Attributes:
        order: the model's column of each :class:`State`.
        others: its columns that are not a :class:`State`.

    Raises:
        ModelError: a state is missing.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        if missing := [name for name in STATE_NAMES if name not in self.names]:
            raise ModelError(
                f"the model lacks the structure states {', '.join(missing)}, which gene models are decoded from; "
                "train it with all of them or use another model"
            )
        self.order = [self.names.index(name) for name in STATE_NAMES]
        self.others = [column for column, name in enumerate(self.names) if name not in STATE_NAMES]

    def columns(self, states: Sequence[State]) -> list[int]:
        """The model's columns of some states, for example of ``INTRON_STATES``."""
        return [self.order[state] for state in states]
