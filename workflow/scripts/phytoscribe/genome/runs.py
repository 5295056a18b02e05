"""Stretches of a boolean array."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import Interval


def true_runs(mask: npt.NDArray[np.bool_], offset: int = 0) -> tuple[Interval, ...]:
    """Maximal runs of True as sorted half-open intervals; ``offset`` is the position of the first element."""
    edges = np.diff(np.concatenate(([0], mask.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1) + offset, np.flatnonzero(edges == -1) + offset
    return tuple(zip(starts.tolist(), ends.tolist(), strict=True))
