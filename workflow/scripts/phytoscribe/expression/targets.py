"""What is learned of measured levels: log2(1 + TPM), as the mean of a gene's tissues and the deviation of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.float64]


def log_levels(tpm: Levels) -> Levels:
    """log2(1 + TPM); NaN stays."""
    return np.log2(1 + tpm)


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
