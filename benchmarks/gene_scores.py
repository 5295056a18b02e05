"""Scores and lists of wrong genes that the workflow does not write: for benchmarks and tests."""

from __future__ import annotations

import logging
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.evaluation.accuracy.counts import EXACT, LEVELS, Mask, Scored, level_rows
from phytoscribe.evaluation.accuracy.error_classes import ErrorClass, Meetings
from phytoscribe.evaluation.accuracy.gene_matching import Agreement
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.tables import COLUMNS

log = logging.getLogger(__name__)


def score_genes(
    reference: Sequence[GeneModel],
    predicted: Sequence[GeneModel],
    mask: Mask | None = None,
    contigs: Collection[str] | None = None,
    subsets: Mapping[str, Collection[str]] | None = None,
    ignored: Sequence[GeneModel] = (),
) -> pd.DataFrame:
    """Scores at every level by the exact criterion, with the columns of score tables but the predictor.

    Args:
        reference, predicted, mask, contigs, ignored: those of :meth:`Scored.of`.
        subsets: further subsets of the reference by name, each a set of gene ids; ``all`` is always scored.
    """
    scored = Scored.of(reference, predicted, mask, contigs, ignored)
    rows = level_rows(scored.comparison, scored.choices(subsets or {}), LEVELS, EXACT)
    return pd.DataFrame(rows, columns=list(COLUMNS[1:]))


def score_predictors(predictions: Mapping[str, Sequence[GeneModel]], scope: Scope) -> pd.DataFrame:
    """Exact scores of every predictor in one score table."""
    tables = []
    for predictor, genes in predictions.items():
        counted = scope.countable(genes)
        log.info("%s: %d genes, %d of them where predictions are scored", predictor, len(genes), len(counted))
        scores = score_genes(scope.reference, counted, scope.mask, scope.contigs, scope.subsets, scope.ignored)
        tables.append(scores.assign(predictor=predictor, metric=scores["metric"].map(scope.metric)))
    return pd.concat(tables, ignore_index=True).loc[:, list(COLUMNS)]


def loci_within(reference: Sequence[GeneModel], predicted: Sequence[GeneModel], tolerance: int) -> Agreement:
    """Agreement of loci of scorable genes; a locus is right if any of its transcripts agrees with any of the other
    side, with equal introns and ends that differ by at most ``tolerance`` bp."""
    comparison = Scored.of_scorable(reference, predicted).comparison
    return comparison.agreement_within("locus", tolerance, comparison.everything)


@dataclass(frozen=True)
class GeneError:
    """A wrong gene.

    Attributes:
        gene: the reference locus or the predicted gene.
        error: its class.
        partners: the genes of the other side that share CDS bases with it, in order of position.
        is_prediction: it is a predicted gene.
    """

    gene: GeneModel
    error: ErrorClass
    partners: tuple[GeneModel, ...]
    is_prediction: bool = False


def wrong_genes(
    reference: Sequence[GeneModel],
    predicted: Sequence[GeneModel],
    unscored: Sequence[GeneModel] = (),
    transposons: Mapping[str, Sequence[Interval]] | None = None,
) -> tuple[list[GeneError], list[GeneError]]:
    """Loci that no prediction has right, and predictions that are not right; arguments are those of Meetings."""
    met = Meetings(reference, predicted, unscored, transposons)
    lost = [
        GeneError(met.loci[n], met.locus_error(n), tuple(predicted[k] for k in met.predictions_at[n]))
        for n in np.flatnonzero(~met.right_loci).tolist()
    ]
    wrong = [
        GeneError(predicted[n], met.prediction_error(n), tuple(met.loci[k] for k in met.loci_at[n]), is_prediction=True)
        for n in np.flatnonzero(~met.right_predictions).tolist()
    ]
    return lost, wrong


def without_unscored_loci(
    predicted: Sequence[GeneModel], scored: Sequence[GeneModel], unscored: Sequence[GeneModel]
) -> list[GeneModel]:
    """Predicted genes without those that overlap an unscored locus and no scored one (CDS bases, same strand)."""
    if not unscored:
        return list(predicted)
    counted = Scored.of_scorable(scored, predicted, ignored=unscored).choices({})["all"].predicted
    return [gene for gene, counts in zip(predicted, counted) if counts]


def cds_tracks(genes: Iterable[GeneModel]) -> dict[Hashable, list[Interval]]:
    """CDS segments by (contig, strand), as they come: not merged."""
    tracks: dict[Hashable, list[Interval]] = {}
    for gene in genes:
        for transcript in gene.coding_transcripts:
            tracks.setdefault((gene.contig, gene.strand), []).extend(transcript.cds)
    return tracks
