"""Baselines of isoforms.py: additions that need no model, made from the first transcript of each gene.

Every baseline changes one place of the coding sequence by a multiple of three bases, and keeps its start and its stop.
What then has a stop codon inside is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from phytoscribe.annotation.model import GeneModel, Interval, Transcript, first_transcripts
from phytoscribe.annotation.sequences import reading_frame, spliced_codes
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.sequence import Bases, decode, reverse_complement

#: Longest intron that is retained.
SHORT_INTRON = 100
#: From a transcript and its contig to the introns that another one has instead; None retains it.
Edits = Callable[[Transcript, Bases], Iterator[tuple[Interval, Interval | None]]]


def with_edits(genes: Iterable[GeneModel], genome: Genome, edits: Edits) -> list[GeneModel]:
    """The first transcript of each gene, and one more for each edit that leaves the reading frame intact."""
    changed, contig, bases = [], "", None
    for gene in sorted(first_transcripts(genes), key=lambda gene: gene.contig):
        if gene.contig != contig:
            contig, bases = gene.contig, genome.bases(gene.contig)
        first = gene.transcripts[0]
        others = [edited(first, *edit) for edit in edits(first, bases)]
        kept = [other for other in others if reading_frame(spliced_codes(other.cds, gene.strand, bases)).intact]
        changed.append(replace(gene, transcripts=(first, *kept)))
    return changed


def edited(transcript: Transcript, intron: Interval, other: Interval | None) -> Transcript:
    """The same transcript with another intron in place of one, or with that intron retained."""
    exons, cds = (_edited(chain, intron, other) for chain in (transcript.exons, transcript.cds))
    return replace(transcript, exons=exons, cds=cds, score=None)


def _edited(chain: Sequence[Interval], intron: Interval, other: Interval | None) -> tuple[Interval, ...]:
    cuts = [other if cut == intron else cut for cut in ((left[1], right[0]) for left, right in pairwise(chain))]
    edges = [chain[0][0], *(edge for cut in cuts if cut is not None for edge in cut), chain[-1][1]]
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def nagnag_acceptors(transcript: Transcript, bases: Bases) -> Iterator[tuple[Interval, Interval | None]]:
    """Acceptors three bases before or after that of a CDS intron, where AG stands too (NAGNAG)."""
    forward = transcript.is_forward
    exon_of = {edge: end - start for start, end in transcript.cds for edge in (start, end)}
    for start, end in transcript.cds_introns:
        for shift in (-3, 3):
            intron = (start, end + shift) if forward else (start - shift, end)
            site = bases[intron[1] - 2 : intron[1]] if forward else reverse_complement(bases[intron[0] : intron[0] + 2])
            if decode(site) == "AG" and exon_of[end if forward else start] > shift:
                yield (start, end), intron


def short_introns(transcript: Transcript, bases: Bases) -> Iterator[tuple[Interval, Interval | None]]:
    """CDS introns of at most :data:`SHORT_INTRON` bases and a length divisible by three, to be retained."""
    for start, end in transcript.cds_introns:
        if end - start <= SHORT_INTRON and (end - start) % 3 == 0:
            yield (start, end), None


#: Names in the tables.
EDITS: dict[str, Edits] = {"every NAGNAG": nagnag_acceptors, "every short intron retained": short_introns}
