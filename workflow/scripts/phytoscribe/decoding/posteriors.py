"""Sums over all gene structures of a stretch that is taken as one block."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.decoding import candidate_sites, lattice, scoring


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

    def posteriors(self, rows: candidate_sites.Rows) -> npt.NDArray[np.float64]:
        """Probability of each node, (rows, 3)."""
        found = np.exp(np.minimum(self.paths.total + self.onward - self.total, 0.0))
        found[rows.kind == candidate_sites.CHECK] = 0.0
        return found


def chain_score(
    nodes: npt.NDArray, rows: candidate_sites.Rows, site: npt.NDArray, span: npt.NDArray, scores: lattice.Scores
) -> float:
    """Score of one gene structure, a chain of nodes ``(row, t)`` from left to right, int64 (2 * segments, 2)."""
    value = float(site[nodes[:, 0], nodes[:, 1]].sum() + span[nodes[1:-1, 0], nodes[1:-1, 1]].sum())
    for place, (left, right) in enumerate(zip(nodes[:-1, 0], nodes[1:, 0], strict=True)):
        length = int(rows.position[right] - rows.position[left])
        if place % 2 == 0:
            kind = lattice.kind_of_segment(rows, left, right)
            value += lattice.segment_length_score(scores, kind, length)
        else:
            value += lattice.intron_length_score(scores, length)
    return value


def sums_over_paths(rows: candidate_sites.Rows, theta: npt.NDArray, scores: lattice.Scores) -> Sums:
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
