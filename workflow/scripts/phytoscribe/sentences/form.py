"""Where a gene sentence stands, and what its form allows next; whether that leads to a gene the grammar asks.

The form alone is that of :mod:`phytoscribe.sentences.sentence`, with introns and exons of some length.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import introns_between
from phytoscribe.decoding.isoform_edits import MINIMUM_EXON, Chain
from phytoscribe.genome.intervals import Interval
from phytoscribe.sentences.frames import open_frame
from phytoscribe.sentences.lookahead import WHOLE, Limits, Spliced, acceptor_range, chain_key, new_starts, spliced
from phytoscribe.sentences.shapes import (
    Codes,
    GeneShape,
    WrittenIsoform,
    chain_with,
    default_cds,
    introns_inside,
    shape_of,
)
from phytoscribe.sentences.sites import SiteTable
from phytoscribe.sentences.tokens import (
    BOS,
    CDS,
    EOS,
    EXON,
    GENE,
    KINDS,
    MINUS,
    PLUS,
    PROTEIN_CODING,
    TRANSCRIPT,
    Site,
    SiteKind,
    Token,
    gene_type_of,
    gene_type_token,
)

Way = tuple[Token, ...]
T, S, D, A, P = KINDS


class Phase(IntEnum):
    """What comes next."""

    BOS = 0
    GENE = 1
    TYPE = 2
    STRAND = 3
    TRANSCRIPT = 4
    BEGIN = 5  # of the primary, which must have a span
    END = 6
    CHANGES = 7  # of an alternative: its span, or any other change
    REMOVED = 8  # an intron of the primary to lose, or what follows these
    LOST = 9  # the donor of that intron
    INTRONS = 10
    ACCEPTOR = 11
    START = 12
    CLOSED = 13  # the CDS is written: only the end is left
    DONE = 14


class State(NamedTuple):
    """Where a sentence stands; never changed, so beams can share it.

    Attributes:
        phase: what comes next.
        length: words so far.
        isoforms: those that are finished.
        known: their keys.
        way: words that finish the isoform that is being written; empty if it can end here.
        gene_type, strand: of the gene.
        start, end: the isoform's ends.
        introns: its introns, sorted.
        lost: those of the primary that it loses.
        last: donor of the last intron that was lost or came in.
        donor: of an intron whose acceptor is still to come.
        changed: whether it says anything yet; a primary always does.
        cds: as far as it is written.
    """

    phase: Phase
    length: int = 0
    isoforms: tuple[WrittenIsoform, ...] = ()
    known: tuple[int, ...] = ()
    way: Way = ()
    gene_type: str = PROTEIN_CODING
    strand: str = "+"
    start: int = -1
    end: int = -1
    introns: tuple[Interval, ...] = ()
    lost: tuple[Interval, ...] = ()
    last: int = -1
    donor: int = -1
    changed: bool = False
    cds: Chain = ()

    @property
    def exons(self) -> Chain:
        """The exon chain that is being written."""
        return chain_with(self.start, self.end, self.introns)


class Form:
    """What the form of a sentence allows at one locus.

    Args:
        table: the sites that can be pointed at.
        codes: bases of the locus window in the direction of transcription, uint8 (n,).
        gene_types: those of which a gene may be.
        minimum_intron, minimum_cds: bases of a new intron, and of a CDS, at least.
        most_isoforms: of a gene.

    Attributes:
        numbers: places in the table of the sites of each kind.
        cuts: their cuts, ascending.
    """

    def __init__(
        self,
        table: SiteTable,
        codes: Codes,
        gene_types: Sequence[str],
        minimum_intron: int,
        minimum_cds: int,
        most_isoforms: int,
    ) -> None:
        self._codes, self._types, self._most_isoforms = codes, tuple(gene_types), most_isoforms
        self._minimum_intron, self._minimum_cds = minimum_intron, max(minimum_cds, 3)
        # Beams and searches come back to the same chains.
        self._read = lru_cache(256)(lambda exons: spliced(codes, *_arrays(exons)))
        cuts = np.array([site.cut for site in table.sites], dtype=np.int64)
        kinds = np.array([site.kind for site in table.sites])
        self.numbers = {kind: np.flatnonzero(kinds == kind) for kind in KINDS}
        self.cuts = {kind: cuts[numbers] for kind, numbers in self.numbers.items()}

    def shape(self, state: State) -> GeneShape:
        """What the gene can be."""
        return shape_of(state.gene_type)

    def behind(self, first: WrittenIsoform, gene_type: str) -> State:
        """The state behind a primary that is given."""
        shape = shape_of(gene_type)
        # "[BOS] <gene> type strand <transcript> T P", and two words for each intron.
        length = 7 + 2 * (len(first.exons) - 1)
        if first.cds != default_cds(first.exons, shape, self._codes):
            length += 2
        return State(Phase.CLOSED, length, (first,), (self.key(first, shape),), gene_type=gene_type)

    def words(self, state: State) -> list[str]:
        """Fixed words that the form of a sentence allows."""
        phase = state.phase
        opening = {
            Phase.BOS: [BOS],
            Phase.GENE: [GENE],
            Phase.TYPE: [gene_type_token(name) for name in self._types],
            Phase.STRAND: [PLUS, MINUS],
            Phase.TRANSCRIPT: [TRANSCRIPT],
        }
        if phase in opening:
            return opening[phase]
        words = []
        if phase in (Phase.CHANGES, Phase.REMOVED) and any(donor > state.last for donor, _ in state.introns):
            words.append(EXON)
        if phase in (Phase.CHANGES, Phase.REMOVED, Phase.INTRONS) and self.shape(state).codes:
            words.append(CDS)
        if self._may_end(state):
            words.append(EOS)
            if len(state.isoforms) + (not self.between(state)) < self._most_isoforms and self.shape(state).alternatives:
                words.append(TRANSCRIPT)
        return words

    def between(self, state: State) -> bool:
        """Whether no isoform is being written: behind a primary that is given."""
        return state.phase == Phase.CLOSED and state.end < 0

    def _may_end(self, state: State) -> bool:
        if state.phase == Phase.CLOSED:
            return True
        return state.phase in (Phase.CHANGES, Phase.REMOVED, Phase.INTRONS) and state.changed and not state.way

    def kinds(self, state: State) -> tuple[SiteKind, ...]:
        """Kinds of the sites that may come next."""
        return {
            Phase.BEGIN: (T,), Phase.END: (P,), Phase.CHANGES: (T, D), Phase.REMOVED: (D,), Phase.LOST: (D,),
            Phase.INTRONS: (D,), Phase.ACCEPTOR: (A,), Phase.START: (S,),
        }.get(state.phase, ())  # fmt: skip

    def sites(self, state: State, kind: SiteKind) -> list[Site]:
        """Sites of a kind that may come next."""
        if kind not in self.kinds(state):
            return []
        return [Site(kind, cut) for cut in self.cuts[kind][self.possible(state, kind)].tolist()]

    def possible(self, state: State, kind: SiteKind) -> npt.NDArray[np.int64]:
        """Sites that the form allows next, as places among those of their kind."""
        cuts, primary = self.cuts[kind], state.isoforms[0].exons if state.isoforms else None
        if kind == T:
            return np.flatnonzero(cuts < primary[-1][1] - MINIMUM_EXON) if primary else np.arange(cuts.size)
        if kind == P:
            fits = cuts >= state.start + MINIMUM_EXON
            if primary:
                fits &= cuts > primary[0][0] + MINIMUM_EXON
                if state.start == primary[0][0]:
                    fits &= cuts != primary[-1][1]
            return np.flatnonzero(fits)
        if kind == S:
            return np.flatnonzero(new_starts(self.spliced(state), self.limits(state), state.changed))
        if kind == A:
            starts, ends = _arrays(state.exons)
            first, last, _ = acceptor_range(starts, ends, state.donor, cuts, self._minimum_intron)
            back = [acceptor for donor, acceptor in state.lost if donor == state.donor]
            return np.arange(first, last)[~np.isin(cuts[first:last], back)]
        if state.phase == Phase.LOST:
            own = [donor for donor, _ in state.introns if donor > state.last]
            return np.flatnonzero(np.isin(cuts, own))
        return self._possible_donors(state)

    def _possible_donors(self, state: State) -> npt.NDArray[np.int64]:
        """Donors of new introns that have an acceptor in their exon."""
        most = self.shape(state).most_introns
        if most is not None and len(state.introns) >= most:
            return np.zeros(0, np.int64)
        donors, acceptors = self.cuts[D], self.cuts[A]
        after = state.last if state.phase == Phase.INTRONS else -1
        chosen = []
        for start, end in state.exons:
            low = max(start + MINIMUM_EXON, after + 1)
            inside = np.arange(np.searchsorted(donors, low), np.searchsorted(donors, end - MINIMUM_EXON, "right"))
            last = int(np.searchsorted(acceptors, end - MINIMUM_EXON, "right")) - 1
            if last >= 0 and inside.size:
                chosen.append(inside[donors[inside] + self._minimum_intron <= acceptors[last]])
        return np.concatenate(chosen) if chosen else np.zeros(0, np.int64)

    def put(self, state: State, token: Token) -> State:
        """The state behind a word that the form allows, without the way from there."""
        state = state._replace(length=state.length + 1, way=())
        phase = state.phase
        if isinstance(token, Site):
            cut = token.cut
            if token.kind == T:
                return state._replace(phase=Phase.END, start=cut)
            if token.kind == P:
                return self._with_end(state, cut)
            if token.kind == A:
                introns = tuple(sorted([*state.introns, (state.donor, cut)]))
                return state._replace(phase=Phase.INTRONS, introns=introns, last=state.donor, donor=-1, changed=True)
            if token.kind == S:
                return state._replace(phase=Phase.CLOSED, cds=open_frame(state.exons, cut, self._codes))
            if phase == Phase.LOST:
                gone = next(intron for intron in state.introns if intron[0] == cut)
                kept = tuple(intron for intron in state.introns if intron != gone)
                lost = (*state.lost, gone)
                return state._replace(phase=Phase.REMOVED, introns=kept, lost=lost, last=cut, changed=True)
            return state._replace(phase=Phase.ACCEPTOR, donor=cut)
        if phase < Phase.TRANSCRIPT:
            if phase == Phase.TYPE:
                state = state._replace(gene_type=gene_type_of(token) or "")
            if phase == Phase.STRAND:
                state = state._replace(strand="+" if token == PLUS else "-")
            return state._replace(phase=Phase(phase + 1))
        if token == EXON:
            return state._replace(phase=Phase.LOST)
        if token == CDS:
            return state._replace(phase=Phase.START)
        if not (self.between(state) or phase == Phase.TRANSCRIPT):
            state = self._finished(state)
        return state._replace(phase=Phase.DONE) if token == EOS else self._opened(state)

    def _with_end(self, state: State, end: int) -> State:
        if not state.isoforms:
            return state._replace(phase=Phase.INTRONS, end=end, changed=True)
        introns = introns_inside(state.isoforms[0].exons, state.start, end)
        return state._replace(phase=Phase.REMOVED, end=end, introns=introns, changed=True)

    def _finished(self, state: State) -> State:
        """The isoform that is written joins the others."""
        shape, exons = self.shape(state), state.exons
        isoform = WrittenIsoform(exons, state.cds or default_cds(exons, shape, self._codes))
        known = (*state.known, self.key(isoform, shape))
        return state._replace(isoforms=(*state.isoforms, isoform), known=known)

    def _opened(self, state: State) -> State:
        """A new isoform, which has the primary's ends and introns."""
        new = State(Phase.BEGIN, state.length, state.isoforms, state.known, (), state.gene_type, state.strand)
        if not state.isoforms:
            return new
        exons = state.isoforms[0].exons
        return new._replace(
            phase=Phase.CHANGES, start=exons[0][0], end=exons[-1][1], introns=tuple(introns_between(exons))
        )

    def key(self, isoform: WrittenIsoform, shape: GeneShape) -> int:
        """The key of an isoform among those of its gene."""
        starts, ends = _arrays(isoform.cds if shape.codes and isoform.cds else isoform.exons)
        return int(chain_key(starts, ends, starts[0], int((ends - starts).sum()) if shape.codes else WHOLE))

    def spliced(self, state: State) -> Spliced:
        """The exon chain that is being written, read."""
        return self._read(state.exons)

    def limits(self, state: State) -> Limits:
        """What the isoform must be."""
        known, coding = np.array(state.known, dtype=np.int64), self.shape(state).codes
        return Limits(self.cuts[S], known, self._minimum_cds, self._minimum_intron, coding)


def _arrays(chain: Sequence[Interval]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    places = np.array(chain, dtype=np.int64)
    return places[:, 0].copy(), places[:, 1].copy()
