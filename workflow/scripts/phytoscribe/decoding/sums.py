"""Sums over all gene structures of a stretch that is taken as one block."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.decoding import lattice, scoring, sites


class Sums(NamedTuple):
    """Forward-backward over rows.

    Attributes:
        paths, onward: of :func:`lattice.forward` and :func:`lattice.backward`.
        total: log sum over all paths.
        site, span: scores of the nodes, float64 (rows, 3), of :func:`scoring.compose`.
    """

    paths: lattice.Paths
    onward: npt.NDArray[np.float64]
    total: float
    site: npt.NDArray[np.float64]
    span: npt.NDArray[np.float64]

    def posteriors(self, rows: sites.Rows) -> npt.NDArray[np.float64]:
        """Probability of each node, (rows, 3)."""
        found = np.exp(np.minimum(self.paths.total + self.onward - self.total, 0.0))
        found[rows.kind == sites.CHECK] = 0.0
        return found


def sums_over_paths(rows: sites.Rows, theta: npt.NDArray, scores: lattice.Scores) -> Sums:
    """Forward-backward under the parameters ``theta``; there must be rows."""
    count = rows.position.size
    site, span = np.empty((count, 3)), np.empty((count, 3))
    scoring.compose(0, count, rows, theta, site, span)
    edges = (rows, site, span, scores)
    opened, paths = lattice.Open.empty(count + 1), lattice.Paths.empty(count)
    lattice.forward(0, count, 0, *edges, opened, paths, np.empty(6 * count + 256), math.inf, True, True)
    onward, free = np.empty((count, 3)), np.empty(count)
    total = lattice.backward(0, count, *edges, onward, free)
    return Sums(paths, onward, total, site, span)
