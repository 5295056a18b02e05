"""What is learned of measured levels: log2(1 + TPM), as the mean of a gene's tissues and the deviation of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.float64]


def log_levels(tpm: Levels) -> Levels:
    """log2(1 + TPM); NaN stays."""
    return np.log2(1 + tpm)


def specificity(log: Levels) -> npt.NDArray[np.float64]:
    """Tau, how specific a gene is to few tissues, (genes,): 0 for the same level in all, 1 for a level in one alone.

    The mean over the tissues but one of ``1 - level / highest level`` (Yanai et al. 2005,
    doi:10.1093/bioinformatics/bti042), of log levels as in the comparison of Kryuchkova-Mostacci and Robinson-Rechavi
    2017 (doi:10.1093/bib/bbw008).  NaN for fewer than two measured tissues, and without any expression.

    Args:
        log: log2(1 + TPM), (genes, tissues); NaN where nothing was measured.
    """
    measured = np.isfinite(log)
    count = measured.sum(axis=1)
    highest = np.where(measured, log, 0.0).max(axis=1)
    able = (count > 1) & (highest > 0)
    below = np.where(measured, 1 - log / np.where(able, highest, 1.0)[:, None], 0.0).sum(axis=1)
    return np.where(able, below / np.maximum(count - 1, 1), np.nan)


class Targets(NamedTuple):
    """Log levels in two parts.

    Attributes:
        level: (genes,), mean over the tissues that were measured.
        deviation: (genes, tissues), what a tissue has above or below that; sums to zero over the tissues if all were
            measured.  NaN where nothing was measured.
    """

    level: Levels
    deviation: Levels


def level_and_deviation(log: Levels) -> Targets:
    """The two parts of log levels (genes, tissues); genes must have a measured tissue."""
    level = np.nanmean(log, axis=1)
    return Targets(level, log - level[:, None])
