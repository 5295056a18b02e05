"""The coding part of a decoded gene."""

from __future__ import annotations

import math
from dataclasses import dataclass

from phytoscribe.genome.intervals import Interval


@dataclass(frozen=True, slots=True)
class CodingGene:
    """The CDS of a decoded gene and how sure the decoder is of its parts.

    All probabilities but ``probability`` are exact posteriors of the lattice, given the network's scores.

    Attributes:
        strand: ``+`` or ``-``.
        cds: sorted 0-based half-open segments in contig orientation, stop codon inside.
        probability: calibrated probability that a gene with exactly this CDS is here.
        structure_probability: posterior of exactly this CDS.
        locus_probability: posterior that any gene lies over the span of this CDS.
        segment_probabilities: of each CDS segment with both ends and its frame, in the order of ``cds``.
        intron_probabilities: of each gap between two segments, in the order of the contig.
        start_probability, stop_probability: of a gene that starts (stops) at this codon; NaN where the contig's end
            cuts it off.
        partial_left, partial_right: the gene is cut by that end of the contig.
        start_phase: bases of the CDS, in reading direction, before the first full codon; 0 unless the start is cut.
    """

    strand: str
    cds: tuple[Interval, ...]
    probability: float = math.nan
    structure_probability: float = math.nan
    locus_probability: float = math.nan
    segment_probabilities: tuple[float, ...] = ()
    intron_probabilities: tuple[float, ...] = ()
    start_probability: float = math.nan
    stop_probability: float = math.nan
    partial_left: bool = False
    partial_right: bool = False
    start_phase: int = 0

    @property
    def span(self) -> Interval:
        """From the first to the last coding base."""
        return self.cds[0][0], self.cds[-1][1]

    @property
    def cds_length(self) -> int:
        return sum(end - start for start, end in self.cds)
