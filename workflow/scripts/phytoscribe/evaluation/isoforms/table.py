"""The table ``{genome}.isoforms.tsv``: additions of every predictor by all measures; docs/isoforms.md explains them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.calibration import (
    chance_error,
    equal_mass_bins,
    equal_width_bins,
    expected_calibration_error,
)
from phytoscribe.evaluation.accuracy.counts import ALL
from phytoscribe.evaluation.accuracy.gene_matching import MetricRow
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.evaluation.accuracy.resampling import DRAWS, SEED, Floats, Ints, interval, resampled, units_of
from phytoscribe.evaluation.isoforms.additions import (
    PRIMARY_RIGHT,
    PRIMARY_WRONG,
    RECALLS,
    Additions,
    Isoform,
    ScoreCurve,
    chains_of,
    completed,
    reference_isoforms,
    scored_isoforms,
)
from phytoscribe.evaluation.isoforms.support import event_rows, intron_rows, read_rows
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
from phytoscribe.genome.junctions import Junction
from phytoscribe.tables import ScoreRow, score_table, share

log = logging.getLogger(__name__)
#: The reference's own alternatives, beside the longest CDS of each gene, as a predictor of the table.
REFERENCE = "reference"
ADDITION, COMPLETION = "addition", "completion"
#: Subsets with intervals, by level.
_RESAMPLED = {ADDITION: (ALL, PRIMARY_RIGHT, PRIMARY_WRONG), COMPLETION: (ALL,)}
_SHARES = ("precision", "recall", "f1")


def evaluate_isoforms(
    predictions: Mapping[str, Sequence[GeneModel]],
    scope: Scope,
    reads: ReadEvidence | None = None,
    junctions: Mapping[Junction, int] | None = None,
) -> pd.DataFrame:
    """Rows of every predictor, and of :data:`REFERENCE` after them, with the columns of
    :data:`phytoscribe.tables.SCORES`.

    Args:
        predictions: genes by predictor; the first one is what the others are compared with.
        scope: what is scored.
        reads: Iso-Seq reads.
        junctions: RNA-seq reads by junction.
    """
    found = {predictor: scored_isoforms(scope, genes) for predictor, genes in predictions.items()}
    whole = {predictor: subsets[ALL] for predictor, subsets in found.items()}
    given = {predictor: completed(additions) for predictor, additions in whole.items()}
    intervals = interval_rows(whole, {ADDITION: whole, COMPLETION: given})
    rows: list[ScoreRow] = []
    for predictor, subsets in found.items():
        ours = subsets[ALL]
        log.info("%s: %d additions, %d of them right", predictor, len(ours.additions), ours.agreement.right_predicted)
        measured = [
            *addition_rows(ADDITION, ours),
            *chain.from_iterable(
                part.agreement.rows(ADDITION, "exact", subset) for subset, part in subsets.items() if subset != ALL
            ),
            *intervals[predictor],
            *curve_rows(ADDITION, ours),
            *addition_rows(COMPLETION, given[predictor]),
            *curve_rows(COMPLETION, given[predictor]),
            *event_rows(ours),
            *intron_rows(ours, junctions),
            *calibration_rows(ours.additions),
            *_of_genes(ours.predicted, ours.additions, reads),
        ]
        rows += [(predictor, *key, scope.metric(metric), value, n) for *key, metric, value, n in measured]
    known = reference_isoforms(scope.scored(()).reference)
    rows += [(REFERENCE, *row) for row in _of_genes(known.reference, known.additions, reads)]
    return score_table(rows)


def addition_rows(level: str, found: Additions) -> list[MetricRow]:
    """Precision, recall and F1 of all additions, and of each subset that either side has."""
    # All primaries of completion are right.
    left_out = {PRIMARY_RIGHT, PRIMARY_WRONG} if level == COMPLETION else set()
    return [
        row
        for subset, agreement in found.agreements().items()
        if subset == ALL or (subset not in left_out and (agreement.predicted or agreement.reference))
        for row in agreement.rows(level, "exact", subset)
    ]


def curve_rows(level: str, found: Additions) -> list[MetricRow]:
    """Precision and recall by the transcripts' scores; nothing unless every addition has one."""
    scores = _scores(found.additions)
    if scores is None:
        return []
    total, n = len(found.alternatives), len(found.additions)
    curve = ScoreCurve.of(scores, [isoform.matched for isoform in found.additions], total)
    rows: list[MetricRow] = [
        (level, "by_score", ALL, "area", curve.area, total),
        (level, "by_score", ALL, "recall_at_precision_0.50", curve.recall_at_precision(0.5), total),
        *((level, "by_score", ALL, f"precision_at_recall_{r:.2f}", curve.precision_at_recall(r), n) for r in RECALLS),
    ]
    for number, at in enumerate(curve.cuts().tolist(), start=1):
        values = {"least_score": curve.least, "precision": curve.precision, "recall": curve.recall}
        subset, taken = f"cut_{number:02d}", int(curve.taken[at])
        rows += [(level, "by_score", subset, name, float(of[at]), taken) for name, of in values.items()]
    return rows


def calibration_rows(additions: Sequence[Isoform]) -> list[MetricRow]:
    """Reliability of the additions' scores; nothing unless every addition has one between 0 and 1."""
    scores = _scores(additions)
    if scores is None or scores.min() < 0 or scores.max() > 1:
        return []
    right, rows = [isoform.matched for isoform in additions], []
    for name, bins in (("equal_mass", equal_mass_bins), ("equal_width", equal_width_bins)):
        table = bins(scores, right)
        rows += [
            (ADDITION, name, ALL, "expected_error", expected_calibration_error(table), len(additions)),
            (ADDITION, name, ALL, "chance_error", chance_error(scores, bins), len(additions)),
        ]
        for number, row in enumerate(table.to_dict("records"), start=1):
            shown = ("low", "high", "mean_probability", "share_right")
            rows += [(ADDITION, name, f"bin_{number:02d}", key, float(row[key]), int(row["n"])) for key in shown]
    return rows


def interval_rows(
    whole: Mapping[str, Additions], levels: Mapping[str, Mapping[str, Additions]], draws: int = DRAWS, seed: int = SEED
) -> dict[str, list[MetricRow]]:
    """Middle 95 % of precision, recall and F1 over draws of loci, by predictor.

    ``{metric}_low`` and ``{metric}_high`` are of the predictor itself, ``{metric}_lead_low`` and ``..._high`` of the
    first predictor minus this one, on the same draws.

    Args:
        whole: all additions of each predictor, to the same reference.
        levels: by level and predictor what is drawn: all of it, or those of some genes.
    """
    predictors = list(whole)
    if not predictors:
        return {}
    predicted = {predictor: found.predicted for predictor, found in whole.items()}
    units, total = units_of(whole[predictors[0]].reference, predicted)
    genes = {name: {id(gene): unit for gene, unit in zip(of, units[name].tolist())} for name, of in predicted.items()}
    # Each predictor's own: a reference gene that the mask touches is reduced anew for each.
    loci = {name: {id(gene): unit for unit, gene in enumerate(found.reference)} for name, found in whole.items()}
    keys = [(level, subset, predictor) for level in levels for subset in _RESAMPLED[level] for predictor in predictors]
    counts = [
        _unit_counts(levels[level][predictor], subset, genes[predictor], loci[predictor], total)
        for level, subset, predictor in keys
    ]
    drawn = {key: _shares(of) for key, of in zip(keys, resampled(counts, draws, seed))}
    rows: dict[str, list[MetricRow]] = {predictor: [] for predictor in predictors}
    for (level, subset, predictor), shares in drawn.items():
        for metric, values in shares.items():
            told = {metric: values}
            if predictor != predictors[0]:
                told[f"{metric}_lead"] = drawn[level, subset, predictors[0]][metric] - values
            for name, of in told.items():
                ends = zip(("low", "high"), interval(of))
                rows[predictor] += [(level, "exact", subset, f"{name}_{end}", value, total) for end, value in ends]
    return rows


def _unit_counts(found: Additions, subset: str, genes: Mapping[int, int], loci: Mapping[int, int], total: int) -> Ints:
    """Right additions, additions, found alternatives and alternatives of each unit, int (units, 4).

    Args:
        genes, loci: the unit of each predicted gene and of each reference gene, by the object's identity.
    """
    columns = []
    for isoforms, side, unit in (
        (found.additions, found.predicted, genes),
        (found.alternatives, found.reference, loci),
    ):
        chosen = [isoform for isoform in isoforms if isoform.within(subset)]
        for kept in ([isoform for isoform in chosen if isoform.matched], chosen):
            numbers = np.array([unit[id(side[isoform.gene])] for isoform in kept], dtype=np.int64)
            columns.append(np.bincount(numbers, minlength=total))
    return np.column_stack(columns)


def _shares(counts: Ints) -> dict[str, Floats]:
    """Precision, recall and F1 of rows of counts, each (draws,); NaN as in ``Agreement``."""
    right, predicted, found, known = counts.T.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = right / predicted, found / known
        f1 = np.where((right > 0) & (found > 0), 2 / (1 / precision + 1 / recall), 0.0)
    f1[(predicted == 0) & (known == 0)] = np.nan
    return dict(zip(_SHARES, (precision, recall, f1)))


def _of_genes(genes: Sequence[GeneModel], isoforms: Sequence[Isoform], reads: ReadEvidence | None) -> list[MetricRow]:
    """How many isoforms genes have, and how many of these reads hold."""
    counts = [sum(1 for _ in chains_of(gene)) for gene in genes]
    several = sum(count > 1 for count in counts)
    return [
        ("gene", "exact", ALL, "isoforms_per_gene", share(sum(counts), len(counts)), len(counts)),
        ("gene", "exact", ALL, "share_with_alternatives", share(several, len(counts)), len(counts)),
        *([] if reads is None else read_rows(genes, isoforms, reads)),
    ]


def _scores(additions: Sequence[Isoform]) -> Floats | None:
    """Scores (n,) of additions; None if there is none, or one of them has no score."""
    scores = [isoform.transcript.score for isoform in additions]
    return np.array(scores, dtype=np.float64) if scores and None not in scores else None
