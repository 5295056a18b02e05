"""Isoforms that differ from a gene's first transcript by one event: its exon chain with one change.

A change takes introns away, adds introns, or both; the CDS of the changed chain is its longest open reading frame, as
in nearly all annotated isoforms (99 % in Araport11).  Everything here is in the direction of transcription: positions
count from the 5' end of a window that holds the gene.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import introns_between
from phytoscribe.compiled import njit
from phytoscribe.decoding.grammar import A, C, G, N, T, is_stop
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.sequence import reverse_complement
from phytoscribe.labels.states import ACCEPTOR, DONOR, State

#: Farthest another donor or acceptor of an intron lies from the first transcript's, bp; with both changed, each.
FARTHEST, FARTHEST_BOTH = 400, 200
#: Shortest and longest exon that is included, bp.
INCLUDED = (10, 600)
#: Shortest exon that a change may leave, bp.
MINIMUM_EXON = 3
#: A site is tried by itself from this probability of the head of splice sites on, or this log probability of its state;
#: together with another new site from the higher probability on.
ALONE, STATE_ALONE, TOGETHER = 0.02, -6.0, 0.05

#: Bases beside the outermost exons whose network output is looked at.
BESIDE = 5

Chain = tuple[Interval, ...]
_FIRST0, _LAST0 = int(State.FIRST0), int(State.LAST0)


@dataclass(frozen=True, slots=True)
class LocusWindow:
    """What the network says around a gene, in the direction of transcription.

    Attributes:
        codes: uint8 (n,).
        states: float32 (n, STATE_COUNT), log probabilities.
        sites: float32 (n, SITE_COUNT), probabilities that a base is the first or the last one of an intron.
    """

    codes: npt.NDArray[np.uint8]
    states: npt.NDArray[np.float32]
    sites: npt.NDArray[np.float32]

    def donor(self, cut: int) -> tuple[float, float]:
        """Of an intron that begins behind a cut: probability by the head of sites, and log probability of the state."""
        return float(self.sites[cut, DONOR]), float(self.states[cut - 1, _LAST0 : _LAST0 + 3].max())

    def acceptor(self, cut: int) -> tuple[float, float]:
        """The same of an intron that ends before a cut."""
        return float(self.sites[cut - 1, ACCEPTOR]), float(self.states[cut, _FIRST0 : _FIRST0 + 3].max())


class FirstTranscript(NamedTuple):
    """A gene's first transcript in the direction of transcription, and what the decoder says of it.

    Attributes:
        exons, cds: sorted.
        gene: calibrated probability that the gene is right.
        locus: posterior that there is a gene.
    """

    exons: Chain
    cds: Chain
    gene: float
    locus: float


class Isoform(NamedTuple):
    """A possible isoform in the direction of transcription.

    Attributes:
        exons, cds: sorted.
        log_posterior: by the lattice; None where it has none.
        edited: whether it is one change of the first transcript's exon chain.
    """

    exons: Chain
    cds: Chain
    log_posterior: float | None = None
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Direction:
    """Turns contig positions into positions of a window in the direction of transcription, and back.

    Attributes:
        strand: ``+`` or ``-``.
        start, end: the window on the contig.
    """

    strand: str
    start: int
    end: int

    def inward(self, intervals: Iterable[Interval]) -> Chain:
        """Intervals of the contig, sorted, as intervals of the window."""
        if self.strand == "+":
            return tuple((start - self.start, end - self.start) for start, end in intervals)
        return tuple((self.end - end, self.end - start) for start, end in reversed(tuple(intervals)))

    def outward(self, intervals: Iterable[Interval]) -> Chain:
        """The inverse."""
        if self.strand == "+":
            return tuple((start + self.start, end + self.start) for start, end in intervals)
        return self.inward(intervals)  # to turn twice is to turn back


class NetworkOutput(NamedTuple):
    """What the network says of a stretch of a contig, contig orientation.

    Attributes:
        bases: uint8 (n,).
        states: log probabilities of the plus and the minus strand, each (n, STATE_COUNT).
        sites: probabilities of splice sites in the same way, each (n, SITE_COUNT).
        start: contig position of the first base.
    """

    bases: npt.NDArray[np.uint8]
    states: tuple[npt.NDArray, npt.NDArray]
    sites: tuple[npt.NDArray, npt.NDArray]
    start: int

    def window(self, strand: str, start: int, end: int, beside: int = BESIDE) -> tuple[LocusWindow, Direction]:
        """The part around contig positions ``start..end - 1``, in the direction of transcription of a strand."""
        first = max(start - beside, self.start)
        last = min(end + beside, self.start + self.bases.size)
        rows = slice(first - self.start, last - self.start)
        row = 0 if strand == "+" else 1
        bases, states, sites = self.bases[rows], self.states[row][rows], self.sites[row][rows]
        if strand == "-":
            bases, states, sites = reverse_complement(bases), states[::-1], sites[::-1]
        window = LocusWindow(bases, states.astype(np.float32), sites.astype(np.float32))
        return window, Direction(strand, first, last)


class Edit(NamedTuple):
    """A change of an exon chain.

    Attributes:
        lost: introns ``lost[0]..lost[1] - 1`` of the chain are taken away.
        gained: introns that come in their place.
    """

    lost: Interval
    gained: tuple[Interval, ...]


class _Sites(NamedTuple):
    """Cuts of possible donors and acceptors, ascending, and whether each is likely enough beside another new site."""

    donors: npt.NDArray[np.int64]
    strong_donors: npt.NDArray[np.int64]
    acceptors: npt.NDArray[np.int64]
    strong_acceptors: npt.NDArray[np.int64]


def possible_sites(window: LocusWindow, first: int, last: int) -> _Sites:
    """Donors (GT, GC) and acceptors (AG) at the cuts ``first..last - 1`` that the network does not rule out."""
    cuts = np.arange(max(first, 2), min(last, window.codes.size - 2))
    codes = window.codes
    donors = cuts[(codes[cuts] == G) & ((codes[cuts + 1] == T) | (codes[cuts + 1] == C))]
    acceptors = cuts[(codes[cuts - 2] == A) & (codes[cuts - 1] == G)]
    donor_head = window.sites[donors, DONOR]
    acceptor_head = window.sites[acceptors - 1, ACCEPTOR]
    donor_state = window.states[donors - 1, _LAST0 : _LAST0 + 3].max(axis=1)
    acceptor_state = window.states[acceptors, _FIRST0 : _FIRST0 + 3].max(axis=1)
    return _Sites(
        donors[(donor_head >= ALONE) | (donor_state >= STATE_ALONE)],
        donors[donor_head >= TOGETHER],
        acceptors[(acceptor_head >= ALONE) | (acceptor_state >= STATE_ALONE)],
        acceptors[acceptor_head >= TOGETHER],
    )


def _between(cuts: npt.NDArray[np.int64], low: int, high: int) -> list[int]:
    """Cuts from ``low`` to ``high``, both included."""
    return cuts[np.searchsorted(cuts, low) : np.searchsorted(cuts, high, "right")].tolist()


def edits_of(exons: Sequence[Interval], window: LocusWindow, minimum_intron: int) -> Iterator[Edit]:
    """All single changes of an exon chain between its ends."""
    introns = introns_between(exons)
    sites = possible_sites(window, exons[0][0], exons[-1][1])
    for k, (donor, acceptor) in enumerate(introns):
        here = (k, k + 1)
        first_donor, last_acceptor = exons[k][0] + MINIMUM_EXON, exons[k + 1][1] - MINIMUM_EXON
        yield Edit(here, ())
        acceptors = _between(
            sites.acceptors, max(donor + minimum_intron, acceptor - FARTHEST), min(last_acceptor, acceptor + FARTHEST)
        )
        yield from (Edit(here, ((donor, other),)) for other in acceptors if other != acceptor)
        donors = _between(
            sites.donors, max(first_donor, donor - FARTHEST), min(acceptor - minimum_intron, donor + FARTHEST)
        )
        yield from (Edit(here, ((other, acceptor),)) for other in donors if other != donor)
        donors = _between(sites.strong_donors, max(first_donor, donor - FARTHEST_BOTH), donor + FARTHEST_BOTH)
        acceptors = _between(
            sites.strong_acceptors, acceptor - FARTHEST_BOTH, min(last_acceptor, acceptor + FARTHEST_BOTH)
        )
        for left, right in itertools.product(donors, acceptors):
            if left != donor and right != acceptor and right - left >= minimum_intron:
                yield Edit(here, ((left, right),))
        for left, right in _exons_inside(sites, donor + minimum_intron, acceptor - minimum_intron):
            yield Edit(here, ((donor, left), (right, acceptor)))
        if k + 1 < len(introns):
            yield Edit((k, k + 2), ((donor, introns[k + 1][1]),))
    for k, (start, end) in enumerate(exons):
        donors = _between(sites.strong_donors, start + MINIMUM_EXON, end - MINIMUM_EXON - minimum_intron)
        for left in donors:
            for right in _between(sites.strong_acceptors, left + minimum_intron, end - MINIMUM_EXON):
                yield Edit((k, k), ((left, right),))


def _exons_inside(sites: _Sites, first: int, last: int) -> Iterator[Interval]:
    """Exons between an acceptor and a donor of an intron."""
    for left in _between(sites.strong_acceptors, first, last):
        for right in _between(sites.strong_donors, left + INCLUDED[0], min(last, left + INCLUDED[1])):
            yield left, right


def edited(exons: Sequence[Interval], edit: Edit) -> tuple[Interval, ...]:
    """The changed exon chain."""
    introns = list(introns_between(exons))
    introns[edit.lost[0] : edit.lost[1]] = edit.gained
    cuts = [exons[0][0], *itertools.chain.from_iterable(introns), exons[-1][1]]
    return tuple(zip(cuts[::2], cuts[1::2], strict=True))


@njit(cache=True, nogil=True)
def _longest_frame(codes, starts, ends):
    """Longest frame from ATG to a stop codon of joined exons, the first of equally long ones.

    Returns:
        Its first base and the one behind its last, counted along the joined exons; 0, 0 for none.
    """
    first = np.full(3, -1, np.int64)
    best_start, best_end = 0, 0
    at, b0, b1 = 0, N, N
    for k in range(starts.size):
        for x in range(starts[k], ends[k]):
            b2 = codes[x]
            if at >= 2:
                frame = (at - 2) % 3
                if first[frame] < 0:
                    if b0 == A and b1 == T and b2 == G:
                        first[frame] = at - 2
                elif b0 == N or b1 == N or b2 == N:
                    first[frame] = -1
                elif is_stop(b0, b1, b2):
                    if at + 1 - first[frame] > best_end - best_start:
                        best_start, best_end = first[frame], at + 1
                    first[frame] = -1
            b0, b1 = b1, b2
            at += 1
    return best_start, best_end


def longest_cds(exons: Sequence[Interval], codes: npt.NDArray[np.uint8]) -> tuple[Interval, ...]:
    """CDS of an exon chain: its longest open reading frame from ATG to the stop codon; empty without one."""
    places = np.array(exons, dtype=np.int64)
    start, end = _longest_frame(codes, places[:, 0].copy(), places[:, 1].copy())
    cds, done = [], 0
    for left, right in exons:
        low, high = max(left, left + start - done), min(right, left + end - done)
        if low < high:
            cds.append((low, high))
        done += right - left
    return tuple(cds)


def isoform_candidates(
    first: FirstTranscript,
    structures: Iterable[Isoform],
    window: LocusWindow,
    minimum_intron: int,
    minimum_cds: int,
) -> list[Isoform]:
    """Structures of the lattice and single changes of the first transcript, one for each CDS other than its own.

    A structure that is also a change keeps its posterior and takes the change's exons.
    """
    found = {structure.cds: structure for structure in structures if structure.cds != first.cds}
    for edit in edits_of(first.exons, window, minimum_intron):
        exons = edited(first.exons, edit)
        cds = longest_cds(exons, window.codes)
        if cds == first.cds or sum(end - start for start, end in cds) < minimum_cds:
            continue
        known = found.get(cds)
        if known is None or not known.edited:
            found[cds] = Isoform(exons, cds, known.log_posterior if known else None, edited=True)
    return list(found.values())
