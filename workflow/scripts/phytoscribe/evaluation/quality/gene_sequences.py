"""What the sequence says about gene models: reading frames, splice sites, soft-masked repeats and gaps in the CDS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.checking.check import splice_site
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.annotation.sequences import reading_frame, spliced_codes
from phytoscribe.evaluation.quality.genome_content import Repeats
from phytoscribe.genome import Genome, decode
from phytoscribe.genome.sequence import N_CODE, encode

#: What introns are sorted into; anything else is ``other``, N included.
SPLICE_SITES = ("GT-AG", "GC-AG", "AT-AC")
#: A gene counts as one in repeats where more than this part of its CDS is.
IN_REPEATS = 0.5


@dataclass(slots=True)
class SequenceFacts:
    """Counts over genes, each by the transcript that :attr:`GeneModel.representative` chooses.

    Attributes:
        genes: coding genes.
        complete: their CDS is ATG ... stop, whole codons, no stop inside.
        without_start, without_stop: genes of the others that lack an ATG, a stop codon at the end.
        in_frame_stop: genes with a stop codon inside.
        stop_codons: last codons of CDSs that end with a stop.
        splice_sites: introns inside CDSs, each gene's own.
        cds_bases, masked_cds_bases: of all CDSs; those in repeats.
        in_repeats: genes whose CDS is repeats for more than :data:`IN_REPEATS`.
        with_gap: genes with N in the CDS.
        over_gap: genes with N between start and stop codon, introns included.
    """

    genes: int = 0
    complete: int = 0
    without_start: int = 0
    without_stop: int = 0
    in_frame_stop: int = 0
    stop_codons: Counter[str] = field(default_factory=Counter)
    splice_sites: Counter[str] = field(default_factory=Counter)
    cds_bases: int = 0
    masked_cds_bases: int = 0
    in_repeats: int = 0
    with_gap: int = 0
    over_gap: int = 0

    def add(self, gene: GeneModel, genome: Genome, repeats: Repeats) -> None:
        """Count one gene; genes without a CDS are passed over."""
        transcript = gene.representative
        if transcript is None:
            return
        start, end = transcript.cds[0][0], transcript.cds[-1][1]
        letters = genome.letters(gene.contig, start, end)
        bases = encode(letters)
        segments = [(s - start, e - start) for s, e in transcript.cds]
        self.genes += 1
        self._count_frame(transcript, spliced_codes(segments, gene.strand, bases))
        for left, right in transcript.cds_introns:
            site = splice_site((left - start, right - start), gene.strand, bases)
            self.splice_sites[site if site in SPLICE_SITES else "other"] += 1
        repeated = repeats.among(gene.contig, start, letters)
        masked = sum(int(repeated[s:e].sum()) for s, e in segments)
        self.cds_bases += transcript.cds_length
        self.masked_cds_bases += masked
        self.in_repeats += masked > IN_REPEATS * transcript.cds_length
        gaps = bases == N_CODE
        self.with_gap += any(bool(gaps[s:e].any()) for s, e in segments)
        self.over_gap += bool(gaps.any())

    def _count_frame(self, transcript: Transcript, codes: npt.NDArray[np.uint8]) -> None:
        frame = reading_frame(codes[transcript.start_phase :])
        starts = frame.starts and not transcript.start_phase
        self.without_start += not starts
        self.without_stop += not frame.stops_at_end
        self.in_frame_stop += frame.stops_inside
        self.complete += starts and frame.intact
        if frame.stops_at_end:
            self.stop_codons[decode(codes[-3:])] += 1


def sequence_facts(genes: Iterable[GeneModel], genome: Genome, repeats: Repeats | None = None) -> SequenceFacts:
    """Facts of all these genes, read gene by gene; repeats are those in lower case, where no others are given."""
    facts, known = SequenceFacts(), repeats or Repeats()
    for gene in genes:
        facts.add(gene, genome, known)
    return facts
