"""Evaluate predicted genes against the reference: scores by every criterion, and a row for each gene.

The compared chains are: for a correct gene, its longest correct chain; for a wrong locus that shares CDS bases with
predictions, the most similar pair (:func:`phytoscribe.evaluation.accuracy.error_classes.closest_chains`) with the
prediction that shares most bases; for a locus that no prediction overlaps, its longest chain.

With a split by contigs or species, the scored contigs hold loci of one part only, and every predicted gene on them
counts.  With a split by clusters they also hold training loci; then only predictions that overlap the held-out
intervals (scored loci with ``flank`` bases on each side) count, because the rest of the contig was seen in training.
False genes between loci are then missed, so precision and F1 are higher than over whole contigs; they are named
``precision_near_loci`` and ``f1_near_loci`` (:func:`phytoscribe.tables.near_loci`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import NamedTuple

import numpy as np
import pandas as pd

from phytoscribe.annotation.checking.tables import Reason, TranscriptRow, without_rejected
from phytoscribe.annotation.model import GeneModel, first_transcripts
from phytoscribe.evaluation.accuracy.counts import ALL, Mask, Reads, Scored, criterion_rows, longest_isoforms
from phytoscribe.evaluation.accuracy.error_classes import ErrorClass, Meetings, closest_chains
from phytoscribe.evaluation.accuracy.gene_arrays import Codes, GeneColumns, flags
from phytoscribe.evaluation.accuracy.gene_matching import MetricRow
from phytoscribe.genome.intervals import IntervalIndex
from phytoscribe.tables import LOCI, PREDICTED_GENES, ScoreRow, near_loci, score_table

log = logging.getLogger(__name__)
#: Reasons of the annotation check that keep a transcript out of training, but not out of the reference.
UNUSUAL_BUT_REAL = frozenset(
    {Reason.AT_AC_SPLICE_SITE, Reason.SPLICE_SITE, Reason.CDS_SEGMENT_TOO_SHORT, Reason.INTRON_TOO_LONG}
)
NO_TRAIN_HOMOLOGUE = "no_train_homologue"
#: The baseline that knows the reference, but only one isoform of each gene.
LONGEST_ISOFORM = "longest_isoform"
OVERLAP = "overlap"
RIGHT, MISSED, NOVEL, WRONG_STRUCTURE = "right", "missed", "novel", "wrong_structure"
LOCUS_FATES = (RIGHT, MISSED, "split", "merged", WRONG_STRUCTURE)
PREDICTED_FATES = (RIGHT, NOVEL, "split", "merged", WRONG_STRUCTURE)
_UNMET = frozenset({ErrorClass.MISSED, ErrorClass.WRONG_STRAND, ErrorClass.TRANSPOSON, ErrorClass.INTERGENIC})
_KEPT = frozenset({RIGHT, ErrorClass.SPLIT, ErrorClass.MERGED})


@dataclass(frozen=True)
class Scope:
    """The reference of one genome, prepared for scoring any number of predictors.

    Attributes:
        reference: scored reference loci.
        ignored: known loci that are not reference: in another part of the split, or without an intact reading frame.
        contigs: scored contigs.
        mask: intervals by contig that count on neither side.
        subsets: additional subsets of the reference, by gene id.
        held_out: intervals outside which no prediction counts; None if all of the scored contigs are held out.
    """

    reference: Sequence[GeneModel]
    ignored: Sequence[GeneModel]
    contigs: Collection[str]
    mask: Mask
    subsets: Mapping[str, Collection[str]] = field(default_factory=dict)
    held_out: IntervalIndex | None = None

    @classmethod
    def of(
        cls,
        annotation: Sequence[GeneModel],
        rejected: Sequence[TranscriptRow],
        contigs: Collection[str],
        mask: Mask | None = None,
        splits: pd.DataFrame | None = None,
        part: str = "test",
        flank: int = 500,
    ) -> Scope:
        """Scope of one genome.

        Args:
            annotation: the cleaned annotation, including the transcripts that the check rejected.
            rejected: the check's table, of :func:`~phytoscribe.annotation.checking.tables.read_transcripts`.
            contigs: the scored contigs.
            mask: intervals by contig that count on neither side.
            splits: this genome's rows of the split table; without them every locus on ``contigs`` is scored.
            part: the scored part of the split.
            flank: bases beside a locus that are held out with it if a contig holds several parts.
        """
        contigs = frozenset(contigs)
        reference, broken = without_broken([gene for gene in annotation if gene.contig in contigs], rejected)
        if splits is None:
            return cls(reference, broken, contigs, mask or {})
        rows = splits[splits["contig"].isin(contigs)]
        chosen = rows[rows["part"] == part]
        ids, other_ids = set(chosen["locus"]), set(rows.loc[rows["part"] != part, "locus"])
        mixed = bool((rows["part"] != part).any())
        # Loci that were no use for training (U12 introns, say) have no row; they count where the contig is one part's.
        scored = [gene for gene in reference if gene.id in ids or not (mixed or gene.id in other_ids)]
        names = {gene.id for gene in scored}
        ignored = [*(gene for gene in reference if gene.id not in names), *broken]
        log.info("part %s: %d loci scored, %d known but not scored", part, len(scored), len(ignored))
        subsets = {NO_TRAIN_HOMOLOGUE: set(chosen.loc[~chosen["has_train_homologue"], "locus"])}
        return cls(scored, ignored, contigs, mask or {}, subsets, _flanked(scored, flank) if mixed else None)

    def scored(self, predicted: Iterable[GeneModel]) -> Scored:
        """The reference and the predicted genes in the scored regions, ready for every criterion."""
        return Scored.of(self.reference, self.countable(predicted), self.mask, self.contigs, self.ignored)

    def countable(self, predicted: Iterable[GeneModel]) -> list[GeneModel]:
        """Predicted genes in the scored regions."""
        if self.held_out is None:
            return list(predicted)
        return [gene for gene in predicted if self.held_out.overlaps(gene.contig, gene.start, gene.end)]

    def metric(self, name: str) -> str:
        """The name in the score table of a metric that counts only the predictions kept by :meth:`countable`."""
        return name if self.held_out is None else near_loci(name)


def without_broken(
    annotation: Sequence[GeneModel], rejected: Sequence[TranscriptRow]
) -> tuple[list[GeneModel], list[GeneModel]]:
    """Divide the annotation into genes with the transcripts that can be reference, and genes that have none.

    A transcript that the check rejected can still be reference if only its introns or exons are unusual
    (:data:`UNUSUAL_BUT_REAL`): dropping those would make the benchmark easier than the genome is.  Genes without any
    coding transcript are in neither list.
    """
    coding = [replace(gene, transcripts=gene.coding_transcripts) for gene in annotation if gene.coding_transcripts]
    kept = without_rejected(coding, rejected, UNUSUAL_BUT_REAL)
    names = {gene.id for gene in kept}
    return kept, [gene for gene in coding if gene.id not in names]


def _flanked(genes: Iterable[GeneModel], flank: int) -> IntervalIndex:
    tracks: dict[str, list[tuple[int, int]]] = {}
    for gene in genes:
        tracks.setdefault(gene.contig, []).append((max(0, gene.start - flank), gene.end + flank))
    return IntervalIndex(tracks)


class GeneEvaluation(NamedTuple):
    """Tables of all predictors, with the columns declared in :mod:`phytoscribe.tables`."""

    scores: pd.DataFrame
    reference_loci: pd.DataFrame
    predicted_genes: pd.DataFrame


def evaluate_predictors(
    predictions: Mapping[str, Sequence[GeneModel]], scope: Scope, reads: Reads | None = None
) -> GeneEvaluation:
    """Scores of every predictor, and of :data:`LONGEST_ISOFORM` after them.

    Args:
        predictions: genes by predictor.
        scope: what is scored.
        reads: aligned blocks of transcript reads by (contig, strand), for the subsets by expression.
    """
    predictions = {**predictions, LONGEST_ISOFORM: longest_isoforms(scope.scored(()))}
    found = [evaluate_predictor(predictor, genes, scope, reads) for predictor, genes in predictions.items()]
    rows, loci, genes = zip(*found)
    scores = score_table([row for of_predictor in rows for row in of_predictor])
    return GeneEvaluation(scores, pd.concat(loci, ignore_index=True), pd.concat(genes, ignore_index=True))


def evaluate_predictor(
    predictor: str, genes: Sequence[GeneModel], scope: Scope, reads: Reads | None = None
) -> tuple[list[ScoreRow], pd.DataFrame, pd.DataFrame]:
    """Score rows and both tables of one predictor; arguments as in :func:`evaluate_predictors`."""
    scored, first = scope.scored(genes), scope.scored(first_transcripts(genes))
    counted = list(compress(scored.predicted, scored.choices({})[ALL].predicted))
    met = Meetings(scored.reference, counted, scope.ignored, known=scored)
    log.info("%s: %d genes, %d of them where predictions are scored", predictor, len(genes), len(met.predicted))
    loci = reference_loci(met, predictor, scope.subsets.get(NO_TRAIN_HOMOLOGUE))
    predicted = predicted_genes(met, predictor)
    found = [
        (level, criterion, subset, scope.metric(metric), value, n)
        for level, criterion, subset, metric, value, n in criterion_rows(scored, first, scope.subsets, reads)
    ] + fate_rows(loci, predicted)
    return [(predictor, *row) for row in found], loci, predicted


def reference_loci(met: Meetings, predictor: str, without_homologue: Collection[str] | None) -> pd.DataFrame:
    """A row of :data:`phytoscribe.tables.LOCI` for each scored locus; ``start`` counts from 1.

    Args:
        met: scored loci and the counted predicted genes.
        predictor: its name.
        without_homologue: ids of the loci without a homologue in training; None where there is no split.
    """
    loci, predicted = met.loci[: met.scored], met.predicted
    reference, guesses = met.comparison.reference, met.comparison.predicted
    chains, guessed = met.comparison.chains
    there = flags(guessed, int(max(chains.max(initial=-1), guessed.max(initial=-1))) + 1)[chains]
    compared = _best(reference, chains, there)[: met.scored]
    exons, lengths = reference.counts[compared], reference.lengths[compared]
    partner = _first_with(guesses, guessed, met.predicted_spans[0])
    classes, names, predicted_exons = [RIGHT] * len(loci), [""] * len(loci), [""] * len(loci)
    for number in np.flatnonzero(met.right_loci).tolist():
        names[number] = predicted[partner[int(chains[compared[number]])]].id
        predicted_exons[number] = str(exons[number])
    for number in np.flatnonzero(~met.right_loci).tolist():
        classes[number] = str(met.locus_error(number))
        if met.predictions_at[number]:
            other = predicted[met.predictions_at.closest(number)]
            chain, guess = closest_chains(loci[number], other)
            names[number], predicted_exons[number] = other.id, str(len(guess))
            exons[number], lengths[number] = len(chain), sum(end - start for start, end in chain)
    known = [""] * len(loci)
    if without_homologue is not None:
        known = ["yes" if gene.id in without_homologue else "no" for gene in loci]
    spans = [side[: met.scored] for side in met.locus_spans]
    values = (*_places(loci, *spans), classes, names, exons, predicted_exons, lengths, known)
    return pd.DataFrame(dict(zip(LOCI, ([predictor] * len(loci), *values))))


def predicted_genes(met: Meetings, predictor: str) -> pd.DataFrame:
    """A row of :data:`phytoscribe.tables.PREDICTED_GENES` for each counted predicted gene; ``start`` counts from 1.

    ``class`` is one of :data:`PREDICTED_FATES`, ``error`` the class of the error, empty for a right gene.
    """
    genes, guesses = met.predicted, met.comparison.predicted
    chains, guessed = met.comparison.chains
    in_reference = met.comparison.reference.gene < met.scored
    there = flags(chains[in_reference], int(max(chains.max(initial=-1), guessed.max(initial=-1))) + 1)[guessed]
    compared = _best(guesses, guessed, there)
    errors = ["" if right else str(met.prediction_error(n)) for n, right in enumerate(met.right_predictions)]
    values = (
        *_places(genes, *met.predicted_spans),
        [gene.score for gene in genes],
        np.where(met.right_predictions, "yes", "no"),
        [fate(error, NOVEL) for error in errors],
        errors,
        guesses.counts[compared],
        guesses.lengths[compared],
    )
    return pd.DataFrame(dict(zip(PREDICTED_GENES, ([predictor] * len(genes), *values))))


def fate(error: str, unmet: str) -> str:
    """The outcome of a gene; ``unmet`` is the word for one that overlaps no gene of the other side."""
    if not error:
        return RIGHT
    if error in _UNMET:
        return unmet
    return error if error in _KEPT else WRONG_STRUCTURE


def fate_rows(loci: pd.DataFrame, predicted: pd.DataFrame) -> list[MetricRow]:
    """Counts of loci and predicted genes by :func:`fate`, as rows (level, criterion, subset, metric, value, n)."""
    rows: list[MetricRow] = []
    for level, fates, classes in (
        ("reference_locus", [fate("" if c == RIGHT else c, MISSED) for c in loci["class"]], LOCUS_FATES),
        ("predicted_gene", list(predicted["class"]), PREDICTED_FATES),
    ):
        counts = Counter(fates)
        rows += [(level, OVERLAP, ALL, name, float(counts[name]), len(fates)) for name in classes]
    return rows


def _best(side: GeneColumns, chains: Codes, right: np.ndarray) -> Codes:
    """The transcript of each gene that is compared: the longest right one, or the longest; (genes,)."""
    order = np.lexsort([chains, -side.lengths, ~right, side.gene])
    return order[np.searchsorted(side.gene[order], np.arange(side.genes))]


def _first_with(side: GeneColumns, chains: Codes, starts: Codes) -> dict[int, int]:
    """The first gene by position that has each chain; ``starts`` are those of the genes."""
    order = np.lexsort([side.gene, starts[side.gene], chains])
    code, first = np.unique(chains[order], return_index=True)
    return dict(zip(code.tolist(), side.gene[order][first].tolist()))


def _places(
    genes: Sequence[GeneModel], starts: Codes, ends: Codes
) -> tuple[list[str], list[str], list[str], Codes, Codes]:
    """Ids, contigs, strands, starts from 1 and ends."""
    ids = [gene.id for gene in genes]
    return ids, [gene.contig for gene in genes], [gene.strand for gene in genes], starts + 1, ends
