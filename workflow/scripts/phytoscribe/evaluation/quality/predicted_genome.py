"""Read a prediction with its genome, for the quality checks without a reference.

It collects facts about the gene models (reading frames, splice sites, soft-masked repeats and gaps in the CDS) and
about the rest of the genome: bases, gaps, repeats, and long regions without a gene.  The genome is read gene by gene
and piece by piece, so that memory does not grow with contig length.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.checking.check import splice_site
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript, first_transcripts
from phytoscribe.annotation.sequences import reading_frame, spliced_codes
from phytoscribe.genome import Genome, decode
from phytoscribe.genome.fasta import chosen_contigs
from phytoscribe.genome.intervals import Interval, merge_intervals
from phytoscribe.genome.names import organelle_of
from phytoscribe.genome.sequence import N_CODE, encode
from phytoscribe.noncoding.elements import read_repeats

log = logging.getLogger(__name__)
#: What introns are sorted into; anything else is ``other``, N included.
SPLICE_SITES = ("GT-AG", "GC-AG", "AT-AC")
#: A gene counts as one in repeats where more than this part of its CDS is.
IN_REPEATS = 0.5
#: Bases that are read at once.
PIECE = 1 << 22
#: Contigs from this length on can have a stretch without genes that means something.
LONG_CONTIG = 1_000_000
#: A desert is at least this long, bases other than N...
SHORTEST_DESERT = 500_000
#: ... and so many times the mean distance from gene to gene: even at random one gap in exp(30) would be.
DESERT_SPACINGS = 30
_LOWER = np.zeros(256, np.bool_)
_LOWER[ord("a") : ord("z") + 1] = True
_GAP = np.zeros(256, np.bool_)
_GAP[[ord("N"), ord("n")]] = True


class Repeats:
    """Repeats of a genome; N never counts as a repeat.

    Args:
        intervals: by contig, 0-based half-open, in any order; in addition to lower case in the FASTA.
    """

    def __init__(self, intervals: Mapping[str, Sequence[Interval]] | None = None) -> None:
        self._merged = {
            contig: np.array(merge_intervals(found), dtype=np.int64).reshape(-1, 2)
            for contig, found in (intervals or {}).items()
        }

    def among(self, contig: str, start: int, letters: bytes) -> npt.NDArray[np.bool_]:
        """Whether each of these letters, which begin at ``start`` of the contig, is a repeat; bool (n,)."""
        raw = np.frombuffer(letters, np.uint8)
        found = _LOWER[raw]
        merged = self._merged.get(contig)
        if merged is not None:
            first = np.searchsorted(merged[:, 1], start, side="right")
            last = np.searchsorted(merged[:, 0], start + raw.size)
            for begin, end in merged[first:last] - start:
                found[max(0, begin) : end] = True
        return found & ~_GAP[raw]


def gaps_among(letters: bytes) -> npt.NDArray[np.bool_]:
    """Whether each letter is N; bool (n,)."""
    return _GAP[np.frombuffer(letters, np.uint8)]


class Desert(NamedTuple):
    """A region without genes, 0-based half-open; ``bases`` counts those other than N."""

    contig: str
    start: int
    end: int
    bases: int


@dataclass(frozen=True, slots=True)
class Content:
    """Totals of the contigs searched for genes.

    Attributes:
        bases, gap_bases, masked_bases: all bases, N, and repeats (without N).
        cds_bases, gene_bases: bases under a CDS, and from start to stop codon, of any gene; each counted once.
        long_bases: bases other than N on contigs of :data:`LONG_CONTIG` and more.
        deserts: on these contigs, longest first.
        empty_contigs: those of these contigs without any gene, in FASTA order.
    """

    bases: int
    gap_bases: int
    masked_bases: int
    cds_bases: int
    gene_bases: int
    long_bases: int
    deserts: tuple[Desert, ...]
    empty_contigs: tuple[str, ...]

    @property
    def known_bases(self) -> int:
        """Bases other than N."""
        return self.bases - self.gap_bases


def count_letters(genome: Genome, contig: str, start: int, end: int, repeats: Repeats) -> tuple[int, int]:
    """N, and other bases that are repeats, of ``[start, end)`` of a contig."""
    gaps = masked = 0
    for first in range(start, end, PIECE):
        letters = genome.letters(contig, first, min(end, first + PIECE))
        gaps += int(gaps_among(letters).sum())
        masked += int(repeats.among(contig, first, letters).sum())
    return gaps, masked


def genome_content(
    genes: Iterable[GeneModel], genome: Genome, contigs: Sequence[str], repeats: Repeats | None = None
) -> Content:
    """Content of ``contigs``, on which these genes were found; repeats as in :class:`Repeats` without intervals."""
    known = repeats or Repeats()
    spans, coding = defaultdict(list), defaultdict(list)
    count = 0
    for gene in genes:
        segments = [segment for transcript in gene.coding_transcripts for segment in transcript.cds]
        if segments:
            count += 1
            coding[gene.contig] += segments
            spans[gene.contig].append((min(s for s, _ in segments), max(e for _, e in segments)))
    letters = {contig: count_letters(genome, contig, 0, genome.contigs[contig], known) for contig in contigs}
    bases = sum(genome.contigs[contig] for contig in contigs)
    gaps = sum(gap for gap, _ in letters.values())
    merged = {contig: merge_intervals(spans[contig]) for contig in contigs}
    long = [contig for contig in contigs if genome.contigs[contig] >= LONG_CONTIG]
    least = max(SHORTEST_DESERT, DESERT_SPACINGS * (bases - gaps) / count) if count else SHORTEST_DESERT
    deserts = [d for contig in long if spans[contig] for d in _deserts(genome, contig, merged[contig], least)]
    return Content(
        bases,
        gaps,
        sum(masked for _, masked in letters.values()),
        sum(end - start for contig in contigs for start, end in merge_intervals(coding[contig])),
        sum(end - start for found in merged.values() for start, end in found),
        sum(genome.contigs[contig] - letters[contig][0] for contig in long),
        tuple(sorted(deserts, key=lambda d: (-d.bases, d.contig, d.start))),
        tuple(contig for contig in long if not spans[contig]),
    )


def _deserts(genome: Genome, contig: str, genes: Sequence[Interval], least: float) -> list[Desert]:
    ends = [0, *(end for _, end in genes)]
    starts = [*(start for start, _ in genes), genome.contigs[contig]]
    found = []
    for start, end in zip(ends, starts, strict=True):
        if end - start >= least:
            bases = end - start - count_letters(genome, contig, start, end, Repeats())[0]
            if bases >= least:
                found.append(Desert(contig, start, end, bases))
    return found


@dataclass(slots=True)
class SequenceFacts:
    """Counts over genes, each represented by :attr:`GeneModel.representative`.

    Attributes:
        genes: coding genes.
        complete: their CDS is ATG ... stop, whole codons, no stop inside.
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
        self.in_frame_stop += frame.stops_inside
        self.complete += frame.starts and not transcript.start_phase and frame.intact
        if frame.stops_at_end:
            self.stop_codons[decode(codes[-3:])] += 1


def sequence_facts(genes: Iterable[GeneModel], genome: Genome, repeats: Repeats | None = None) -> SequenceFacts:
    """Facts of all these genes, read gene by gene; repeats are those in lower case, where no others are given."""
    facts, known = SequenceFacts(), repeats or Repeats()
    for gene in genes:
        facts.add(gene, genome, known)
    return facts


@dataclass(frozen=True, slots=True)
class Prediction:
    """A prediction and the facts collected about it.

    Attributes:
        genes: its coding genes, with their first transcript alone: isoforms beside it change no figure.
        genome_bases: bases of all contigs, including those not searched for genes.
        organelles: kind of organelle of each predicted organelle contig.
    """

    genes: Sequence[GeneModel]
    facts: SequenceFacts
    content: Content
    genome_bases: int
    organelles: Mapping[str, str]


def read_prediction(
    gff3: str | Path,
    fasta: str | Path,
    chosen: Sequence[str] | None,
    declared: Collection[str],
    repeats: str | Path | None = None,
    seqid_map: Mapping[str, str | None] | None = None,
) -> Prediction:
    """Read a prediction and its sequence, gene by gene and piece by piece.

    Args:
        chosen: contigs that were predicted, or None for all.
        declared: contigs declared as organelles in the configuration, in addition to those recognised by name.
        repeats: GFF3 or BED file of repeats, in addition to the soft-masked ones.
        seqid_map: sequence names in that file to those of the FASTA.
    """
    with Genome(fasta) as genome:
        contigs = chosen_contigs(genome.contigs, chosen)
        genes = first_transcripts(read_gff3(gff3, genome.contigs))
        known = Repeats(read_repeats(repeats, genome.contigs, seqid_map) if repeats else None)
        kinds = {contig: organelle_of(contig) or ("organelle" if contig in declared else "") for contig in contigs}
        prediction = Prediction(
            genes,
            sequence_facts(genes, genome, known),
            genome_content(genes, genome, list(contigs), known),
            sum(genome.contigs.values()),
            {contig: kind for contig, kind in kinds.items() if kind},
        )
    log.info("%d coding genes on %d contigs", len(genes), len(contigs))
    return prediction
