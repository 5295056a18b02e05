"""All that the reference says about predicted genes: scores on every ruler, and a row for each gene."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.counts import ALL, Scored
from phytoscribe.evaluation.accuracy.criteria import Reads, longest_isoforms, ruler_rows
from phytoscribe.evaluation.accuracy.error_classes import Meetings
from phytoscribe.evaluation.accuracy.gene_tables import fate_rows, predicted_genes, reference_loci
from phytoscribe.evaluation.accuracy.scored_loci import NO_TRAIN_HOMOLOGUE, Scope
from phytoscribe.tables import Row, score_table

log = logging.getLogger(__name__)
#: The baseline that knows the reference, but only one isoform of each gene.
LONGEST_ISOFORM = "longest_isoform"


@dataclass(frozen=True)
class GeneEvaluation:
    """Tables of all predictors.

    Attributes:
        scores: columns of :mod:`phytoscribe.tables`.
        reference_loci, predicted_genes: see :mod:`phytoscribe.evaluation.accuracy.gene_tables`.
    """

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
    return GeneEvaluation(
        score_table([row for of_predictor in rows for row in of_predictor]),
        pd.concat(loci, ignore_index=True),
        pd.concat(genes, ignore_index=True),
    )


def evaluate_predictor(
    predictor: str, genes: Sequence[GeneModel], scope: Scope, reads: Reads | None = None
) -> tuple[list[Row], pd.DataFrame, pd.DataFrame]:
    """Score rows and both tables of one predictor; arguments as in :func:`evaluate_predictors`."""
    scored = scope.scored(genes)
    met = Meetings(scored.reference, counted_genes(scored), scope.ignored, known=scored)
    log.info("%s: %d genes, %d of them where predictions are scored", predictor, len(genes), len(met.predicted))
    loci = reference_loci(met, predictor, scope.subsets.get(NO_TRAIN_HOMOLOGUE))
    predicted = predicted_genes(met, predictor)
    found = [
        (level, criterion, subset, scope.metric(metric), value, n)
        for level, criterion, subset, metric, value, n in ruler_rows(scored, scope.subsets, reads)
    ] + fate_rows(loci, predicted)
    return [(predictor, *row) for row in found], loci, predicted


def counted_genes(scored: Scored) -> list[GeneModel]:
    """Predicted genes that count for or against the predictor, over all scored loci."""
    counted = dict(scored.choices({}))[ALL].predicted
    return list(compress(scored.predicted, counted))
