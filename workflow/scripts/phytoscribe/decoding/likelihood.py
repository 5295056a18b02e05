"""Sums over all gene structures of a sequence, and the likelihood of known genes with its gradient.

The lattice is a conditional random field (J. Lafferty, A. McCallum and F. Pereira, *Conditional random fields*, ICML
2001).  The log likelihood of reference genes given the network's scores sums over a gene's isoforms: any of them counts
as right.  Its gradient is the difference of observed and expected features, the latter from forward-backward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.compiled import njit
from phytoscribe.decoding import grammar, lattice, scoring
from phytoscribe.decoding.gene_regions import GeneRegion
from phytoscribe.decoding.graph import BACKWARD, Graph, Lengths, Mode, Paths, new_open, no_lengths
from phytoscribe.decoding.settings import LENGTHS, DecoderSettings
from phytoscribe.decoding.support import NO_SUPPORT, Support, intron_gain

#: Lengths looked up one by one while fitting: the weights of length scores see no longer ones.
EXPLICIT_LENGTHS = 8000
PARAMETERS = scoring.PARAMETER_COUNT + len(LENGTHS)
#: Nodes with a smaller log posterior add nothing to the expected features.
_UNLIKELY = -20.0


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
        found[self.graph.sites["kind"] == grammar.CHECK] = 0.0
        return found


def chain_score(nodes: npt.NDArray, graph: Graph) -> float:
    """Score of one gene structure, a chain of nodes ``(row, t)`` from left to right, int64 (2 * segments, 2)."""
    position = graph.sites["position"]
    value = float(graph.site[nodes[:, 0], nodes[:, 1]].sum() + graph.span[nodes[1:-1, 0], nodes[1:-1, 1]].sum())
    for place, (left, right) in enumerate(zip(nodes[:-1, 0], nodes[1:, 0], strict=True)):
        length = int(position[right] - position[left])
        if place % 2 == 0:
            value += grammar.segment_length_score(
                graph.scores, grammar.kind_of_segment(graph.sites, left, right), length
            )
        else:
            value += grammar.intron_length_score(graph.scores, length)
            value += intron_gain(graph.support, graph.sites["strand"][left], position[left], position[right])
    return value


def path_sums(
    sites: grammar.Sites,
    theta: npt.NDArray,
    scores: grammar.Scores,
    counted: tuple[npt.NDArray, npt.NDArray] | None = None,
    support: Support = NO_SUPPORT,
    add: Callable[[npt.NDArray, npt.NDArray], None] | None = None,
) -> PathSums:
    """Forward-backward under the parameters ``theta``; there must be rows.

    Args:
        counted: arrays to which expected numbers are added: of segments by kind and length, float64 (SEGMENT_KINDS,
            limit + 1), and of introns by length, float64 (limit + 1,); as long as the tables of ``scores``.
        support: the introns that evidence speaks for.
        add: adds further scores of nodes to ``site`` and ``span`` of :class:`phytoscribe.decoding.graph.Graph`.
    """
    count = sites.size
    graph = Graph(sites, np.empty((count, 3)), np.empty((count, 3)), scores, support)
    scoring.compose(0, count, sites, theta, graph.site, graph.span)
    if add:
        add(graph.site, graph.span)
    opened, before = new_open(lattice.most_open(sites), 0), Paths.empty(count)
    lattice.read(0, count, 0, graph, opened, before, Mode(), no_lengths())
    total = float(opened.free[0])
    lengths = Lengths(before.total, total, *counted) if counted else no_lengths()
    after = Paths.sums(count)
    lattice.backward(0, count, graph, after, Mode(BACKWARD, counted=counted is not None), lengths)
    return PathSums(graph, before.total, after.total, total)


@njit(cache=True, nogil=True)
def add_node_features(sites, r, t, posterior, segment, intron, gradient):
    """Add ``posterior`` times the features of a node to ``gradient``.

    Args:
        segment, intron: whether the node's part in a segment and in an intron count.
    """
    kind, strand, variant, position = sites.kind[r], sites.strand[r], sites.variant[r], sites.position[r]
    opens = kind in (grammar.BEGIN, grammar.INTRON_END)
    if segment:
        sign = -posterior if opens else posterior
        gradient[scoring.INDEX.coding_weight] += sign * sites.coding_total[r]
        gradient[scoring.INDEX.coding_frame_weight] += sign * sites.coding_frame[r, t]
        gradient[scoring.INDEX.coding_score] += sign * scoring.coding_reach(kind, variant, position)
        odds = sites.odds[r, t]
        if kind == grammar.BEGIN:
            gradient[scoring.INDEX.gene_score] += posterior
        if kind in (grammar.BEGIN, grammar.END):
            if (kind == grammar.BEGIN) == (strand == grammar.PLUS):
                gradient[scoring.INDEX.start_weight] += posterior * odds
                gradient[scoring.INDEX.start_score] += posterior
            else:
                gradient[scoring.INDEX.stop_weight] += posterior * odds
                gradient[scoring.INDEX.stop_score] += posterior
        elif scoring.is_donor(kind, strand):
            gradient[scoring.INDEX.donor_weight] += posterior * odds
            gradient[scoring.DONORS + scoring.phase_of(strand, t)] += posterior
            if variant == grammar.GC:
                gradient[scoring.INDEX.gc_donor_score] += posterior
            elif variant == grammar.AT_AC:
                gradient[scoring.INDEX.at_ac_score] += posterior
        else:
            gradient[scoring.INDEX.acceptor_weight] += posterior * odds
            gradient[scoring.ACCEPTORS + scoring.phase_of(strand, t)] += posterior
    if intron and kind in (grammar.INTRON_BEGIN, grammar.INTRON_END):
        sign = posterior if opens else -posterior
        gradient[scoring.INDEX.intron_weight] += sign * sites.intron_total[r]
        gradient[scoring.INDEX.intron_phase_weight] += sign * sites.intron_phase[r, t]
        gradient[scoring.INDEX.intron_base_score] += sign * position
        if kind == grammar.INTRON_BEGIN:
            gradient[scoring.INDEX.intron_score] += posterior


@njit(cache=True, nogil=True)
def _expected_node_features(sites, log_posteriors, gradient):
    """Subtract the features of nodes, weighted by their posteriors, from ``gradient``."""
    for r in range(sites.size):
        for t in range(3):
            if sites.kind[r] != grammar.CHECK and log_posteriors[r, t] >= _UNLIKELY:
                add_node_features(sites, r, t, -np.exp(log_posteriors[r, t]), True, True, gradient)


class Likelihood:
    """Log likelihood of the reference structures of some regions, and its gradient.

    The vector has the scores' parameters and a weight for each length score of ``settings``.
    """

    def __init__(self, regions: Sequence[GeneRegion], settings: DecoderSettings, threads: int = 1) -> None:
        self.regions = regions
        self.settings = settings
        self._map = ThreadPoolExecutor(threads).map if threads > 1 else map
        self.base = scoring.edge_scores(settings, EXPLICIT_LENGTHS)
        self.bases = max(1, sum(region.bases for region in regions))

    def scores(self, vector: npt.NDArray) -> grammar.Scores:
        """Length scores under the vector's weights."""
        weights = np.append(vector[scoring.PARAMETER_COUNT : -1], 0.0)
        assert weights.size == grammar.SEGMENT_KINDS
        return self.base._replace(
            segment=self.base.segment * weights[:, None],
            segment_slope=self.base.segment_slope * weights,
            intron=self.base.intron * vector[-1],
            intron_slope=self.base.intron_slope * float(vector[-1]),
        )

    def __call__(self, vector: npt.NDArray) -> tuple[float, npt.NDArray]:
        """Log likelihood and gradient."""
        scores = self.scores(vector)
        value, gradient = 0.0, np.zeros(PARAMETERS)
        # Added up in the order of the regions, so that the number of threads changes nothing.
        parts = self._map(lambda region: self._of_region(region, vector, scores), self.regions)
        for of_region, its_gradient in parts:
            value += of_region
            gradient += its_gradient
        return value, gradient

    def _of_region(self, region: GeneRegion, vector: npt.NDArray, scores: grammar.Scores) -> tuple[float, npt.NDArray]:
        gradient = np.zeros(PARAMETERS)
        if not region.sites.size:
            return 0.0, gradient
        counted = np.zeros_like(self.base.segment), np.zeros_like(self.base.intron)
        sums = path_sums(region.sites, vector, scores, counted)
        _expected_node_features(region.sites, sums.before + sums.after - sums.total, gradient)
        segments, introns = counted
        gradient[scoring.PARAMETER_COUNT : -1] -= (segments * self.base.segment).sum(1)[:-1]
        gradient[-1] -= introns @ self.base.intron
        value = -sums.total + sum(self._observed(sums.graph, isoforms, gradient) for isoforms in region.loci)
        return value, gradient

    def _observed(self, graph: Graph, isoforms: Sequence[npt.NDArray], gradient: npt.NDArray) -> float:
        """Log sum of the isoforms' scores; adds their features, weighted by their share of it."""
        sites = graph.sites
        features = np.zeros((len(isoforms), PARAMETERS))
        values = np.array([chain_score(nodes, graph) for nodes in isoforms])
        for number, nodes in enumerate(isoforms):
            last = len(nodes) - 1
            for place, (row, t) in enumerate(nodes):
                add_node_features(sites, row, t, 1.0, True, 0 < place < last, features[number])
                if place == last:
                    break
                following = nodes[place + 1][0]
                length = int(sites["position"][following] - sites["position"][row])
                if place % 2 == 0:
                    kind = grammar.kind_of_segment(sites, row, following)
                    if length < self.base.segment.shape[1]:
                        features[number, scoring.PARAMETER_COUNT + kind] += self.base.segment[kind, length]
                elif length < self.base.intron.size:
                    features[number, -1] += self.base.intron[length]
        total = float(np.logaddexp.reduce(values))
        gradient += np.exp(values - total) @ features
        return total

    def start(self) -> npt.NDArray:
        """The vector of the settings, all length scores at full weight."""
        return np.concatenate([scoring.parameters(self.settings), np.ones(len(LENGTHS))])

    def settings_of(self, vector: npt.NDArray) -> DecoderSettings:
        """The settings of a vector, the weights of the length scores worked in."""
        fitted = scoring.with_parameters(self.settings, vector[: scoring.PARAMETER_COUNT])
        weights = dict(zip(LENGTHS, vector[scoring.PARAMETER_COUNT :], strict=True))
        return replace(fitted, **{name: getattr(fitted, name).scaled(weights[name]) for name in LENGTHS})
