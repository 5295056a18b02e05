"""Which words may follow in a gene sentence, so that what is written is a gene whatever is chosen.

Beside the form of a sentence (:mod:`phytoscribe.sentences.sentence`) the grammar asks of every isoform that no earlier
one has its CDS (in genes that code for no protein: its exons); that its CDS is an open reading frame of at least
``minimum_cds`` bases; that new introns have at least ``minimum_intron`` bases and new exons at least 3.

Some of that shows only at the end of an isoform.  So a word is allowed only if the grammar has found a way from it to
the end, and it keeps that way: there is no dead end.  Nearly always the first that it tries is one.  Where so many fail
that :data:`MOST_TRIES` or :data:`MOST_CHAINS` are used up, it refuses a word that might have led to an end.

An alternative of a coding gene always codes, and other genes never do.  The order of alternatives is free; writing what
was read puts them in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import introns_between
from phytoscribe.decoding.isoform_edits import MINIMUM_EXON, Chain, longest_cds
from phytoscribe.genome.intervals import Interval
from phytoscribe.sentences.frames import open_frame
from phytoscribe.sentences.lookahead import (
    ENDS,
    NOTHING,
    WHOLE,
    Limits,
    Spliced,
    acceptor_range,
    chain_key,
    first_partners,
    hopeful,
    new_starts,
    partners,
    spliced,
    verdict,
)
from phytoscribe.sentences.sentence import MOST_ISOFORMS, MOST_TOKENS
from phytoscribe.sentences.shapes import Codes, GeneShape, WrittenIsoform, chain_with, introns_inside, shape_of
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
    Reason,
    SentenceError,
    Site,
    SiteKind,
    Token,
    gene_type_of,
    gene_type_token,
)

#: States that one search for an end looks at, and exon chains with one more intron at each of them.
MOST_TRIES, MOST_CHAINS = 200, 100_000
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


class _Search:
    """A search for an end.

    Attributes:
        left: how many states it may still look at.
        shallow: whether it has left out ways because they have too many changes.
    """

    def __init__(self, tries: int = MOST_TRIES) -> None:
        self.left, self.shallow = tries, False


class Grammar:
    """The grammar of the sentences of one locus.

    Args:
        table: the sites that can be pointed at.
        codes: bases of the locus window in the direction of transcription, uint8 (n,).
        first: the primary, which is given; only alternatives are written.  None for whole sentences (:meth:`open`).
        minimum_intron, minimum_cds: bases of a new intron, and of a CDS, at least.
        most_isoforms, most_tokens: of a sentence, the primary's included.
        gene_types: those of which one is written; of a given primary its own.
    """

    def __init__(
        self,
        table: SiteTable,
        codes: Codes,
        first: WrittenIsoform | None,
        minimum_intron: int,
        minimum_cds: int,
        most_isoforms: int = MOST_ISOFORMS,
        most_tokens: int = MOST_TOKENS,
        gene_types: Sequence[str] = (PROTEIN_CODING,),
    ) -> None:
        self.table, self._codes, self._first = table, codes, first
        self._minimum_intron, self._minimum_cds = minimum_intron, max(minimum_cds, 3)
        self._most_isoforms, self._most_tokens = most_isoforms, most_tokens
        self._types = tuple(gene_types)
        # Beams and searches come back to the same chains.
        self._read = lru_cache(256)(lambda exons: spliced(codes, *_arrays(exons)))
        cuts = np.array([site.cut for site in table.sites], dtype=np.int64)
        kinds = np.array([site.kind for site in table.sites])
        #: Places in the table of the sites of each kind, and their cuts, ascending.
        self._numbers = {kind: np.flatnonzero(kinds == kind) for kind in KINDS}
        self._cuts = {kind: cuts[numbers] for kind, numbers in self._numbers.items()}

    @classmethod
    def open(
        cls,
        table: SiteTable,
        codes: Codes,
        gene_types: Sequence[str],
        minimum_intron: int,
        minimum_cds: int,
        most_isoforms: int = MOST_ISOFORMS,
        most_tokens: int = MOST_TOKENS,
    ) -> Grammar:
        """The grammar of whole sentences, from ``[BOS]`` on, of genes of some types."""
        return cls(table, codes, None, minimum_intron, minimum_cds, most_isoforms, most_tokens, gene_types)

    def start(self) -> State:
        """Before the first word, or behind the primary where it is given.

        Raises:
            SentenceError: the locus has no gene of any of the types.
        """
        if self._first is None:
            state = State(Phase.BOS)
            way = self._way(state, _Search(10 * MOST_TRIES))
            if way is None:
                text = f"no gene of the types {', '.join(self._types)} can be written with the candidate sites"
                raise SentenceError(Reason.NOT_THE_GRAMMAR, text)
            return state._replace(way=way)
        first, gene_type = self._first, self._types[0]
        length = 7 + 2 * (len(first.exons) - 1)
        shape = shape_of(gene_type)
        if shape.codes and first.cds and longest_cds(first.exons, self._codes) != first.cds:
            length += 2
        written = self._key(first, shape)
        return State(Phase.CLOSED, length, (first,), (written,), gene_type=gene_type, start=first.exons[0][0])

    def isoforms(self, state: State) -> list[WrittenIsoform]:
        """The finished isoforms, the primary in front.  The last is finished by the word behind it."""
        return list(state.isoforms)

    def allowed(self, state: State) -> tuple[list[str], npt.NDArray[np.bool_]]:
        """The words that may come next, and the sites that may be pointed at, bool (n,)."""
        pointers = np.zeros(len(self.table), dtype=bool)
        words = [word for word in self._words(state) if self._ends_behind(state, word)]
        search = _Search()
        for kind in self._kinds(state):
            places = self._possible(state, kind)
            good = self._that_end(state, kind, places, search)
            pointers[self._numbers[kind][places[good]]] = True
        if state.way and isinstance(state.way[0], Site):
            pointers[self.table.number(state.way[0])] = True
        return words, pointers

    def after(self, state: State, token: Token) -> State:
        """The state behind one more word.

        Raises:
            SentenceError: the word is not allowed there.
        """
        if isinstance(token, Site):
            places = self._possible(state, token.kind) if token.kind in self._kinds(state) else np.zeros(0, np.int64)
            fits = token.cut in self._cuts[token.kind][places]
        else:
            fits = token in self._words(state)
        if fits:
            following = self._put(state, token)
            if state.way and token == state.way[0]:
                return following._replace(way=state.way[1:])
            way = self._way(following, _Search())
            if way is not None:
                return following._replace(way=way)
        shown = f"{token.kind}@{token.cut}" if isinstance(token, Site) else token
        raise SentenceError(Reason.NOT_THE_GRAMMAR, f"{shown} may not be word {state.length + 1} of the sentence")

    # ------------------------------------------------------------------------------------- what the form allows

    def _shape(self, state: State) -> GeneShape:
        return shape_of(state.gene_type)

    def _words(self, state: State) -> list[str]:
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
        if phase in (Phase.CHANGES, Phase.REMOVED, Phase.INTRONS) and self._shape(state).codes:
            words.append(CDS)
        if self._may_end(state):
            words.append(EOS)
            if (
                len(state.isoforms) + (not self._between(state)) < self._most_isoforms
                and self._shape(state).alternatives
            ):
                words.append(TRANSCRIPT)
        return words

    def _between(self, state: State) -> bool:
        """Whether no isoform is being written: behind a primary that is given."""
        return state.phase == Phase.CLOSED and state.end < 0

    def _may_end(self, state: State) -> bool:
        if state.phase == Phase.CLOSED:
            return True
        return state.phase in (Phase.CHANGES, Phase.REMOVED, Phase.INTRONS) and state.changed and not state.way

    def _kinds(self, state: State) -> tuple[SiteKind, ...]:
        """Kinds of the sites that may come next."""
        return {
            Phase.BEGIN: (T,), Phase.END: (P,), Phase.CHANGES: (T, D), Phase.REMOVED: (D,), Phase.LOST: (D,),
            Phase.INTRONS: (D,), Phase.ACCEPTOR: (A,), Phase.START: (S,),
        }.get(state.phase, ())  # fmt: skip

    def _possible(self, state: State, kind: SiteKind) -> npt.NDArray[np.int64]:
        """Sites that the form allows next, as places among those of their kind."""
        cuts, primary = self._cuts[kind], state.isoforms[0].exons if state.isoforms else None
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
            return np.flatnonzero(new_starts(self._spliced(state), self._limits(state), state.changed))
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
        most = self._shape(state).most_introns
        if most is not None and len(state.introns) >= most:
            return np.zeros(0, np.int64)
        donors, acceptors = self._cuts[D], self._cuts[A]
        after = state.last if state.phase == Phase.INTRONS else -1
        chosen = []
        for start, end in state.exons:
            low = max(start + MINIMUM_EXON, after + 1)
            inside = np.arange(np.searchsorted(donors, low), np.searchsorted(donors, end - MINIMUM_EXON, "right"))
            last = int(np.searchsorted(acceptors, end - MINIMUM_EXON, "right")) - 1
            if last >= 0 and inside.size:
                chosen.append(inside[donors[inside] + self._minimum_intron <= acceptors[last]])
        return np.concatenate(chosen) if chosen else np.zeros(0, np.int64)

    def _put(self, state: State, token: Token) -> State:
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
        if not (self._between(state) or phase == Phase.TRANSCRIPT):
            state = self._finished(state)
        return state._replace(phase=Phase.DONE) if token == EOS else self._opened(state)

    def _with_end(self, state: State, end: int) -> State:
        if not state.isoforms:
            return state._replace(phase=Phase.INTRONS, end=end, changed=True)
        introns = introns_inside(state.isoforms[0].exons, state.start, end)
        return state._replace(phase=Phase.REMOVED, end=end, introns=introns, changed=True)

    def _finished(self, state: State) -> State:
        """The isoform that is written joins the others."""
        shape, exons = self._shape(state), state.exons
        isoform = WrittenIsoform(exons, state.cds or (longest_cds(exons, self._codes) if shape.codes else ()))
        known = (*state.known, self._key(isoform, shape))
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

    # ------------------------------------------------------------------------------------- what leads to an end

    def _key(self, isoform: WrittenIsoform, shape: GeneShape) -> int:
        starts, ends = _arrays(isoform.cds if shape.codes and isoform.cds else isoform.exons)
        return int(chain_key(starts, ends, starts[0], int((ends - starts).sum()) if shape.codes else WHOLE))

    def _spliced(self, state: State) -> Spliced:
        return self._read(state.exons)

    def _limits(self, state: State) -> Limits:
        known, coding = np.array(state.known, dtype=np.int64), self._shape(state).codes
        return Limits(self._cuts[S], known, self._minimum_cds, self._minimum_intron, coding)

    def _left(self, state: State) -> int:
        """Words that an isoform may still have; one must be left to end the sentence."""
        return self._most_tokens - state.length - 1

    def _ends_behind(self, state: State, word: str) -> bool:
        if word == EOS or (state.way and word == state.way[0]):
            return True
        return self._way(self._put(state, word), _Search()) is not None

    def _that_end(
        self, state: State, kind: SiteKind, places: npt.NDArray[np.int64], search: _Search
    ) -> npt.NDArray[np.bool_]:
        """Which of the possible sites lead to an end."""
        if kind == S:
            return np.full(places.size, self._left(state) >= 1)
        good = np.zeros(places.size, dtype=bool)
        rest, cuts = np.arange(places.size), self._cuts[kind][places]
        hint: Interval | None = None
        if kind == A or (kind == D and state.phase != Phase.LOST):
            partner = self._direct(state, kind, places)
            good = partner >= 0
            rest = np.flatnonzero(~good)
            if kind == D and rest.size:
                rest = rest[hopeful(self._spliced(state), cuts[rest], self._limits(state))]
                if good.any():
                    last = np.flatnonzero(good)[-1]
                    hint = int(cuts[last]), int(self._cuts[A][partner[last]])
        following = {k: self._put(state, Site(kind, int(cuts[k]))) for k in rest.tolist()}
        if hint is not None:
            good[[k for k in following if self._ends_with(following[k], hint)]] = True
        # All with few changes first, so that one that needs many does not use up the search.
        for changes in range(self._most_tokens):
            search.shallow, undecided = False, [k for k in following if not good[k]]
            for k in undecided:
                good[k] = self._short_way(following[k], search, changes) is not None
            if not search.shallow or search.left <= 0:
                break
        return good

    def _ends_with(self, following: State, hint: Interval) -> bool:
        """Whether the shortest intron from a donor and then another intron make an isoform that can end."""
        acceptors = self._cuts[A][self._possible(following, A)]
        if not acceptors.size or acceptors[0] + MINIMUM_EXON > hint[0] or self._left(following) < 3:
            return False
        for site in (Site(A, int(acceptors[0])), Site(D, hint[0]), Site(A, hint[1])):
            following = self._put(following, site)
        return self._ending(following) is not None

    def _direct(self, state: State, kind: SiteKind, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Of donors the acceptor with which the isoform can end at once, of acceptors themselves; or -1."""
        words = 2 if kind == D else 1
        if self._left(state) < words or not places.size:
            return np.full(places.size, -1)
        lost = np.array(state.lost, dtype=np.int64).reshape(-1, 2)
        chain, limits, room = self._spliced(state), self._limits(state), self._left(state) >= words + 2
        if kind == A:
            return np.where(partners(chain, state.donor, self._cuts[A], lost, limits, room)[places], places, -1)
        donors = self._cuts[D][places]
        return first_partners(chain, donors, self._cuts[A], lost, limits, room, MOST_CHAINS)

    def _way(self, state: State, search: _Search) -> Way | None:
        """Words that finish the isoform that is being written, with few changes.

        Returns:
            None if there are none, or none was found in time.
        """
        for changes in range(self._most_tokens):
            search.shallow = False
            way = self._short_way(state, search, changes)
            if way is not None or not search.shallow or search.left <= 0:
                return way
        return None

    def _short_way(self, state: State, search: _Search, changes: int) -> Way | None:
        """The same with so many changes before the last one."""
        if state.phase == Phase.DONE:
            return ()
        if self._left(state) < 0:
            return None
        if state.phase == Phase.CLOSED:
            return ()
        if state.phase in (Phase.CHANGES, Phase.REMOVED, Phase.INTRONS):
            search.left -= 1
            ending = self._ending(state)
            if ending is not None:
                return ending
        if search.left <= 0:
            return None
        for token, fewer in self._steps(state):
            if fewer and not changes:
                search.shallow = True
                return None
            way = self._short_way(self._put(state, token), search, changes - fewer)
            if way is not None:
                return (token, *way)
        return None

    @staticmethod
    def _unchangeable(state: State) -> int:
        """The cut up to which an isoform stays as it is; -1 if all of it may change."""
        if state.phase == Phase.ACCEPTOR:
            return state.donor
        if state.phase == Phase.INTRONS and state.last >= 0:
            return next(acceptor for donor, acceptor in state.introns if donor == state.last)
        return -1

    def _ending(self, state: State) -> Way | None:
        """How the isoform can end without another change of its exons."""
        found = verdict(self._spliced(state), self._limits(state), state.changed)
        if found == ENDS:
            return ()
        return None if found == NOTHING or self._left(state) < 2 else (CDS, Site(S, int(self._cuts[S][found])))

    def _steps(self, state: State) -> Iterator[tuple[Token, bool]]:
        """Words that may come next, and whether each needs more changes; those first that do not."""
        if state.phase not in (Phase.CHANGES, Phase.REMOVED, Phase.INTRONS, Phase.ACCEPTOR):
            yield from ((word, False) for word in self._words(state))
            for kind in self._kinds(state):
                yield from ((Site(kind, cut), False) for cut in self._cuts[kind][self._possible(state, kind)].tolist())
            return
        if self._left(state) < 1:
            return
        kind = A if state.phase == Phase.ACCEPTOR else D
        places = self._possible(state, kind)
        cuts = self._cuts[kind][places]
        direct = self._direct(state, kind, places) >= 0
        yield from ((Site(kind, cut), False) for cut in cuts[direct].tolist())
        behind = self._unchangeable(state)
        if behind >= 0 and not hopeful(self._spliced(state), np.array([behind]), self._limits(state))[0]:
            return
        if EXON in self._words(state):
            yield EXON, True
        yield from ((Site(kind, cut), kind == D) for cut in cuts[~direct].tolist())
        if state.phase == Phase.CHANGES:
            yield from ((Site(T, cut), True) for cut in self._cuts[T][self._possible(state, T)].tolist())


def _arrays(chain: Sequence[Interval]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    places = np.array(chain, dtype=np.int64)
    return places[:, 0].copy(), places[:, 1].copy()
