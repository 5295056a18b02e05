"""Align Iso-Seq reads to the genome with minimap2, and select the alignments that are good enough as evidence.

minimap2: Li 2018, Bioinformatics 34:3094; the preset ``splice:hq`` with ``-uf`` is its author's setting for Iso-Seq.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pysam

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path, scratch_folder
from phytoscribe.genome.intervals import Interval
from phytoscribe.programs import require, run
from phytoscribe.tables import READS, share

log = logging.getLogger(__name__)

#: ``-I``: the index in one piece, whatever the genome's size (by default it is cut at 4 or 8 Gb); reads aligned to one
#: piece after the other would have an alignment, and a mapping quality, in each.
MINIMAP2_OPTIONS = ("-ax", "splice:hq", "-uf", "--secondary=no", "-I", "1000G")
_CIGAR_DELETION, _CIGAR_INTRON = 2, 3
_CIGAR_ON_REFERENCE = frozenset({0, 2, 7, 8})
#: Sorted intervals of one read or transcript: blocks, segments, or introns (an intron chain).
Intervals = tuple[Interval, ...]


def align_reads(reads: str | Path, fasta: str | Path, bam: str | Path, csi: str | Path, threads: int) -> None:
    """Align transcript reads (FASTQ or FASTA, plain or gzipped, 5' to 3') to a genome: sorted BAM and its index.

    Raises:
        ToolError: minimap2 is missing or fails.
    """
    program = require("minimap2", "the Iso-Seq evaluation")
    with scratch_folder("isoseq-") as folder, atomic_path(bam) as bam_path, atomic_path(csi) as csi_path:
        sam = folder / "reads.sam"
        run([program, *MINIMAP2_OPTIONS, "-t", str(threads), fasta, reads], stdout=sam)
        pysam.sort("--no-PG", "-@", str(max(0, threads - 1)), "-o", str(bam_path), str(sam))
        index_reads(bam_path, csi_path)


def index_reads(bam: str | Path, csi: str | Path) -> None:
    """Index a sorted BAM file, always with CSI.

    BAI supports contigs up to 2^29 bases (SAM specification, section 5); chromosomes of wheat, barley and rye are
    longer.
    """
    pysam.index("-c", str(bam), str(csi))


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Thresholds for a primary alignment to count as evidence.

    PacBio's ``isoseq collapse`` uses the same three criteria: primary; coverage, (aligned end - aligned start) / read
    length; and identity, matches / (matches + mismatches + insertions + deletions).  Its default identity is 0.95, its
    default coverage 0.99, which users commonly lower to 0.85 or 0.90, since otherwise all reads that keep primer or
    poly(A) are lost.

    Attributes:
        coverage: aligned share of the read; clipped bases count as not aligned.
        identity: share of the aligned columns that are matches; introns are not counted.
        mapping_quality: lowest MAPQ; reads that fit two places equally well have 0 and support neither.
    """

    coverage: float = 0.90
    identity: float = 0.95
    mapping_quality: int = 1

    @classmethod
    def of(cls, settings: Mapping[str, float]) -> ReadLimits:
        """From the configuration's section ``evaluate.isoseq``."""
        quality = int(settings["min_mapping_quality"])
        return cls(float(settings["min_coverage"]), float(settings["min_identity"]), quality)


class ReadCounts(Counter[str]):
    """Outcome of the reads in a BAM file, by :attr:`FATES`; each is counted at the first test that it fails."""

    FATES = ("unaligned", "other_contig", "low_mapping_quality", "low_coverage", "low_identity", "used")

    def table(self) -> pd.DataFrame:
        """Columns ``reads`` (outcome), ``count`` and ``share`` (of all reads)."""
        rows = [(fate, self[fate], share(self[fate], self.total())) for fate in self.FATES]
        return pd.DataFrame(rows, columns=list(READS))


@dataclass(frozen=True, slots=True)
class ReadAlignment:
    """Primary alignment of one read, 0-based half-open.

    Attributes:
        strand: strand of the transcript that the read comes from.
        blocks: aligned blocks between introns; deletions are inside a block.
        introns: introns (CIGAR ``N``), sorted.
    """

    name: str
    contig: str
    strand: str
    blocks: Intervals
    introns: Intervals


@dataclass
class ReadFilter:
    """Iterates over the alignments in a BAM file that are evidence; afterwards ``counts`` tells what was left out.

    Attributes:
        contigs: the scored contigs, None for all.
    """

    bam: str | Path
    contigs: Collection[str] | None = None
    limits: ReadLimits = field(default_factory=ReadLimits)
    counts: ReadCounts = field(default_factory=ReadCounts)

    def __iter__(self) -> Iterator[ReadAlignment]:
        """In the order of the file.

        Raises:
            PhytoScribeError: the BAM cannot be read.
        """
        self.counts = counts = ReadCounts()
        for record in first_records(self.bam):
            if record.is_unmapped:
                fate = "unaligned"
            elif self.contigs is not None and record.reference_name not in self.contigs:
                fate = "other_contig"
            else:
                fate = failed_limit(record, self.limits, self.bam) or "used"
            counts[fate] += 1
            if fate == "used":
                blocks, introns = blocks_and_introns(record.reference_start, record.cigartuples)
                yield ReadAlignment(
                    record.query_name, record.reference_name, transcript_strand(record), blocks, introns
                )
        told = ", ".join(f"{counts[fate]} {fate.replace('_', ' ')}" for fate in ReadCounts.FATES)
        log.info("%s: %d reads: %s", self.bam, counts.total(), told)


def first_records(bam: str | Path) -> Iterator[pysam.AlignedSegment]:
    """One record for each read of a BAM file: its primary alignment, or the unaligned read.

    Raises:
        PhytoScribeError: the BAM cannot be read.
    """
    try:
        with pysam.AlignmentFile(str(bam), "rb", check_sq=False) as handle:
            for record in handle.fetch(until_eof=True):
                if not (record.is_secondary or record.is_supplementary):
                    yield record
    except (OSError, ValueError) as error:
        raise PhytoScribeError(f"{bam}: cannot be read as BAM ({error}); run align_isoseq again") from error


def read_sequences(bam: str | Path, contigs: Collection[str]) -> Iterator[tuple[str, str]]:
    """Names and sequences, as sequenced, of reads whose primary alignment lies on ``contigs``, in the BAM's order.

    A repeated name gets a number: clustered reads are named transcript/0, transcript/1, ... in the file of every
    sample.
    """
    seen: Counter[str] = Counter()
    for record in first_records(bam):
        if not record.is_unmapped and record.reference_name in contigs and record.query_sequence:
            name = record.query_name
            seen[name] += 1
            yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), record.get_forward_sequence()


def failed_limit(record: pysam.AlignedSegment, limits: ReadLimits, bam: str | Path) -> str | None:
    """The first threshold that an alignment misses, named as in :class:`ReadCounts`; None for evidence.

    Raises:
        PhytoScribeError: the record has no tag ``NM``.
    """
    if record.mapping_quality < limits.mapping_quality:
        return "low_mapping_quality"
    if record.query_alignment_length / record.infer_read_length() < limits.coverage:
        return "low_coverage"
    if not record.has_tag("NM"):
        raise PhytoScribeError(
            f"{bam}: read {record.query_name!r} has no tag NM, which tells its identity; run align_isoseq again"
        )
    deleted = sum(length for operation, length in record.cigartuples if operation == _CIGAR_DELETION)
    identity = 1 - record.get_tag("NM") / (record.query_alignment_length + deleted)
    return "low_identity" if identity < limits.identity else None


def transcript_strand(record: pysam.AlignedSegment) -> str:
    """Genome strand of the transcript: the read's strand, reversed if minimap2's ``ts`` tag is ``-``."""
    against = record.has_tag("ts") and record.get_tag("ts") == "-"
    return "-" if record.is_reverse != against else "+"


def blocks_and_introns(start: int, cigar: list[tuple[int, int]]) -> tuple[Intervals, Intervals]:
    """Aligned blocks and introns of a CIGAR (pysam's operation, length pairs) that begins at ``start``."""
    blocks: list[Interval] = []
    introns: list[Interval] = []
    position = block_start = start
    for operation, length in cigar:
        if operation == _CIGAR_INTRON:
            blocks.append((block_start, position))
            introns.append((position, position + length))
            position = block_start = position + length
        elif operation in _CIGAR_ON_REFERENCE:
            position += length
    blocks.append((block_start, position))
    return tuple(blocks), tuple(introns)
