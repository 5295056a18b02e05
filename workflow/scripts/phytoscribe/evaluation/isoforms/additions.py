"""Additions: the CDS chains that a prediction has beside the first transcript of each gene, and which are right.

* The *primary* of a gene is its first coding transcript in the file (``.t1``).
* An *addition* is a CDS chain of a gene that is not a primary of any gene; transcripts that differ in their UTRs alone
  are none.  It is *right* if it equals the CDS chain of any reference isoform: every base, contig and strand.
* An *alternative* is a reference chain that no primary has; recall is the share of them that additions have.  It counts
  as one of a gene with a right primary if a primary has another chain of its locus.
* Each chain counts once, wherever it occurs.
* A chain's event is told against the primary of its gene; that of an alternative against the chain of its locus that a
  primary has, or against the longest.  Where no primary is right, the longest itself has no event: to find it is a
  second guess at the gene, not an alternative.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.isoform_events import EVENT_CLASSES, coding_events, event_class, looks_like_nmd_target
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.counts import ALL
from phytoscribe.evaluation.accuracy.gene_matching import Agreement
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.genome.intervals import Interval

PRIMARY_RIGHT, PRIMARY_WRONG, NMD, NOT_NMD = "primary_right", "primary_wrong", "nmd", "not_nmd"
SUBSETS = (ALL, PRIMARY_RIGHT, PRIMARY_WRONG, *EVENT_CLASSES, NMD, NOT_NMD)
#: Scores at which a curve of additions is drawn.
CUTS = 20
#: Recalls at which the precision is told.
RECALLS = (0.05, 0.10, 0.20)
Floats = npt.NDArray[np.float64]
#: Contig, strand, CDS segments.
Chain = tuple[str, str, tuple[Interval, ...]]


@dataclass(frozen=True, slots=True)
class Isoform:
    """A chain beside the primary of its gene: an addition, or an alternative of the reference.

    Attributes:
        transcript: the first transcript with this chain; of additions the one with the highest score.
        gene: number of its gene among those of its side.
        against: the transcript that its event is told against; None for the longest chain of a locus without a right
            primary.
        matched: the other side has it: a right addition, or an alternative that is found.
        primary_right: whether a primary of its gene is right.
    """

    transcript: Transcript
    gene: int
    against: Transcript | None
    matched: bool
    primary_right: bool

    @property
    def event(self) -> str:
        """One of :data:`phytoscribe.annotation.isoform_events.EVENT_CLASSES`, or an empty text."""
        return "" if self.against is None else event_class(coding_events(self.against, self.transcript))

    def within(self, subset: str) -> bool:
        """Whether it belongs to all, or to those with a right or with a wrong primary; quick, without its event."""
        return subset == ALL or self.primary_right == (subset == PRIMARY_RIGHT)

    def subsets(self) -> set[str]:
        """Those of :data:`SUBSETS` that it belongs to."""
        nmd = NMD if looks_like_nmd_target(self.transcript) else NOT_NMD
        return {ALL, PRIMARY_RIGHT if self.primary_right else PRIMARY_WRONG, nmd, self.event} - {""}


@dataclass(frozen=True, slots=True)
class Additions:
    """What one prediction adds, and what it could have added.

    Attributes:
        reference, predicted: the genes that are compared.
        additions: of the predicted genes.
        alternatives: of the reference genes.
    """

    reference: Sequence[GeneModel]
    predicted: Sequence[GeneModel]
    additions: Sequence[Isoform]
    alternatives: Sequence[Isoform]

    @property
    def agreement(self) -> Agreement:
        """Of all additions and alternatives."""
        return _agreement(self.additions, self.alternatives)

    def agreements(self) -> dict[str, Agreement]:
        """Agreement in each of :data:`SUBSETS`, additions and alternatives cut by their own properties."""
        members: dict[str, tuple[list[Isoform], list[Isoform]]] = {subset: ([], []) for subset in SUBSETS}
        for side, isoforms in enumerate((self.additions, self.alternatives)):
            for isoform in isoforms:
                for subset in isoform.subsets():
                    members[subset][side].append(isoform)
        return {subset: _agreement(*sides) for subset, sides in members.items()}


def scored_isoforms(scope: Scope, genes: Sequence[GeneModel]) -> dict[str, Additions]:
    """Additions of predicted genes to the whole reference and to each subset of it that the scope has.

    A gene whose primary the mask touches is left out with all that it adds.
    """
    scored = scope.scored(genes)
    primaries = {id(gene.coding_transcripts[0]) for gene in genes if gene.coding_transcripts}
    kept = [id(gene.transcripts[0]) in primaries for gene in scored.predicted]
    return {
        subset: compare_isoforms(
            list(compress(scored.reference, choice.reference)),
            list(compress(scored.predicted, choice.predicted & np.array(kept, dtype=np.bool_))),
        )
        for subset, choice in scored.choices(scope.subsets).items()
    }


def compare_isoforms(reference: Sequence[GeneModel], predicted: Sequence[GeneModel]) -> Additions:
    """Additions and alternatives of genes that both have their coding transcripts alone."""
    known = {chain for gene in reference for chain, _ in chains_of(gene)}
    primaries = {_chain(gene.transcripts[0]) for gene in predicted}
    best: dict[Chain, tuple[int, Transcript]] = {}
    for number, gene in enumerate(predicted):
        for chain, transcript in chains_of(gene):
            if chain not in primaries and (chain not in best or _score(transcript) > _score(best[chain][1])):
                best[chain] = (number, transcript)
    additions = [
        Isoform(transcript, number, first, chain in known, _chain(first) in known)
        for chain, (number, transcript) in best.items()
        for first in [predicted[number].transcripts[0]]
    ]
    return Additions(reference, predicted, additions, _alternatives(reference, primaries, set(best)))


def completed(found: Additions) -> Additions:
    """The same where the primary is the longest CDS of a locus: what is added to a known transcript."""
    longest = {_chain(gene.representative): number for number, gene in enumerate(found.reference)}
    prompted = [gene for gene in found.predicted if _chain(gene.transcripts[0]) in longest]
    loci = sorted({longest[_chain(gene.transcripts[0])] for gene in prompted})
    return compare_isoforms([found.reference[number] for number in loci], prompted)


def reference_isoforms(reference: Sequence[GeneModel]) -> Additions:
    """The reference's own alternatives, beside the longest CDS of each gene, as if they were predicted."""
    return compare_isoforms(reference, [longest_first(gene) for gene in reference])


def longest_first(gene: GeneModel) -> GeneModel:
    """The same coding gene with the transcript of the longest CDS in front."""
    first = gene.representative
    return replace(gene, transcripts=(first, *(t for t in gene.transcripts if t is not first)))


def _alternatives(reference: Iterable[GeneModel], primaries: set[Chain], added: set[Chain]) -> list[Isoform]:
    found: dict[Chain, Isoform] = {}
    for number, gene in enumerate(reference):
        chains = dict(chains_of(gene))
        right = [transcript for chain, transcript in chains.items() if chain in primaries]
        longest = gene.representative
        for chain, transcript in chains.items():
            if chain not in primaries and chain not in found:
                against = right[0] if right else (longest if transcript.cds != longest.cds else None)
                found[chain] = Isoform(transcript, number, against, chain in added, bool(right))
    return list(found.values())


def chains_of(gene: GeneModel) -> Iterator[tuple[Chain, Transcript]]:
    """Each distinct CDS chain of a gene, with its first transcript."""
    first: dict[tuple[Interval, ...], Transcript] = {}
    for transcript in gene.coding_transcripts:
        first.setdefault(transcript.cds, transcript)
    return ((_chain(transcript), transcript) for transcript in first.values())


def _chain(transcript: Transcript) -> Chain:
    return transcript.contig, transcript.strand, transcript.cds


def _score(transcript: Transcript) -> float:
    return -np.inf if transcript.score is None else transcript.score


def _agreement(additions: Sequence[Isoform], alternatives: Sequence[Isoform]) -> Agreement:
    right, found = (sum(isoform.matched for isoform in side) for side in (additions, alternatives))
    return Agreement(right, len(additions), found, len(alternatives))


@dataclass(frozen=True, slots=True)
class ScoreCurve:
    """Precision and recall of additions at each distinct score, float (scores,) each, from the highest score down.

    Attributes:
        least: the lowest score that is taken.
        taken: additions with this score or a higher one.
        precision, recall: of them.
    """

    least: Floats
    taken: npt.NDArray[np.int64]
    precision: Floats
    recall: Floats

    @classmethod
    def of(cls, scores: npt.ArrayLike, right: npt.ArrayLike, total: int) -> ScoreCurve:
        """From the scores (n,) of additions, whether they are right, bool (n,), and the number of alternatives.

        Equal scores are taken together, so the order of the additions does not matter.
        """
        values, hits = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=np.bool_)
        order = np.argsort(-values, kind="stable")
        last = np.append(np.flatnonzero(np.diff(values[order])), values.size - 1)[: max(values.size, 0)]
        found = np.cumsum(hits[order], dtype=np.int64)[last]
        recall = found / total if total else np.full(last.size, np.nan)
        return cls(values[order][last], last + 1, found / (last + 1), recall)

    @property
    def area(self) -> float:
        """Average precision: precision times gain in recall, summed; alternatives that are never found add nothing."""
        return float(np.sum(self.precision * np.diff(self.recall, prepend=0.0)))

    def recall_at_precision(self, least: float) -> float:
        """The highest recall at which the precision is at least this; 0 if it never is."""
        return float(self.recall[self.precision >= least].max(initial=0.0))

    def precision_at_recall(self, least: float) -> float:
        """The precision at the first score that reaches this recall; NaN if none does."""
        reached = np.flatnonzero(self.recall >= least)
        return float(self.precision[reached[0]]) if reached.size else float("nan")

    def cuts(self, number: int = CUTS) -> npt.NDArray[np.int64]:
        """Indices of scores that take about 1/n, 2/n, ... of the additions, int64 (<= number,)."""
        wanted = np.ceil(np.arange(1, number + 1) * self.taken[-1] / number) if self.taken.size else np.empty(0)
        return np.unique(np.searchsorted(self.taken, wanted))
