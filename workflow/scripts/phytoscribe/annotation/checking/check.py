"""Check whether transcripts are fit for training: each coding transcript is accepted, or rejected with one reason.

The rules describe an intact gene: an ORF from ATG to the first stop, in frame across all introns; introns with allowed
splice sites (GT-AG, GC-AG) and of plausible length; no unknown base in the CDS.  A transcript gets the first reason
that applies, in the order of :class:`Reason`.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from phytoscribe.annotation.checking.tables import ACCEPTED, REJECTED, Reason, TranscriptRow
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.annotation.sequences import STOP_CODONS, reading_frame, spliced_codes
from phytoscribe.errors import ConfigError
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.names import organelle_of, shown, some_names
from phytoscribe.genome.sequence import N_CODE, Bases, decode, reverse_complement

log = logging.getLogger(__name__)

SPLICE_SITES = frozenset({"GT-AG", "GC-AG"})
CODING_BIOTYPES = frozenset({"protein_coding", "protein-coding", "protein_coding_gene", "mRNA", "coding"})


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """Limits in bases, from the keys of the same name in the ``check`` section of the configuration."""

    minimum_intron: int = 20
    maximum_intron: int = 50_000
    minimum_cds_segment: int = 3


class Fault(NamedTuple):
    """The first check that a transcript fails, with the position (1-based) or value that failed."""

    reason: Reason
    detail: str


def find_fault(
    gene: GeneModel, transcript: Transcript, bases: Bases, limits: CheckLimits, organelle: str = ""
) -> Fault | None:
    """The first check that the transcript fails, or None.

    Args:
        bases: codes of the gene's whole contig, shape (contig length,), uint8.
        organelle: the organelle that the contig belongs to, if any.
    """
    if gene.biotype not in CODING_BIOTYPES:
        return Fault(Reason.NOT_PROTEIN_CODING, gene.biotype)
    if organelle:
        return Fault(Reason.ORGANELLE, organelle)
    if not transcript.cds:
        return Fault(Reason.NO_CDS, transcript.type)
    return (
        _structure_fault(transcript, len(bases), limits)
        or _intron_fault(transcript, gene.strand, bases, limits)
        or _reading_frame_fault(gene, transcript, bases)
    )


def _structure_fault(transcript: Transcript, contig_length: int, limits: CheckLimits) -> Fault | None:
    starts, ends = zip(*(*transcript.exons, *transcript.cds), strict=True)
    if min(starts) < 0 or max(ends) > contig_length:
        return Fault(Reason.OUT_OF_BOUNDS, f"the contig has {contig_length} bases")
    for segments in (transcript.exons, transcript.cds):
        for left, right in pairwise(segments):
            if right[0] < left[1]:
                return Fault(Reason.OVERLAPPING_EXONS, _shown(right))
    if transcript.cds != coding_part(transcript.exons, transcript.cds[0][0], transcript.cds[-1][1]):
        return Fault(Reason.CDS_OUTSIDE_EXONS, "CDS segments are not the exons between start and stop")
    shortest = min(transcript.cds, key=lambda segment: segment[1] - segment[0])
    if shortest[1] - shortest[0] < limits.minimum_cds_segment:
        return Fault(Reason.CDS_SEGMENT_TOO_SHORT, f"{_shown(shortest)}, {shortest[1] - shortest[0]} bp")
    return None


def coding_part(exons: Iterable[Interval], start: int, end: int) -> tuple[Interval, ...]:
    """Exons cut to ``[start, end)``."""
    return tuple((max(s, start), min(e, end)) for s, e in exons if s < end and e > start)


def _intron_fault(transcript: Transcript, strand: str, bases: Bases, limits: CheckLimits) -> Fault | None:
    introns = transcript.introns
    for start, end in introns:
        if end - start < limits.minimum_intron:
            return Fault(Reason.INTRON_TOO_SHORT, f"{_shown((start, end))}, {end - start} bp")
        if end - start > limits.maximum_intron:
            return Fault(Reason.INTRON_TOO_LONG, f"{_shown((start, end))}, {end - start} bp")
    for segment in transcript.cds:
        if (bases[slice(*segment)] == N_CODE).any():
            return Fault(Reason.ON_GAP, f"N in the CDS segment {_shown(segment)}")
    sites = [(intron, splice_site(intron, strand, bases)) for intron in introns]
    for intron, site in sites:
        if "N" in site:
            return Fault(Reason.ON_GAP, f"splice site {site} of the intron {_shown(intron)}")
        if site == "AT-AC":
            return Fault(Reason.AT_AC_SPLICE_SITE, _shown(intron))
        if site not in SPLICE_SITES:
            return Fault(Reason.SPLICE_SITE, f"{site}, intron {_shown(intron)}")
    return None


def splice_site(intron: Interval, strand: str, bases: Bases) -> str:
    """First and last two bases of an intron in transcript direction, such as ``GT-AG``."""
    start, end = intron
    left, right = bases[start : start + 2], bases[end - 2 : end]
    if strand == "-":
        left, right = reverse_complement(right), reverse_complement(left)
    return f"{decode(left)}-{decode(right)}"


def _reading_frame_fault(gene: GeneModel, transcript: Transcript, bases: Bases) -> Fault | None:
    codes = spliced_codes(transcript.cds, gene.strand, bases)
    if transcript.start_phase:
        return Fault(Reason.NO_START, f"the CDS begins inside a codon (phase {transcript.start_phase})")
    frame = reading_frame(codes)
    if not frame.starts:
        return Fault(Reason.NO_START, f"first codon {decode(codes[:3])}")
    if not frame.whole:
        return Fault(Reason.LENGTH_NOT_MULTIPLE_OF_THREE, f"{len(codes)} bp")
    if frame.first_stop < 0:
        return Fault(Reason.NO_STOP, f"last codon {decode(codes[-3:])}{_stop_behind(gene, transcript, bases)}")
    if frame.stops_inside:
        return Fault(Reason.IN_FRAME_STOP, f"codon {frame.first_stop + 1} of {frame.codons}")
    return None


def _stop_behind(gene: GeneModel, transcript: Transcript, bases: Bases) -> str:
    """A hint for files whose CDS excludes the stop codon."""
    if gene.strand == "+":
        behind = bases[transcript.cds[-1][1] :][:3]
    else:
        start = transcript.cds[0][0]
        behind = reverse_complement(bases[max(0, start - 3) : start])
    return "; a stop codon lies directly behind the CDS" if decode(behind) in STOP_CODONS else ""


def _shown(segment: Interval) -> str:
    return f"{segment[0] + 1}..{segment[1]}"


def check_annotation(
    genes: Iterable[GeneModel], genome: Genome, limits: CheckLimits, organelles: Collection[str] = ()
) -> tuple[list[GeneModel], list[TranscriptRow]]:
    """Check all transcripts of an annotation.

    Args:
        organelles: organelle contigs, in addition to those recognised by name.

    Returns:
        the genes with at least one accepted transcript, reduced to their accepted transcripts; and one row per input
        transcript, accepted or rejected.  Both keep the input order.

    Raises:
        ConfigError: one of ``organelles`` is not a contig.
    """
    unknown = sorted(set(organelles) - set(genome.contigs))
    if unknown:
        raise ConfigError(
            f"organelles: {shown(unknown[0])} is not in the genome FASTA, whose names are {some_names(genome.contigs)}"
        )
    by_contig: dict[str, list[tuple[int, GeneModel]]] = defaultdict(list)
    for order, gene in enumerate(genes):
        by_contig[gene.contig].append((order, gene))
    checked: list[tuple[int, GeneModel, list[TranscriptRow]]] = []
    for contig, members in by_contig.items():
        organelle = "named in the configuration" if contig in organelles else organelle_of(contig) or ""
        bases = genome.bases(contig)
        seen: dict[tuple[object, ...], str] = {}
        for order, gene in members:
            checked.append((order, gene, _check_gene(gene, bases, limits, organelle, seen)))
    checked.sort(key=lambda item: item[0])
    rows = [row for *_, rows_of_gene in checked for row in rows_of_gene]
    accepted = []
    for _, gene, rows_of_gene in checked:
        paired = zip(gene.transcripts, rows_of_gene, strict=True)
        if kept := tuple(transcript for transcript, row in paired if row.status == ACCEPTED):
            accepted.append(replace(gene, transcripts=kept))
    reasons = Counter(row.reason for row in rows if row.reason)
    log.info("%d of %d transcripts accepted, in %d genes", len(rows) - reasons.total(), len(rows), len(accepted))
    log.info("rejected: %s", ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()) or "none")
    return accepted, rows


def _check_gene(
    gene: GeneModel, bases: Bases, limits: CheckLimits, organelle: str, seen: dict[tuple[object, ...], str]
) -> list[TranscriptRow]:
    """Rows of a gene's transcripts; ``seen`` are ids of the contig's accepted ones by strand, exons and CDS."""
    rows = []
    for transcript in gene.transcripts:
        fault = find_fault(gene, transcript, bases, limits, organelle)
        if fault is None:
            first = seen.setdefault((gene.strand, transcript.exons, transcript.cds), transcript.id)
            if first != transcript.id:
                fault = Fault(Reason.DUPLICATE, f"same exons and CDS as {first}")
        verdict = (ACCEPTED, "", "") if fault is None else (REJECTED, str(fault.reason), fault.detail)
        place = (gene.contig, transcript.start, transcript.end, gene.strand)
        rows.append(TranscriptRow(gene.id, transcript.id, *place, *verdict))
    return rows
