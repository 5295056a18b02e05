"""How often genes of a given probability are right: Platt scaling, and the error that is left.

The map from the log odds of a structure's posterior to those of the gene's probability is a line (J. Platt,
*Probabilistic outputs for support vector machines*, 1999).  Fit it to genes that had no part in choosing the decoder's
other parameters: on its own genes a decoder looks better than it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from phytoscribe.decoding.settings import DecoderSettings

#: Log odds that single genes are held within, so that one sure mistake does not decide.
_SUREST = 1e-9


def calibrate(posteriors: Sequence[float], right: Sequence[bool], settings: DecoderSettings) -> DecoderSettings:
    """Settings whose gene probability fits how often genes were right.

    A weak pull to slope 1 and offset 0 decides where there are few genes.

    Args:
        posteriors: of each gene's structure, in 0..1.
        right: whether each gene is right.
    """
    bounded = np.clip(np.asarray(posteriors, dtype=np.float64), _SUREST, 1.0 - _SUREST)
    odds, hits = np.log(bounded / (1.0 - bounded)), np.asarray(right, dtype=np.float64)

    def loss(point: npt.NDArray) -> tuple[float, npt.NDArray]:
        slope, offset = 1.0 + point[0], point[1]
        logits = slope * odds + offset
        residual = 0.5 + 0.5 * np.tanh(0.5 * logits) - hits
        value = float(np.sum(np.logaddexp(0.0, logits) - hits * logits)) + 0.5 * float(point @ point)
        return value, np.array([residual @ odds, residual.sum()]) + point

    change, offset = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-1.0, None), (None, None)]).x
    return replace(settings, calibration_slope=1.0 + float(change), calibration_offset=float(offset))


def expected_calibration_error(counts: npt.ArrayLike, probabilities: npt.ArrayLike, right: npt.ArrayLike) -> float:
    """Mean difference between probability and share of right items over bins, weighted by items; NaN without items.

    Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602.

    Args:
        counts: items of each bin.
        probabilities, right: mean probability of each bin, and its share of right items.
    """
    weights = np.asarray(counts, dtype=np.float64)
    if not weights.sum():
        return math.nan
    return float(np.average(np.abs(np.asarray(probabilities) - np.asarray(right)), weights=weights))


def calibration_error(probabilities: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10) -> float:
    """Expected calibration error of single genes, in bins of equal width."""
    values, hits = np.asarray(probabilities, dtype=np.float64), np.asarray(right, dtype=np.float64)
    bin_of = np.minimum((values * bins).astype(int), bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    filled = np.maximum(counts, 1)
    means = (np.bincount(bin_of, part, bins) / filled for part in (values, hits))
    return expected_calibration_error(counts, *means)
