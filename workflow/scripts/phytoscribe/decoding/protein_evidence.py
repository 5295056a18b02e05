"""What alignments of proteins add to the scores of the lattice.

Introns of alignments are junctions (:mod:`phytoscribe.decoding.intron_evidence`), with hundredths of their quality
(:class:`phytoscribe.genome.aligned_proteins.AlignedProtein`) in place of reads.  Beyond them an alignment speaks for
coding bases in its frame, against coding bases in another frame or on the other strand, and, where the whole protein is
aligned, for its start and stop codon.  All of this is weighed by the quality of the best alignment at each base, so
many similar proteins say no more than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import Transcript
from phytoscribe.decoding.evidence_weights import EvidenceWeights
from phytoscribe.decoding.grammar import BEGIN, EDGE, END, MINUS, PLUS, Sites
from phytoscribe.decoding.intron_evidence import ContigJunctions, NodeFeatures, highest_at, signs_of_segments
from phytoscribe.genome.aligned_proteins import AlignedProtein

#: Coding bases are counted in units of so many.
UNIT = 100
#: Proteins that a transcript names.
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class ProteinWeights(EvidenceWeights):
    """Weights of junctions by proteins, and of the further features, in natural log units.

    Attributes:
        frame_weight, other_frame_weight: of :data:`UNIT` coding bases in an alignment's frame, and in another one; the
            second is not above 0.
        start_weight, stop_weight: of start and stop codons with a whole protein.
    """

    frame_weight: float = 0.0
    other_frame_weight: float = 0.0
    start_weight: float = 0.0
    stop_weight: float = 0.0


#: A sum over bases before a position: knots, and its values there; linear between them.
Sum = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


class ContigProteins(ContigJunctions):
    """The aligned proteins of one contig, and the introns that they show."""

    def __init__(self, proteins: Iterable[AlignedProtein], average: float | None = None) -> None:
        self.proteins = tuple(proteins)
        found = ((p.strand, intron, max(1, round(100 * p.quality))) for p in self.proteins for intron in p.introns)
        super().__init__(found, average)

    def __bool__(self) -> bool:
        """Proteins without introns are evidence, too."""
        return bool(self.proteins)

    def within(self, start: int, end: int) -> ContigProteins:
        """Those inside a part of the contig, in its coordinates."""
        inside = (p for p in self.proteins if p.segments[0][0] >= start and p.segments[-1][1] <= end)
        return ContigProteins((p.shifted(-start) for p in inside), self.average)

    @cached_property
    def cuts(self) -> npt.NDArray[np.int64]:
        """All ends of introns, start and stop codons, ascending."""
        codons = [p.start_codon for p in self.proteins if p.begins] + [p.stop_codon for p in self.proteins if p.ends]
        return np.unique(np.concatenate([self.left, self.right, np.array(codons, np.int64)]))

    def supporting(self, transcript: Transcript) -> list[str]:
        """Names of the best :data:`MOST_NAMED` proteins whose alignments a transcript's CDS holds unchanged: within
        their ends it has the same segments, in the same frame, and no other.  The best come first.
        """
        if not transcript.cds:
            return []
        first, last = transcript.cds[0][0], transcript.cds[-1][1]
        ordered, starts = self._by_start
        found: dict[str, float] = {}
        for p in ordered[slice(*np.searchsorted(starts, (first, last)))]:
            if p.strand == transcript.strand and p.coding and p.segments[-1][1] <= last and _holds(transcript, p):
                found[p.protein] = max(p.quality, found.get(p.protein, 0.0))
        return sorted(found, key=lambda name: (-found[name], name))[:MOST_NAMED]

    @cached_property
    def _by_start(self) -> tuple[list[AlignedProtein], npt.NDArray[np.int64]]:
        """The proteins by their first base, and these bases."""
        ordered = sorted(self.proteins, key=lambda p: p.segments[0][0])
        return ordered, np.array([p.segments[0][0] for p in ordered], np.int64)

    def node_features(self, sites: Sites) -> NodeFeatures:
        """Features of rows: those of junctions; then sums of coding bases in an alignment's frame, and in others,
        before the row's position; and the quality of proteins that begin or end there.
        """
        missing, coding = super().node_features(sites)
        kind, position = sites["kind"], sites["position"]
        sign = signs_of_segments(sites)[:, None]
        own, every = np.zeros((sites.size, 3)), np.zeros((sites.size, 3))
        for (strand, frame), total in self._coding.items():
            before = np.interp(position, *total)
            every += before[:, None]
            for t in range(3):
                there = (sites["strand"] == strand) & ((position - t) % 3 == frame)
                own[there, t] += before[there]
        codons = np.zeros((2, sites.size, 3))
        whole = sites["variant"] != EDGE
        for strand, (first, last) in ((PLUS, (BEGIN, END)), (MINUS, (END, BEGIN))):
            for its_kind, ends, feature in zip((first, last), self._codons[strand], codons, strict=True):
                rows = (sites["strand"] == strand) & (kind == its_kind) & whole
                feature[rows] = highest_at(*ends, position[rows])[:, None]
        return NodeFeatures(missing, np.concatenate([coding, [sign * own, sign * (every - own)], codons]))

    @cached_property
    def _coding(self) -> dict[tuple[int, int], Sum]:
        """For each strand and frame the sum of qualities over coding bases."""
        painted: dict[tuple[int, int], list[tuple[int, int, float]]] = {}
        for p in self.proteins:
            for number, (start, end) in enumerate(p.segments if p.coding else ()):
                key = (PLUS if p.strand == "+" else MINUS), p.frame(number)
                painted.setdefault(key, []).append((start, end, p.quality / UNIT))
        return {key: _sum_of_best(found) for key, found in sorted(painted.items())}

    @cached_property
    def _codons(self) -> dict[int, tuple[tuple[npt.NDArray, npt.NDArray], ...]]:
        """For each strand where proteins begin, and where they end, each with their qualities."""
        found = {}
        for strand, sign in ((PLUS, "+"), (MINUS, "-")):
            own = [p for p in self.proteins if p.strand == sign]
            found[strand] = (
                _arrays([(p.start_codon, p.quality) for p in own if p.begins]),
                _arrays([(p.stop_codon, p.quality) for p in own if p.ends]),
            )
        return found


def _holds(transcript: Transcript, protein: AlignedProtein) -> bool:
    """Whether a CDS, cut to the ends of an alignment, is that alignment, in its frame."""
    start, end = protein.segments[0][0], protein.segments[-1][1]
    inside = [number for number, (left, right) in enumerate(transcript.cds) if left < end and right > start]
    within = tuple((max(start, left), min(end, right)) for left, right in (transcript.cds[n] for n in inside))
    if within != protein.segments:
        return False
    left, right = transcript.cds[inside[0]]
    phase = transcript.cds_phases()[inside[0]]
    return (left + phase if transcript.strand == "+" else right - phase) % 3 == protein.frame(0)


def _arrays(pairs: Sequence[tuple[int, float]]) -> tuple[npt.NDArray, npt.NDArray]:
    return np.array([at for at, _ in pairs], np.int64), np.array([value for _, value in pairs], np.float64)


def _sum_of_best(intervals: Sequence[tuple[int, int, float]]) -> Sum:
    """The sum over bases of the highest value that an interval has there."""
    first, last, values = (np.array(column) for column in zip(*intervals, strict=True))
    knots = np.unique(np.concatenate([first, last]))
    level = np.zeros(knots.size)
    places = np.stack([np.searchsorted(knots, first), np.searchsorted(knots, last)], axis=1)
    for k in np.argsort(values, kind="stable").tolist():
        level[places[k, 0] : places[k, 1]] = values[k]
    return knots.astype(np.float64), np.concatenate([[0.0], np.cumsum(level[:-1] * np.diff(knots))])
