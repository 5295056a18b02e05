"""What splice junctions with their reads add to the scores of the lattice.

Everything is a feature times a weight (:mod:`phytoscribe.decoding.evidence_weights`), so the likelihood of known genes
can fit the weights (:mod:`phytoscribe.decoding.evidence_likelihood`).  Of an intron with reads: its log odds, which
belong to the edge.  Of a splice site: how far its reads stay behind those of the junctions around it, so an intron that
no read shows counts less where the gene is expressed, and not at all where there are no reads.  Of a coding base:
whether reads splice it out.  The last two belong to the nodes.  Counts are looked at in logarithms and relative to
other junctions, and no count above :data:`MANY_READS` means more: files hold from ten thousand to a billion reads.

Alignments of proteins (:mod:`phytoscribe.decoding.protein_evidence`) are junctions too, with further features of nodes
and weights of their own.  Scores of both are added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.compiled import njit
from phytoscribe.decoding.evidence_weights import PAIR_FEATURES, EvidenceWeights
from phytoscribe.decoding.grammar import BEGIN, EDGE, INTRON_BEGIN, INTRON_END, MINUS, PLUS, Sites
from phytoscribe.decoding.support import Support, joined_support, support_of
from phytoscribe.genome.intervals import Interval

#: Reads beyond which more say no more.
MANY_READS = 1000
#: Junctions up to so many bp away tell how well a place is covered.
NEARBY = 300
#: Largest log odds of an intron by its reads: no number of them makes a junction certain.
MOST_ODDS = 8.0


class NodeFeatures(NamedTuple):
    """Features of rows of the lattice.

    Attributes:
        missing: float64 (rows,), missing reads of splice sites; part of introns.
        coding: float64 (n, rows, 3), by ``t``; part of CDS segments.
    """

    missing: npt.NDArray[np.float64]
    coding: npt.NDArray[np.float64]

    def add_scores(self, vector: npt.NDArray, site: npt.NDArray[np.float64], span: npt.NDArray[np.float64]) -> None:
        """Add the features times their weights to the scores of rows, each (rows, 3)."""
        # A forbidden node stays so to the last digit, by which it is recognised: beside it these scores are rounding.
        span += vector[PAIR_FEATURES] * self.missing[:, None]
        for weight, feature in zip(vector[PAIR_FEATURES + 1 :].tolist(), self.coding, strict=True):
            site += weight * feature


class ContigJunctions:
    """The splice junctions of one contig.

    Attributes:
        left, right: int64 (n,), cuts (0-based, half-open interval of the intron), sorted.
        strand: int64 (n,), PLUS or MINUS.
        reads: int64 (n,), above 0.
        average: reads of the library's average junction.
    """

    def __init__(self, junctions: Iterable[tuple[str, Interval, int]], average: float | None = None) -> None:
        """Args: strand, intron and reads of each, those of the same intron are added; ``average``: of the whole
        genome, else of these.
        """
        totals: dict[tuple[int, int, int], int] = {}
        for strand, (start, end), reads in junctions:
            key = start, end, PLUS if strand == "+" else MINUS
            # There are bases before every intron.
            if reads > 0 and start > 0:
                totals[key] = totals.get(key, 0) + reads
        table = np.array([(*key, reads) for key, reads in sorted(totals.items())], np.int64).reshape(-1, 4)
        self.left, self.right, self.strand, self.reads = table.T.copy()
        self._reads = totals
        self.average = average or (float(self.reads.mean()) if totals else 1.0)

    def __len__(self) -> int:
        return self.left.size

    def within(self, start: int, end: int) -> ContigJunctions:
        """Those inside a part of the contig, in its coordinates."""
        chosen = (self.left >= start) & (self.right <= end)
        columns = (self.left[chosen] - start, self.right[chosen] - start, self.strand[chosen], self.reads[chosen])
        rows = zip(*(column.tolist() for column in columns), strict=True)
        found = (("+" if s == PLUS else "-", (left, right), reads) for left, right, s, reads in rows)
        return ContigJunctions(found, self.average)

    def reads_of(self, strand: str, intron: Interval) -> int:
        """Reads that splice exactly this intron."""
        return self._reads.get((*intron, PLUS if strand == "+" else MINUS), 0)

    def keep(self, start: int, count: int) -> npt.NDArray[np.uint8]:
        """uint8 (count,): 1 for bases of the contig from ``start`` on at whose left cut an intron begins or ends."""
        kept = np.zeros(count, np.uint8)
        kept[self.cuts[slice(*np.searchsorted(self.cuts, (start, start + count)))] - start] = 1
        return kept

    @cached_property
    def cuts(self) -> npt.NDArray[np.int64]:
        """All ends of introns, ascending."""
        return np.unique(np.concatenate([self.left, self.right]))

    @cached_property
    def pair_features(self) -> npt.NDArray[np.float64]:
        """float64 (n, PAIR_FEATURES)."""
        near = np.empty(len(self), np.int64)
        for strand in (PLUS, MINUS):
            own = self.strand == strand
            ends = (self._strongest(strand, cuts[own]) for cuts in (self.left, self.right - 1))
            near[own] = np.maximum(*ends)
        rivals = _strongest_rivals(self.left, self.right, self.reads)
        return np.stack(
            [
                np.ones(len(self)),
                np.log(np.minimum(self.reads, MANY_READS)),
                np.log(self.reads / np.maximum(near, self.reads)),
                np.log(self.reads / (self.reads + rivals)),
                np.minimum(0.0, np.log(self.reads / self.average)),
            ],
            axis=1,
        )

    def odds(self, vector: npt.NDArray) -> npt.NDArray[np.float64]:
        """Log odds of each junction (n,) under a vector of weights."""
        return np.minimum(self.pair_features @ vector[:PAIR_FEATURES], MOST_ODDS)

    def support(self, vector: npt.NDArray) -> Support:
        """For the lattice."""
        return support_of(self.left, self.right, self.strand, self.odds(vector))

    def node_features(self, sites: Sites) -> NodeFeatures:
        """Features of rows; the one of segments is the sum of what is spliced out of the strand before the row's
        position, with the sign with which a segment that ends there has it (0 for rows that end none).
        """
        missing, spliced = np.zeros(sites.size), np.zeros(sites.size)
        kind, position = sites["kind"], sites["position"]
        cut = sites["variant"] == EDGE
        sign = signs_of_segments(sites)
        for strand in (PLUS, MINUS):
            own = sites["strand"] == strand
            spliced[own] = sign[own] * np.interp(position[own], *self._spliced_out[strand])
            for its_kind, ends in ((INTRON_BEGIN, self.left), (INTRON_END, self.right)):
                rows = own & (kind == its_kind) & ~cut
                reads = highest_at(ends[self.strand == strand], self.reads[self.strand == strand], position[rows])
                # The base beside the cut that belongs to the intron.
                inside = position[rows] - (its_kind == INTRON_END)
                around = np.minimum(self._strongest(strand, inside), MANY_READS)
                missing[rows] = np.log((1 + np.maximum(around, reads)) / (1 + reads))
        return NodeFeatures(missing, np.repeat(spliced[None, :, None], 3, axis=2))

    def _strongest(self, strand: int, positions: npt.NDArray) -> npt.NDArray[np.int64]:
        """Reads of the strongest junction of a strand within :data:`NEARBY` bp of each base; 0 for none."""
        knots, values = self._coverage[strand]
        return values[np.searchsorted(knots, positions, side="right")]

    @cached_property
    def _coverage(self) -> tuple[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], ...]:
        """For each strand positions, ascending, and the strongest junction's reads before the first and behind each."""
        found = []
        for strand in (PLUS, MINUS):
            own = np.flatnonzero(self.strand == strand)
            first, last = self.left[own] - NEARBY, self.right[own] + NEARBY
            knots = np.unique(np.concatenate([first, last]))
            values = np.zeros(knots.size + 1, np.int64)
            places = np.stack([np.searchsorted(knots, first), np.searchsorted(knots, last)], axis=1) + 1
            for k in np.argsort(self.reads[own], kind="stable").tolist():
                values[places[k, 0] : places[k, 1]] = self.reads[own[k]]
            found.append((knots, values))
        return tuple(found)

    @cached_property
    def _spliced_out(self) -> tuple[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], ...]:
        """For each strand knots of the sum over bases before a position, linear between them.

        A junction adds the log of its reads, times their share of the strongest junction's nearby, over its length.
        """
        weight = np.log1p(np.minimum(self.reads, MANY_READS)) * np.exp(self.pair_features[:, 2])
        density = weight / (self.right - self.left)
        found = []
        for strand in (PLUS, MINUS):
            own = self.strand == strand
            ends = np.concatenate([self.left[own], self.right[own], [0]])
            changes = np.concatenate([density[own], -density[own], [0.0]])
            knots, where = np.unique(ends, return_inverse=True)
            slopes = np.cumsum(np.bincount(where, changes, knots.size))
            values = np.concatenate([[0.0], np.cumsum(slopes[:-1] * np.diff(knots))])
            found.append((knots.astype(np.float64), values))
        return tuple(found)


def signs_of_segments(sites: Sites) -> npt.NDArray[np.float64]:
    """The sign with which a segment has a sum before the position of a row, (rows,): -1 where it opens, and 0 for the
    end of a contig within an intron.
    """
    kind = sites["kind"]
    signs = np.where(np.isin(kind, (BEGIN, INTRON_END)), -1.0, 1.0)
    signs[np.isin(kind, (INTRON_BEGIN, INTRON_END)) & (sites["variant"] == EDGE)] = 0.0
    return signs


def highest_at(ends: npt.NDArray, values: npt.NDArray, positions: npt.NDArray) -> npt.NDArray:
    """The largest value among those that stand at each position; 0 for none."""
    order = np.lexsort((values, ends))
    ends, values = ends[order], values[order]
    last = np.searchsorted(ends, positions, side="right") - 1
    if not ends.size:
        return np.zeros(positions.size, values.dtype)
    return np.where((last >= 0) & (ends[last] == positions), values[last], 0)


@njit(cache=True, nogil=True)
def _strongest_rivals(left, right, reads):
    """Reads of the strongest other junction that overlaps each, int64 (n,); they are sorted by ``left``."""
    found = np.zeros(left.size, np.int64)
    for j in range(left.size):
        i = j + 1
        while i < left.size and left[i] < right[j]:
            found[i] = max(found[i], reads[j])
            found[j] = max(found[j], reads[i])
            i += 1
    return found


@dataclass(frozen=True)
class ContigEvidence:
    """The evidence on one contig as it is weighed: junctions by reads, and others by alignments of proteins.

    Attributes:
        junctions, weights: by reads.
        proteins, protein_weights: :class:`phytoscribe.decoding.protein_evidence.ContigProteins`, if there are any.
    """

    junctions: ContigJunctions | None
    weights: EvidenceWeights | None
    proteins: ContigJunctions | None = None
    protein_weights: EvidenceWeights | None = None

    @classmethod
    def of(
        cls,
        junctions: ContigJunctions | None,
        weights: EvidenceWeights | None,
        proteins: ContigJunctions | None = None,
        protein_weights: EvidenceWeights | None = None,
    ) -> ContigEvidence | None:
        """None for a contig with nothing of either: it is read as if there were no evidence."""
        by_reads = (junctions, weights) if junctions else (None, None)
        by_proteins = (proteins, protein_weights) if proteins else (None, None)
        return cls(*by_reads, *by_proteins) if junctions or proteins else None

    @property
    def _sources(self) -> list[tuple[ContigJunctions, EvidenceWeights]]:
        both = (self.junctions, self.weights), (self.proteins, self.protein_weights)
        return [(found, weights) for found, weights in both if found is not None and weights is not None]

    @cached_property
    def support(self) -> Support:
        """For the lattice."""
        return joined_support([found.support(weights.vector()) for found, weights in self._sources])

    def keep(self, start: int, count: int) -> npt.NDArray[np.uint8]:
        """uint8 (count,): 1 for bases of the contig from ``start`` on at whose left cut evidence sees a site."""
        return np.maximum.reduce([found.keep(start, count) for found, _ in self._sources])

    def add_to(self, sites: Sites, site: npt.NDArray[np.float64], span: npt.NDArray[np.float64]) -> None:
        """Add to the composed scores of rows (:func:`phytoscribe.decoding.scoring.compose`) those of their features."""
        for found, weights in self._sources:
            found.node_features(sites).add_scores(weights.vector(), site, span)
