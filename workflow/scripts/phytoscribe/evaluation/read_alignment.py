"""Iso-Seq reads on the genome: spliced alignment with minimap2, and what the alignments say about introns.

minimap2: Li 2018, Bioinformatics 34:3094; the preset ``splice:hq`` with ``-uf`` is its author's setting for Iso-Seq.
"""

from __future__ import annotations

import logging
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pysam

from phytoscribe.annotation.model import Interval, merge_intervals
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.intervals import IntervalIndex
from phytoscribe.evaluation.programs import require, run
from phytoscribe.files import atomic_path, scratch_folder

log = logging.getLogger(__name__)

MINIMAP2_OPTIONS = ("-ax", "splice:hq", "-uf", "--secondary=no")
#: Reads with a lower mapping quality fit two places equally well (0) and support neither.
MINIMUM_MAPPING_QUALITY = 1
_CIGAR_INTRON = 3
_CIGAR_ON_REFERENCE = frozenset({0, 2, 7, 8})
Chain = tuple[Interval, ...]


def align_reads(reads: str | Path, fasta: str | Path, bam: str | Path, bai: str | Path, threads: int) -> None:
    """Align transcript reads (FASTQ or FASTA, plain or gzipped, 5' to 3') to a genome: sorted BAM and its index.

    Raises:
        ToolError: minimap2 is missing or fails.
    """
    program = require("minimap2", "the Iso-Seq evaluation")
    with scratch_folder("isoseq-") as folder, atomic_path(bam) as bam_path, atomic_path(bai) as bai_path:
        sam = folder / "reads.sam"
        run([program, *MINIMAP2_OPTIONS, "-t", str(threads), fasta, reads], stdout=sam)
        pysam.sort("--no-PG", "-@", str(max(0, threads - 1)), "-o", str(bam_path), str(sam))
        pysam.index(str(bam_path), str(bai_path))


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
    blocks: Chain
    introns: Chain


def read_alignments(bam: str | Path, contigs: Collection[str] | None = None) -> Iterator[ReadAlignment]:
    """Uniquely placed primary alignments, in the order of the file, on ``contigs`` (None for all).

    Raises:
        PhytoScribeError: the BAM cannot be read.
    """
    for record in primary_records(bam, contigs):
        if record.mapping_quality >= MINIMUM_MAPPING_QUALITY:
            blocks, introns = blocks_and_introns(record.reference_start, record.cigartuples)
            yield ReadAlignment(record.query_name, record.reference_name, transcript_strand(record), blocks, introns)


def primary_records(bam: str | Path, contigs: Collection[str] | None) -> Iterator[pysam.AlignedSegment]:
    """Mapped records that are neither secondary nor supplementary, on ``contigs`` (None for all)."""
    try:
        with pysam.AlignmentFile(str(bam), "rb") as handle:
            for record in handle.fetch(until_eof=True):
                if record.is_unmapped or record.is_secondary or record.is_supplementary:
                    continue
                if contigs is None or record.reference_name in contigs:
                    yield record
    except (OSError, ValueError) as error:
        raise PhytoScribeError(f"{bam}: cannot be read as BAM ({error}); run align_isoseq again") from error


def transcript_strand(record: pysam.AlignedSegment) -> str:
    """Genome strand of the transcript: the read's, turned round where minimap2's ``ts`` tag is ``-``."""
    against = record.has_tag("ts") and record.get_tag("ts") == "-"
    return "-" if record.is_reverse != against else "+"


def blocks_and_introns(start: int, cigar: list[tuple[int, int]]) -> tuple[Chain, Chain]:
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


class ReadEvidence:
    """Introns, intron chains and coverage of all reads, for look-up by contig and strand."""

    def __init__(self, alignments: Iterator[ReadAlignment] | list[ReadAlignment]) -> None:
        self.reads = 0
        self.contigs: set[str] = set()
        self.introns: Counter[tuple[str, str, Interval]] = Counter()
        self._chains: dict[tuple[str, str, Interval], set[Chain]] = defaultdict(set)
        blocks: dict[tuple[str, str], set[Interval]] = defaultdict(set)
        spans: dict[tuple[str, str], set[Interval]] = defaultdict(set)
        for read in alignments:
            self.reads += 1
            track = (read.contig, read.strand)
            self.contigs.add(read.contig)
            blocks[track].update(read.blocks)
            spans[track].add((read.blocks[0][0], read.blocks[-1][1]))
            for intron in read.introns:
                self.introns[*track, intron] += 1
                self._chains[*track, intron].add(read.introns)
        self._covered = IntervalIndex({track: merge_intervals(found) for track, found in blocks.items()})
        self._spans = {track: _by_start(found) for track, found in spans.items()}

    def covers(self, contig: str, strand: str, segments: Chain) -> bool:
        """True if an aligned base of any read lies in a segment."""
        return self._covered.overlaps_any((contig, strand), segments)

    def spans(self, contig: str, strand: str, intron: Interval) -> bool:
        """True if one read reaches over the intron and at least one base beyond each of its ends."""
        starts, furthest = self._spans.get((contig, strand), ([], []))
        before = bisect_left(starts, intron[0])
        return before > 0 and furthest[before - 1] > intron[1]

    def has_chain(self, contig: str, strand: str, chain: Chain) -> bool:
        """True if the intron chain equals that of a read."""
        return chain in self._chains.get((contig, strand, chain[0]), ())

    def contains_chain(self, contig: str, strand: str, chain: Chain) -> bool:
        """True if the intron chain is that of a read, or a run of consecutive introns of one."""
        for candidate in self._chains.get((contig, strand, chain[0]), ()):
            first = bisect_right(candidate, chain[0]) - 1
            if candidate[first : first + len(chain)] == chain:
                return True
        return False


def _by_start(spans: set[Interval]) -> tuple[list[int], list[int]]:
    """Sorted starts, and for each the furthest end of all spans up to it."""
    ordered = sorted(spans)
    return [start for start, _ in ordered], list(accumulate((end for _, end in ordered), max))
