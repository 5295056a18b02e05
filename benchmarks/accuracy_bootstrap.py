"""How far F1 depends on which loci happened to be scored: the draws of `phytoscribe.evaluation.accuracy.resampling`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.counts import Scored
from phytoscribe.evaluation.accuracy.resampling import DRAWS, SEED, resampled, units_of

LEVELS = ("cds_exon", "locus")
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
    units, total = units_of(reference, predictions)
    counts = {
        (predictor, level): found
        for predictor, genes in predictions.items()
        for level, found in unit_counts(reference, genes, units[predictor], total).items()
    }
    return {key: _f1(drawn) for key, drawn in zip(counts, resampled(list(counts.values()), draws, seed))}


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


def _f1(counts: Ints) -> Floats:
    """F1 of rows of counts (n, 4), as ``Agreement.f1`` defines it."""
    right, predicted, found, known = counts.T.astype(np.float64)
    precision = np.divide(right, predicted, out=np.zeros_like(right), where=predicted > 0)
    recall = np.divide(found, known, out=np.zeros_like(right), where=known > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(right), where=both > 0)
    f1[(predicted == 0) & (known == 0)] = np.nan
    return f1
