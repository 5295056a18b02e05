"""Sums over all gene structures of a sequence that is taken as one block."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.decoding import candidate_sites, lattice, scoring
from phytoscribe.decoding.candidate_sites import Sites
from phytoscribe.decoding.grammar import Scores, intron_length_score, kind_of_segment, segment_length_score
from phytoscribe.decoding.graph import BACKWARD, Graph, Lengths, Mode, Paths, new_open, no_lengths


class PathSums(NamedTuple):
    """Result of forward-backward.

    Attributes:
        graph: nodes and scores.
        before, after: float64 (rows, 3), log sums of all ways to a node, and of all ways on from it
            (:class:`phytoscribe.decoding.graph.Paths`).
        total: log sum over all paths.
    """

    graph: Graph
    before: npt.NDArray[np.float64]
    after: npt.NDArray[np.float64]
    total: float

    def posteriors(self) -> npt.NDArray[np.float64]:
        """Probability of each node, (rows, 3)."""
        found = np.exp(np.minimum(self.before + self.after - self.total, 0.0))
        found[self.graph.sites["kind"] == candidate_sites.CHECK] = 0.0
        return found


def chain_score(nodes: npt.NDArray, graph: Graph) -> float:
    """Score of one gene structure, a chain of nodes ``(row, t)`` from left to right, int64 (2 * segments, 2)."""
    position = graph.sites["position"]
    value = float(graph.site[nodes[:, 0], nodes[:, 1]].sum() + graph.span[nodes[1:-1, 0], nodes[1:-1, 1]].sum())
    for place, (left, right) in enumerate(zip(nodes[:-1, 0], nodes[1:, 0], strict=True)):
        length = int(position[right] - position[left])
        if place % 2 == 0:
            value += segment_length_score(graph.scores, kind_of_segment(graph.sites, left, right), length)
        else:
            value += intron_length_score(graph.scores, length)
    return value


def path_sums(
    sites: Sites, theta: npt.NDArray, scores: Scores, counted: tuple[npt.NDArray, npt.NDArray] | None = None
) -> PathSums:
    """Forward-backward under the parameters ``theta``; there must be rows.

    Args:
        counted: arrays to which expected numbers are added: of segments by kind and length, float64 (SEGMENT_KINDS,
            limit + 1), and of introns by length, float64 (limit + 1,); as long as the tables of ``scores``.
    """
    count = sites.size
    graph = Graph(sites, np.empty((count, 3)), np.empty((count, 3)), scores)
    scoring.compose(0, count, sites, theta, graph.site, graph.span)
    opened, before = new_open(lattice.most_open(sites), 0), Paths.empty(count)
    lattice.read(0, count, 0, graph, opened, before, Mode(), no_lengths())
    total = float(opened.free[0])
    lengths = Lengths(before.total, total, *counted) if counted else no_lengths()
    after = Paths.sums(count)
    lattice.backward(0, count, graph, after, Mode(BACKWARD, counted=counted is not None), lengths)
    return PathSums(graph, before.total, after.total, total)
