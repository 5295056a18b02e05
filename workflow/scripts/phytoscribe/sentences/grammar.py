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

import numpy as np
import numpy.typing as npt

from phytoscribe.decoding.isoform_edits import MINIMUM_EXON
from phytoscribe.genome.intervals import Interval
from phytoscribe.sentences.form import A, D, Form, Phase, S, State, T, Way
from phytoscribe.sentences.lookahead import ENDS, NOTHING, first_partners, hopeful, partners, verdict
from phytoscribe.sentences.sentence import MOST_ISOFORMS, MOST_TOKENS
from phytoscribe.sentences.shapes import Codes, WrittenIsoform
from phytoscribe.sentences.sites import SiteTable
from phytoscribe.sentences.tokens import (
    CDS,
    EOS,
    EXON,
    PROTEIN_CODING,
    Reason,
    SentenceError,
    Site,
    SiteKind,
    Token,
)

#: States that one search for an end looks at, and exon chains with one more intron at each of them.
MOST_TRIES, MOST_CHAINS = 200, 100_000


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
        self.table, self._first, self._types = table, first, tuple(gene_types)
        self._most_tokens = most_tokens
        self._form = Form(table, codes, gene_types, minimum_intron, minimum_cds, most_isoforms)

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
        return self._form.behind(self._first, self._types[0])

    def isoforms(self, state: State) -> list[WrittenIsoform]:
        """The finished isoforms, the primary in front.  The last is finished by the word behind it."""
        return list(state.isoforms)

    def allowed(self, state: State) -> tuple[list[str], npt.NDArray[np.bool_]]:
        """The words that may come next, and the sites that may be pointed at, bool (n,)."""
        pointers = np.zeros(len(self.table), dtype=bool)
        words = [word for word in self._form.words(state) if self._ends_behind(state, word)]
        search = _Search()
        for kind in self._form.kinds(state):
            places = self._form.possible(state, kind)
            good = self._that_end(state, kind, places, search)
            pointers[self._form.numbers[kind][places[good]]] = True
        if state.way and isinstance(state.way[0], Site):
            pointers[self.table.number(state.way[0])] = True
        return words, pointers

    def after(self, state: State, token: Token) -> State:
        """The state behind one more word.

        Raises:
            SentenceError: the word is not allowed there.
        """
        fits = token in (self._form.sites(state, token.kind) if isinstance(token, Site) else self._form.words(state))
        if fits:
            following = self._form.put(state, token)
            if state.way and token == state.way[0]:
                return following._replace(way=state.way[1:])
            way = self._way(following, _Search())
            if way is not None:
                return following._replace(way=way)
        shown = f"{token.kind}@{token.cut}" if isinstance(token, Site) else token
        raise SentenceError(Reason.NOT_THE_GRAMMAR, f"{shown} may not be word {state.length} of the sentence")

    def _left(self, state: State) -> int:
        """Words that an isoform may still have; one must be left to end the sentence."""
        return self._most_tokens - state.length - 1

    def _ends_behind(self, state: State, word: str) -> bool:
        if word == EOS or (state.way and word == state.way[0]):
            return True
        return self._way(self._form.put(state, word), _Search()) is not None

    def _that_end(
        self, state: State, kind: SiteKind, places: npt.NDArray[np.int64], search: _Search
    ) -> npt.NDArray[np.bool_]:
        """Which of the possible sites lead to an end."""
        if kind == S:
            return np.full(places.size, self._left(state) >= 1)
        good = np.zeros(places.size, dtype=bool)
        rest, cuts = np.arange(places.size), self._form.cuts[kind][places]
        hint: Interval | None = None
        if kind == A or (kind == D and state.phase != Phase.LOST):
            partner = self._direct(state, kind, places)
            good = partner >= 0
            rest = np.flatnonzero(~good)
            if kind == D and rest.size:
                rest = rest[hopeful(self._form.spliced(state), cuts[rest], self._form.limits(state))]
                if good.any():
                    last = np.flatnonzero(good)[-1]
                    hint = int(cuts[last]), int(self._form.cuts[A][partner[last]])
        following = {k: self._form.put(state, Site(kind, int(cuts[k]))) for k in rest.tolist()}
        if hint is not None:
            good[[k for k in following if self._ends_with(following[k], hint)]] = True
        # All with few changes first, so that one that needs many does not use up the search.
        for changes in range(self._most_tokens):
            search.shallow, undecided = False, [k for k in following if not good[k]]
            for k in undecided:
                if search.left <= 0:
                    break
                good[k] = self._short_way(following[k], search, changes) is not None
            if not search.shallow or search.left <= 0:
                break
        return good

    def _ends_with(self, following: State, hint: Interval) -> bool:
        """Whether the shortest intron from a donor and then another intron make an isoform that can end."""
        acceptors = self._form.cuts[A][self._form.possible(following, A)]
        if not acceptors.size or acceptors[0] + MINIMUM_EXON > hint[0] or self._left(following) < 3:
            return False
        for site in (Site(A, int(acceptors[0])), Site(D, hint[0]), Site(A, hint[1])):
            following = self._form.put(following, site)
        return self._ending(following) is not None

    def _direct(self, state: State, kind: SiteKind, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Of donors the acceptor with which the isoform can end at once, of acceptors themselves; or -1."""
        words = 2 if kind == D else 1
        if self._left(state) < words or not places.size:
            return np.full(places.size, -1)
        lost = np.array(state.lost, dtype=np.int64).reshape(-1, 2)
        chain, limits, room = self._form.spliced(state), self._form.limits(state), self._left(state) >= words + 2
        if kind == A:
            return np.where(partners(chain, state.donor, self._form.cuts[A], lost, limits, room)[places], places, -1)
        donors = self._form.cuts[D][places]
        return first_partners(chain, donors, self._form.cuts[A], lost, limits, room, MOST_CHAINS)

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
        for token, fewer in self._steps(state):
            if search.left <= 0:
                return None
            if fewer and not changes:
                search.shallow = True
                return None
            way = self._short_way(self._form.put(state, token), search, changes - fewer)
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
        found = verdict(self._form.spliced(state), self._form.limits(state), state.changed)
        if found == ENDS:
            return ()
        return None if found == NOTHING or self._left(state) < 2 else (CDS, Site(S, int(self._form.cuts[S][found])))

    def _steps(self, state: State) -> Iterator[tuple[Token, bool]]:
        """Words that may come next, and whether each needs more changes; those first that do not."""
        if state.phase not in (Phase.CHANGES, Phase.REMOVED, Phase.INTRONS, Phase.ACCEPTOR):
            yield from ((word, False) for word in self._form.words(state))
            for kind in self._form.kinds(state):
                yield from ((site, False) for site in self._form.sites(state, kind))
            return
        if self._left(state) < 1:
            return
        kind = A if state.phase == Phase.ACCEPTOR else D
        places = self._form.possible(state, kind)
        cuts = self._form.cuts[kind][places]
        direct = self._direct(state, kind, places) >= 0
        yield from ((Site(kind, cut), False) for cut in cuts[direct].tolist())
        behind = self._unchangeable(state)
        if behind >= 0 and not hopeful(self._form.spliced(state), np.array([behind]), self._form.limits(state))[0]:
            return
        if EXON in self._form.words(state):
            yield EXON, True
        yield from ((Site(kind, cut), kind == D) for cut in cuts[~direct].tolist())
        if state.phase == Phase.CHANGES:
            yield from ((site, True) for site in self._form.sites(state, T))
