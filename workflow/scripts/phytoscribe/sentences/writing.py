"""Writes the further isoforms of a gene with a pointer network, under the grammar of gene sentences.

A sentence grows word by word.  The network's scores are taken over the words that the grammar allows, so the
probabilities of all sentences add up to one.  Of the many ways on, a :class:`Search` says which are followed.  The
probability of an isoform is the sum over all ways that are followed: that it comes next, whatever came before.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from phytoscribe.decoding.isoform_edits import Chain
from phytoscribe.models.isoform_writer import IsoformWriter
from phytoscribe.sentences.grammar import Grammar, State
from phytoscribe.sentences.sites import SiteTable
from phytoscribe.sentences.tokens import BOS, EOS, KINDS, TRANSCRIPT, Token, Vocabulary

#: Fixed words by id: those that stand in any sentence beside a given first transcript.
WORDS = Vocabulary(())
LIKELY, GREEDY, BEAM, SAMPLED = SEARCHES = ("likely", "greedy", "beam", "sampled")
_Logs = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Search:
    """Which ways through the sentences of a gene are followed.

    Attributes:
        kind: ``likely``: all from a probability of ``least`` on; ``greedy``: the likeliest next word alone;
            ``beam``: the ``width`` likeliest beginnings of a sentence; ``sampled``: those of ``draws`` sentences, drawn
            word by word.
        seed: of the draws, with contig and place of the gene.
        least: probability, above 0.
    """

    kind: str = LIKELY
    width: int = 4
    draws: int = 100
    seed: int = 1
    least: float = 0.005

    @classmethod
    def of_config(cls, values: Mapping[str, Any], seed: int) -> Search:
        """Of the configuration's ``isoforms.generated``."""
        return cls(values["search"], values["beam"], values["draws"], seed)

    def __str__(self) -> str:
        more = {BEAM: f" of {self.width}", SAMPLED: f", {self.draws} draws, seed {self.seed}"}
        return self.kind + more.get(self.kind, "")

    def generator(self, place: str) -> np.random.Generator:
        """Random numbers of the gene at a place."""
        digest = hashlib.sha256(f"{self.seed}\0{place}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:8], "little"))


class WrittenProbability(NamedTuple):
    """An isoform, in the direction of transcription, and the probability that it is in the gene's sentence."""

    exons: Chain
    cds: Chain
    probability: float


class _Ways(NamedTuple):
    """Beginnings of sentences that are followed.

    Attributes:
        states: of the grammar.
        last: ids of their last words.
        logs: log probabilities, (ways,).
        draws: how many of the drawn sentences begin so, (ways,).
    """

    states: list[State]
    last: list[int]
    logs: _Logs
    draws: npt.NDArray[np.int64]


def word_ids(tokens: Sequence[Token], table: SiteTable) -> list[int]:
    """Ids of words: fixed ones, then the places in the table.

    Raises:
        SentenceError: a site is not in the table.
    """
    return [WORDS.id(t) if isinstance(t, str) else len(WORDS) + table.number(t) for t in tokens]


def allowed_words(grammar: Grammar, state: State, sites: int) -> npt.NDArray[np.bool_]:
    """Which words may come next, bool (fixed words + sites,)."""
    fixed, pointers = grammar.allowed(state)
    found = np.zeros(len(WORDS) + sites, dtype=bool)
    found[[WORDS.id(word) for word in fixed]] = True
    found[len(WORDS) :] = pointers
    return found


def kinds_of(table: SiteTable) -> npt.NDArray[np.int64]:
    """Numbers of the kinds of the sites, (n,)."""
    return np.array([KINDS.index(site.kind) for site in table.sites], dtype=np.int64)


@torch.no_grad()
def written_isoforms(
    network: IsoformWriter,
    table: SiteTable,
    evidence: npt.NDArray[np.float32],
    grammar: Grammar,
    search: Search,
    place: str = "",
) -> list[WrittenProbability]:
    """Isoforms of a gene on the ways that are followed, one for each CDS, the likeliest first; not calibrated.

    Args:
        network: ready to be used, in double precision.
        evidence: of the sites, (n, EVIDENCE).
        place: of the gene, for draws.
    """
    generator = search.generator(place) if search.kind == SAMPLED else None
    number = next(network.parameters()).dtype
    padded = torch.zeros(1, len(table), dtype=torch.bool)
    memory = network.read(torch.from_numpy(evidence)[None].to(number), torch.from_numpy(kinds_of(table))[None], padded)
    end, following = WORDS.id(EOS), WORDS.id(TRANSCRIPT)
    ways = _Ways([grammar.start()], [WORDS.id(BOS)], np.zeros(1), np.array([search.draws]))
    before = None
    found: dict[Chain, dict[Chain, float]] = {}
    for _ in range(network.config.longest):
        scores, before = network.write(torch.tensor(ways.last)[:, None], memory.repeated(len(ways.last)), before)
        allowed = np.stack([allowed_words(grammar, state, len(table)) for state in ways.states])
        logs = _log_shares(scores[:, -1].double().numpy(), allowed)
        for row, state in enumerate(ways.states):
            if not allowed[row, end]:
                continue
            _, *isoforms = grammar.isoforms(grammar.after(state, EOS))
            if isoforms:
                ends = math.exp(ways.logs[row]) * sum(math.exp(logs[row, word]) for word in (end, following))
                chains = found.setdefault(isoforms[-1].cds, {})
                chains[isoforms[-1].exons] = chains.get(isoforms[-1].exons, 0.0) + ends
        parents, words, draws = _followed(search, ways, logs, end, generator)
        if not len(parents):
            break
        tokens = [table.sites[w - len(WORDS)] if w >= len(WORDS) else WORDS.tokens[w] for w in words.tolist()]
        states = [grammar.after(ways.states[p], t) for p, t in zip(parents.tolist(), tokens, strict=True)]
        ways = _Ways(states, words.tolist(), ways.logs[parents] + logs[parents, words], draws)
        before = [(keys[parents], values[parents]) for keys, values in before]
    judged = [
        WrittenProbability(max(chains, key=lambda exons: (chains[exons], exons)), cds, min(1.0, sum(chains.values())))
        for cds, chains in found.items()
    ]
    return sorted(judged, key=lambda isoform: (-isoform.probability, isoform.cds))


def _log_shares(scores: _Logs, allowed: npt.NDArray[np.bool_]) -> _Logs:
    """Log probabilities of the words of each way, (ways, words); -inf where a word is not allowed."""
    scores = np.where(allowed, scores, -np.inf)
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def _followed(
    search: Search, ways: _Ways, logs: _Logs, end: int, generator: np.random.Generator | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Ways on: the way that each goes on from, its next word, and how many draws take it; none behind the end."""
    if generator is not None:
        drawn = np.stack([generator.multinomial(n, np.exp(row)) for n, row in zip(ways.draws, logs, strict=True)])
        drawn[:, end] = 0
        parents, words = np.nonzero(drawn)
        return parents, words, drawn[parents, words]
    total = ways.logs[:, None] + logs
    if search.kind == LIKELY:
        total[:, end] = -np.inf
        parents, words = np.nonzero(total >= math.log(search.least))
    else:
        count = 1 if search.kind == GREEDY else search.width
        best = np.argsort(-total, axis=None, kind="stable")[:count]
        best = best[np.isfinite(total.ravel()[best])]
        parents, words = np.unravel_index(best, total.shape)
        parents, words = parents[words != end], words[words != end]
    return parents, words, np.zeros(parents.size, dtype=np.int64)
