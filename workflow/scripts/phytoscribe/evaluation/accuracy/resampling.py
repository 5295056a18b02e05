"""Bootstrap over loci: how far a figure depends on which loci happened to be scored.

Efron 1979 (doi:10.1214/aos/1176344552).  What is drawn with replacement is a *unit*: a reference locus with the
predictions that share most coding bases with it, or predictions that meet no locus, where those of all predictors that
overlap each other are one.  All predictors are scored on the same draws, so the difference of two of them has an
interval of its own, narrower than their two intervals suggest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.error_classes import Meetings

DRAWS, SEED = 1000, 1
COVERED = 0.95
#: Draws made at a time: of 50,000 loci they take 20 MB.
_TOGETHER = 50
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def interval(values: Floats) -> tuple[float, float]:
    """The middle 95 % of the draws, NaN left out; NaN where nothing else is."""
    known = values[~np.isnan(values)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return float(low), float(high)


def resampled(counts: Sequence[Ints], draws: int = DRAWS, seed: int = SEED) -> list[Ints]:
    """The sums of each array of counts (units, n) over the same draws of units, int (draws, n) each."""
    total = len(counts[0]) if counts else 0
    if not total:
        return [np.zeros((draws, of.shape[1]), dtype=np.int64) for of in counts]
    parts = [[weights @ of for of in counts] for weights in _weights(total, draws, seed)]
    return [np.concatenate(of) for of in zip(*parts)]


def _weights(total: int, draws: int, seed: int) -> Iterator[Ints]:
    random = np.random.default_rng(seed)
    for begun in range(0, draws, _TOGETHER):
        yield random.multinomial(total, np.full(total, 1 / total), size=min(_TOGETHER, draws - begun))


def units_of(
    reference: Sequence[GeneModel], predictions: Mapping[str, Sequence[GeneModel]]
) -> tuple[dict[str, Ints], int]:
    """The unit of each predicted gene, int (genes,) by predictor, and how many units there are.

    A reference locus is the unit of its own number.

    Args:
        reference, predictions: counted genes, reduced by :func:`phytoscribe.evaluation.accuracy.counts.scorable`.
    """
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
