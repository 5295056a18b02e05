"""How far F1 depends on which loci happened to be scored: bootstrap over loci (Efron 1979, doi:10.1214/aos/1176344552).

What is drawn with replacement is a reference locus with the predictions that belong to it: those that share coding
bases with it, each with the locus it shares most with. Predictions that meet no locus are drawn too, those of all
predictors that overlap each other as one. All predictors are scored on the same draws, so the difference of two of them
has an interval of its own, narrower than their two intervals suggest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.counts import Scored
from phytoscribe.evaluation.accuracy.error_classes import Meetings

LEVELS = ("cds_exon", "locus")
DRAWS, SEED = 1000, 1
COVERED = 0.95
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def interval(values: Floats) -> tuple[float, float]:
    """The middle 95 % of the draws, NaN left out; NaN where nothing else is."""
    known = values[~np.isnan(values)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return float(low), float(high)


def resampled_f1(
    reference: Sequence[GeneModel],
    predictions: Mapping[str, Sequence[GeneModel]],
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[tuple[str, str], Floats]:
    """F1 of the exact criterion in each draw, float (draws,), by predictor and level.

    Args:
        reference, predictions: counted genes, reduced by :func:`phytoscribe.evaluation.accuracy.counts.scorable`.
    """
    units, total = _units(reference, predictions)
    if not total:
        nothing = np.full(draws, np.nan)
        return {(predictor, level): nothing for predictor in predictions for level in LEVELS}
    weights = np.random.default_rng(seed).multinomial(total, np.full(total, 1 / total), size=draws)
    return {
        (predictor, level): _f1(weights @ counts)
        for predictor, genes in predictions.items()
        for level, counts in unit_counts(reference, genes, units[predictor], total).items()
    }


def unit_counts(
    reference: Sequence[GeneModel], predicted: Sequence[GeneModel], units: Ints, total: int
) -> dict[str, Ints]:
    """What each unit adds to the counts of an ``Agreement``, int (total, 4) by level, in the order of its fields.

    Args:
        units: the unit of each predicted gene, int (genes,); a reference locus is the unit of its own number.
    """
    comparison = Scored.of_scorable(reference, predicted).comparison
    everything = comparison.everything
    loci = [
        np.bincount(unit, weights=flag, minlength=total)
        for unit, flag in (
            (units, comparison.right_predicted(everything)),
            (units, np.ones(len(predicted))),
            (np.arange(len(reference)), comparison.found_reference(everything)),
            (np.arange(len(reference)), np.ones(len(reference))),
        )
    ]
    exons, guesses = _exons(reference, range(len(reference))), _exons(predicted, units.tolist())
    counted = [
        np.bincount(np.array(list(owners), dtype=np.int64), minlength=total)
        for owners in (
            (unit for exon, unit in guesses.items() if exon in exons),
            guesses.values(),
            (unit for exon, unit in exons.items() if exon in guesses),
            exons.values(),
        )
    ]
    return {"cds_exon": np.column_stack(counted), "locus": np.column_stack(loci).astype(np.int64)}


def _exons(genes: Sequence[GeneModel], units: Iterable[int]) -> dict[tuple[str, str, int, int], int]:
    """The unit of each CDS exon; an exon of several genes belongs to the first."""
    owner: dict[tuple[str, str, int, int], int] = {}
    for gene, unit in zip(genes, units, strict=True):
        for transcript in gene.coding_transcripts:
            for start, end in transcript.cds:
                owner.setdefault((gene.contig, gene.strand, start, end), unit)
    return owner


def _units(
    reference: Sequence[GeneModel], predictions: Mapping[str, Sequence[GeneModel]]
) -> tuple[dict[str, Ints], int]:
    """The unit of each predicted gene, by predictor, and how many units there are."""
    units, alone = {}, []
    for predictor, genes in predictions.items():
        met = Meetings(reference, genes)
        near = [met.loci_at.closest(number) if met.loci_at[number] else -1 for number in range(len(genes))]
        units[predictor] = np.array(near, dtype=np.int64)
        alone += [
            (gene.contig, gene.strand, gene.start, gene.end, predictor, number)
            for number, gene in enumerate(genes)
            if near[number] < 0
        ]
    unit, place, reach = len(reference) - 1, None, 0
    for contig, strand, start, end, predictor, number in sorted(alone):
        if place != (contig, strand) or start >= reach:
            unit, place, reach = unit + 1, (contig, strand), end
        reach = max(reach, end)
        units[predictor][number] = unit
    return units, unit + 1


def _f1(counts: Ints) -> Floats:
    """F1 of rows of counts (n, 4), as ``Agreement.f1`` defines it."""
    right, predicted, found, known = counts.T.astype(np.float64)
    precision = np.divide(right, predicted, out=np.zeros_like(right), where=predicted > 0)
    recall = np.divide(found, known, out=np.zeros_like(right), where=known > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(right), where=both > 0)
    f1[(predicted == 0) & (known == 0)] = np.nan
    return f1
