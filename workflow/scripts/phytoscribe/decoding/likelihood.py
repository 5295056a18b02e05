"""Likelihood of known genes under the decoder's parameters, and its gradient.

The lattice is a conditional random field (J. Lafferty, A. McCallum and F. Pereira, *Conditional random fields*, ICML
2001).  The log likelihood of reference genes given the network's scores sums over a gene's isoforms: any of them counts
as right.  Its gradient is the difference of observed and expected features, the latter from forward-backward.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from numba import njit

from phytoscribe.decoding import scoring
from phytoscribe.decoding.candidate_sites import (
    AT_AC,
    BEGIN,
    CHECK,
    CODING_FRAME,
    CODING_TOTAL,
    END,
    GC,
    INTRON_BEGIN,
    INTRON_END,
    INTRON_PHASE,
    INTRON_TOTAL,
    ODDS,
    PLUS,
)
from phytoscribe.decoding.gene_regions import GeneRegion
from phytoscribe.decoding.grammar import SEGMENT_KINDS, Scores, kind_of_segment
from phytoscribe.decoding.graph import Graph
from phytoscribe.decoding.posteriors import chain_score, path_sums
from phytoscribe.decoding.settings import DecoderSettings, LengthScore

#: Lengths looked up one by one while fitting: the weights of length scores see no longer ones.
EXPLICIT_LENGTHS = 8000
#: Length scores that the fit scales, in the order of the lattice's kinds of segment, then introns.
LENGTHS = (*scoring.SEGMENT_LENGTHS, "intron_lengths")
PARAMETERS = scoring.PARAMETER_COUNT + len(LENGTHS)
#: Nodes with a smaller log posterior add nothing to the expected features.
_UNLIKELY = -20.0


@njit(cache=True, nogil=True)
def add_node_features(sites, r, t, posterior, segment, intron, gradient):
    """Add ``posterior`` times the features of a node to ``gradient``.

    Args:
        segment, intron: whether the node's part in a segment and in an intron count.
    """
    kind, strand, variant, position = sites.kind[r], sites.strand[r], sites.variant[r], sites.position[r]
    opens = kind in (BEGIN, INTRON_END)
    if segment:
        sign = -posterior if opens else posterior
        gradient[scoring.CODING_WEIGHT] += sign * sites.features[r, CODING_TOTAL]
        gradient[scoring.CODING_FRAME_WEIGHT] += sign * sites.features[r, CODING_FRAME + t]
        gradient[scoring.CODING_SCORE] += sign * scoring.coding_reach(kind, variant, position)
        odds = sites.features[r, ODDS + t]
        if kind == BEGIN:
            gradient[scoring.GENE] += posterior
        if kind in (BEGIN, END):
            if (kind == BEGIN) == (strand == PLUS):
                gradient[scoring.START_WEIGHT] += posterior * odds
                gradient[scoring.START_SCORE] += posterior
            else:
                gradient[scoring.STOP_WEIGHT] += posterior * odds
                gradient[scoring.STOP_SCORE] += posterior
        elif scoring.is_donor(kind, strand):
            gradient[scoring.DONOR_WEIGHT] += posterior * odds
            gradient[scoring.DONORS + scoring.phase_of(strand, t)] += posterior
            if variant == GC:
                gradient[scoring.GC_SCORE] += posterior
            elif variant == AT_AC:
                gradient[scoring.AT_AC_SCORE] += posterior
        else:
            gradient[scoring.ACCEPTOR_WEIGHT] += posterior * odds
            gradient[scoring.ACCEPTORS + scoring.phase_of(strand, t)] += posterior
    if intron and kind in (INTRON_BEGIN, INTRON_END):
        sign = posterior if opens else -posterior
        gradient[scoring.INTRON_WEIGHT] += sign * sites.features[r, INTRON_TOTAL]
        gradient[scoring.INTRON_PHASE_WEIGHT] += sign * sites.features[r, INTRON_PHASE + t]
        gradient[scoring.INTRON_SCORE] += sign * position
        if kind == INTRON_BEGIN:
            gradient[scoring.INTRON] += posterior


@njit(cache=True, nogil=True)
def _expected_node_features(sites, log_posteriors, gradient):
    """Subtract the features of nodes, weighted by their posteriors, from ``gradient``."""
    for r in range(sites.size):
        for t in range(3):
            if sites.kind[r] != CHECK and log_posteriors[r, t] >= _UNLIKELY:
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

    def scores(self, vector: npt.NDArray) -> Scores:
        """Length scores under the vector's weights."""
        weights = np.append(vector[scoring.PARAMETER_COUNT : -1], 0.0)
        assert weights.size == SEGMENT_KINDS
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

    def _of_region(self, region: GeneRegion, vector: npt.NDArray, scores: Scores) -> tuple[float, npt.NDArray]:
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
                    kind = kind_of_segment(sites, row, following)
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
        return replace(fitted, **{name: _scaled(getattr(fitted, name), weights[name]) for name in LENGTHS})


def _scaled(score: LengthScore, weight: float) -> LengthScore:
    return LengthScore(score.lengths, tuple(float(weight * s) for s in score.scores), float(weight * score.slope))
