"""Calibration: check whether eight of ten genes with a probability of 0.8 are correct, by reliability bins.

Expected calibration error: the mean over all items of the difference between their bin's mean probability and its share
of correct items (Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

BIN_COLUMNS = ("low", "high", "n", "mean_probability", "share_right")


def equal_width_bins(probabilities: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10) -> pd.DataFrame:
    """Reliability in ``bins`` bins of equal width over 0..1; empty bins are left out.

    Args:
        probabilities: (n,), in 0..1.
        right: bool (n,).

    Returns:
        Columns :data:`BIN_COLUMNS`; a bin holds ``low <= probability < high``, the last one also 1.
    """
    return binned(probabilities, right, np.linspace(0.0, 1.0, bins + 1))


def equal_mass_bins(probabilities: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10) -> pd.DataFrame:
    """As ``equal_width_bins``, in bins of about equally many items; equal probabilities stay together."""
    values = np.asarray(probabilities, dtype=float)
    if not values.size:
        return binned(values, right, np.array([0.0, 1.0]))
    edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, bins + 1)))
    return binned(values, right, edges if edges.size > 1 else np.array([edges[0], edges[0]]))


def expected_calibration_error(table: pd.DataFrame) -> float:
    """Mean difference between probability and share of correct items, weighted by items; NaN without items."""
    difference = (table["mean_probability"] - table["share_right"]).abs()
    return float(np.average(difference, weights=table["n"])) if len(table) else float("nan")


def chance_error(
    probabilities: npt.ArrayLike, bins: Callable[[npt.ArrayLike, npt.ArrayLike], pd.DataFrame], draws: int = 200
) -> float:
    """Expected calibration error of perfectly calibrated probabilities by chance, for this number of items.

    It is the mean over ``draws`` sets of outcomes drawn with exactly these probabilities; the draws are always the
    same.
    """
    values = np.asarray(probabilities, dtype=float)
    random = np.random.default_rng(0)
    errors = [expected_calibration_error(bins(values, random.random(values.size) < values)) for _ in range(draws)]
    return float(np.mean(errors))


def binned(probabilities: npt.ArrayLike, right: npt.ArrayLike, edges: npt.NDArray[np.float64]) -> pd.DataFrame:
    values, hits = np.asarray(probabilities, dtype=float), np.asarray(right, dtype=float)
    if values.shape != hits.shape:
        raise ValueError(f"{values.size} probabilities for {hits.size} outcomes")
    number = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, edges.size - 2)
    rows = []
    for index in range(edges.size - 1):
        inside = number == index
        if inside.any():
            count = int(inside.sum())
            rows.append((edges[index], edges[index + 1], count, values[inside].mean(), hits[inside].mean()))
    return pd.DataFrame(rows, columns=list(BIN_COLUMNS))
