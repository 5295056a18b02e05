"""The likelihood of known genes under junction evidence, and its gradient by the weights of evidence.

The network's and the decoder's part of the scores is fixed, so only the terms of
:mod:`phytoscribe.decoding.intron_evidence` are derived: observed minus expected features, as in
:mod:`phytoscribe.decoding.likelihood`.  An intron with reads has two explanations, and its features count with the
share of the one by reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.compiled import njit
from phytoscribe.decoding import grammar, scoring
from phytoscribe.decoding.evidence_weights import PAIR_FEATURES
from phytoscribe.decoding.gene_regions import GeneRegion
from phytoscribe.decoding.intron_evidence import MOST_ODDS, ContigJunctions
from phytoscribe.decoding.likelihood import chain_score, path_sums
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.support import intron_gain


@dataclass(frozen=True)
class EvidenceRegion:
    """A region with known genes, the junctions on it, in the region's coordinates, and the decoder of its species."""

    region: GeneRegion
    junctions: ContigJunctions
    settings: DecoderSettings


class EvidenceLikelihood:
    """Log likelihood of the reference structures of some regions by the weights of evidence, and its gradient."""

    def __init__(self, regions: Sequence[EvidenceRegion], threads: int = 1) -> None:
        decoders = {each.settings: _Decoder.of(each.settings) for each in regions}
        self._parts = [_Part(each, decoders[each.settings]) for each in regions if each.region.sites.size]
        self._map = ThreadPoolExecutor(threads).map if threads > 1 else map
        self.bases = max(1, sum(each.region.bases for each in regions))

    def __call__(self, vector: npt.NDArray) -> tuple[float, npt.NDArray]:
        """Log likelihood and gradient for a vector of weights."""
        value, gradient = 0.0, np.zeros(vector.size)
        # Added up in the order of the regions, so that the number of threads changes nothing.
        for of_part, its_gradient in self._map(lambda part: part.of(vector), self._parts):
            value += of_part
            gradient += its_gradient
        return value, gradient


class _Decoder(NamedTuple):
    """What the lattice needs of a decoder's settings."""

    theta: npt.NDArray
    scores: grammar.Scores

    @classmethod
    def of(cls, settings: DecoderSettings) -> _Decoder:
        return cls(scoring.parameters(settings), scoring.edge_scores(settings))


class _Part:
    """One region with the features that do not depend on the weights."""

    def __init__(self, given: EvidenceRegion, decoder: _Decoder) -> None:
        self.decoder = decoder
        self.sites, self.loci, self.junctions = given.region.sites, given.region.loci, given.junctions
        self.nodes = self.junctions.node_features(self.sites)
        kind, strand, position = (self.sites[name] for name in ("kind", "strand", "position"))
        normal = self.sites["variant"] != grammar.EDGE
        index = {
            (int(k), int(s), int(p)): row
            for row, (k, s, p, n) in enumerate(zip(kind, strand, position, normal, strict=True))
            if n and k in (grammar.INTRON_BEGIN, grammar.INTRON_END)
        }
        found = self.junctions
        ends = [
            (index.get((grammar.INTRON_BEGIN, s, left), -1), index.get((grammar.INTRON_END, s, right), -1))
            for s, left, right in zip(found.strand.tolist(), found.left.tolist(), found.right.tolist(), strict=True)
        ]
        #: Rows of both ends of each junction, -1 for an end that is no candidate.
        self.ends = np.array(ends, np.int64).reshape(-1, 2)

    def of(self, vector: npt.NDArray) -> tuple[float, npt.NDArray]:
        odds, features = self.junctions.odds(vector), self.junctions.pair_features
        add = partial(self.nodes.add_scores, vector)
        sums = path_sums(self.sites, *self.decoder, support=self.junctions.support(vector), add=add)
        # By the share of reads in an intron's explanations; odds that have reached their bound do not grow.
        share = np.where(odds < MOST_ODDS, 1.0 / (1.0 + np.exp(-odds)), 0.0)
        gradient = np.zeros(vector.size)
        expected = _intron_posteriors(self.ends, sums.graph, sums.before, sums.after, sums.total)
        gradient[:PAIR_FEATURES] -= (expected * share) @ features
        posteriors = sums.posteriors()
        missing, coding = self.nodes
        gradient[PAIR_FEATURES] -= posteriors.sum(axis=1) @ missing
        gradient[PAIR_FEATURES + 1 :] -= np.tensordot(coding, posteriors, 2)
        value = -sums.total
        by_intron = {tuple(rows): number for number, rows in enumerate(self.ends.tolist())}
        for isoforms in self.loci:
            scored = np.array([chain_score(nodes, sums.graph) for nodes in isoforms])
            total = float(np.logaddexp.reduce(scored))
            value += total
            for nodes, weight in zip(isoforms, np.exp(scored - total), strict=True):
                rows, frames = nodes.T
                gradient[PAIR_FEATURES] += weight * missing[rows].sum()
                gradient[PAIR_FEATURES + 1 :] += weight * coding[:, rows, frames].sum(axis=1)
                for pair in zip(rows[1:-1:2].tolist(), rows[2:-1:2].tolist(), strict=True):
                    if (number := by_intron.get(pair)) is not None:
                        gradient[:PAIR_FEATURES] += weight * share[number] * features[number]
        return value, gradient


@njit(cache=True, nogil=True)
def _intron_posteriors(ends, graph, before, after, total):
    """Posterior of each intron between two rows, float64 (n,); 0 where an end is -1 or the grammar allows none."""
    sites = graph.sites
    found = np.zeros(ends.shape[0])
    for k in range(ends.shape[0]):
        left, right = ends[k]
        if left < 0 or right < 0 or not grammar.variants_pair(sites.variant[left], sites.variant[right]):
            continue
        length = sites.position[right] - sites.position[left]
        if length < graph.scores.minimum_intron:
            continue
        score = grammar.intron_length_score(graph.scores, length)
        score += intron_gain(graph.support, sites.strand[left], sites.position[left], sites.position[right])
        for t in range(3):
            if sites.context[right, t] >> sites.context[left, t] & 1:
                continue
            way = before[left, t] + graph.span[left, t] + score + graph.span[right, t] + after[right, t] - total
            if way > -45.0:
                found[k] += np.exp(min(way, 0.0))
    return found
