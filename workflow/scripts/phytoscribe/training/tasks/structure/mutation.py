"""Random mutations of training windows that leave every annotated gene as it is.

Mutated are introns, untranslated regions and intergenic sequence away from splice sites and starts, and the third
position of codons where the amino acid stays the same.  The network thus sees each gene in many versions, as if in many
related species, and cannot learn its sequence by heart.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.decoding.grammar import A, C, G, T
from phytoscribe.genome.intervals import merge_intervals
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.labels.states import (
    ACCEPTOR_BIT,
    DONOR_BIT,
    INTRON_STATES,
    LABEL_COUNT,
    NON_CODING_LABEL,
    NON_CODING_STATES,
    State,
)

#: Bases that never change, from so many before a base to so many behind it in reading direction: around the first base
#: of an intron, its last base (with polypyrimidine tract and branch point), and the first base of a start codon.
DONOR_CONTEXT, ACCEPTOR_CONTEXT, START_CONTEXT = (3, 7), (40, 2), (12, 2)

_FREE = np.isin(
    np.arange(LABEL_COUNT),
    (*NON_CODING_STATES, *INTRON_STATES, NON_CODING_LABEL),
)
#: Whether the amino acid is known from the first two bases of a codon (standard genetic code), bool (4, 4).
_FOURFOLD = np.zeros((4, 4), dtype=bool)
_FOURFOLD[:, C] = True
_FOURFOLD[[C, G, C, G], [T, T, G, G]] = True
#: Whether A and G as third base mean the same: not so for ATA and ATG, TGA and TGG.
_PURINES_ALIKE = np.ones((4, 4), dtype=bool)
_PURINES_ALIKE[[A, T], [T, G]] = False


def mutate(
    bases: Bases,
    labels: npt.NDArray[np.uint8],
    sites: npt.NDArray[np.uint8],
    settled: npt.NDArray[np.bool_],
    rate: float,
    generator: np.random.Generator,
) -> Bases:
    """A mutated copy of a window, in contig orientation.

    Args:
        bases: uint8 (length,).
        labels, sites: uint8 (2, length), states and splice sites of the plus and minus strand.
        settled: bool (length,), whether the labels say all that is annotated here: one known state on either strand.
        rate: probability that a base that may change does.
    """
    changed = bases.copy()
    open_to_change = settled & (bases != N_CODE) & ~_protected(labels, sites)
    drawn = np.flatnonzero((generator.random(bases.size) < rate) & open_to_change)
    turn = generator.integers(1, 4, bases.size).astype(np.uint8)
    free = _FREE[labels[0]] & _FREE[labels[1]]
    places = drawn[free[drawn]]
    changed[places] = (bases[places] + turn[places]) % 4
    for strand in range(2):
        codon = _third_positions(labels[strand], strand == 1)
        places = drawn[codon[drawn] & _FREE[labels[1 - strand]][drawn]]
        changed[places] = _silently_changed(bases, places, turn, strand == 1)
    return changed


def fixed_intervals(genes: Iterable[GeneModel]) -> list[Interval]:
    """What must not change for the coding transcripts that labels do not follow, sorted.

    These are bases that code in another transcript than the representative one, and the start, the stop and the ends
    of introns of all.
    """
    found: list[Interval] = []
    for gene in genes:
        own = set(gene.representative.cds) if gene.representative else set()
        for transcript in gene.coding_transcripts:
            found += [segment for segment in transcript.cds if segment not in own]
            found += [(cut - 3, cut + 3) for segment in transcript.cds for cut in segment]
    return merge_intervals(found)


def _protected(labels: npt.NDArray[np.uint8], sites: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Bases close to a splice site or a start on either strand."""
    found = np.zeros(labels.shape[1], dtype=bool)
    for strand in range(2):
        for there, (before, behind) in (
            ((sites[strand] & DONOR_BIT) > 0, DONOR_CONTEXT),
            ((sites[strand] & ACCEPTOR_BIT) > 0, ACCEPTOR_CONTEXT),
            (labels[strand] == State.START, START_CONTEXT),
        ):
            left, right = (before, behind) if strand == 0 else (behind, before)
            for place in np.flatnonzero(there):
                found[max(0, place - left) : place + right + 1] = True
    return found


def _third_positions(states: npt.NDArray[np.uint8], backwards: bool) -> npt.NDArray[np.bool_]:
    """Third bases of codons that lie whole within a coding segment and hold none of its ends."""
    found = np.zeros(states.size, dtype=bool)
    first, second, third = (states == state for state in (State.CODING0, State.CODING1, State.CODING2))
    if backwards:
        found[:-2] = third[:-2] & second[1:-1] & first[2:]
    else:
        found[2:] = third[2:] & second[1:-1] & first[:-2]
    return found


def _silently_changed(
    bases: Bases, places: npt.NDArray[np.int64], turn: npt.NDArray[np.uint8], backwards: bool
) -> Bases:
    """New bases at the third positions ``places`` that keep the amino acid; the old one where there is none."""
    step = 1 if backwards else -1
    old, second, first = bases[places], bases[places + step], bases[places + 2 * step]
    whole = (second != N_CODE) & (first != N_CODE)
    if backwards:
        first, second, old = (3 - codes.clip(max=3) for codes in (first, second, old))
    else:
        first, second = (codes.clip(max=3) for codes in (first, second))
    any_base = (old + turn[places]) % 4
    # A and G, C and T are two apart.
    other_of_pair = (old + 2) % 4
    pair_alike = np.where((old == A) | (old == G), _PURINES_ALIKE[first, second], True)
    new = np.where(_FOURFOLD[first, second], any_base, np.where(pair_alike, other_of_pair, old))
    new = np.where(whole, new, old)
    return ((3 - new) if backwards else new).astype(np.uint8)
