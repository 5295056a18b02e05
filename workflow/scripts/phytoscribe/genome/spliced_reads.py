"""Splice junctions of aligned RNA-seq reads (BAM or CRAM), and the strand that an intron's ends show."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import pysam

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.junctions import Junction
from phytoscribe.genome.names import shown, some_names
from phytoscribe.genome.sequence import decode

log = logging.getLogger(__name__)

#: Least mapping quality: STAR gives reads with two or more places 3 or less, HISAT2 1 or less, minimap2 often 0.
LEAST_QUALITY = 10
#: Least bases of a read on either side of an intron: fewer fit many places by chance (as regtools has it).
LEAST_ANCHOR = 8
#: What introns begin and end with on the plus strand of the genome, and the strand of their gene.
MOTIFS = {
    **dict.fromkeys((("GT", "AG"), ("GC", "AG"), ("AT", "AC")), "+"),
    **dict.fromkeys((("CT", "AC"), ("CT", "GC"), ("GT", "AT")), "-"),
}
_MATCHES, _INTRON, _ON_REFERENCE = frozenset({0, 7, 8}), 3, frozenset({0, 2, 3, 7, 8})

StrandOf = Callable[[str, Interval], str]


def strand_by_motif(genome: Genome) -> StrandOf:
    """A function from contig and intron to the strand whose splice sites the intron has; ``.`` for none of them, and
    for an intron without bases on both sides.
    """

    def strand(contig: str, intron: Interval) -> str:
        start, end = intron
        if end - start < 4 or start < 1 or end >= genome.contigs[contig]:
            return "."
        left, right = genome.bases(contig, start, start + 2), genome.bases(contig, end - 2, end)
        return MOTIFS.get((decode(left), decode(right)), ".")

    return strand


def read_spliced_reads(
    path: str | Path, fasta: str | Path, contigs: Mapping[str, int], strand_by: StrandOf
) -> Counter[Junction]:
    """Reads by junction of a BAM or CRAM file that is sorted by coordinate and has an index beside it.

    Primary alignments that are no duplicates, passed their filters, and map to one place count
    (:data:`LEAST_QUALITY`, :data:`LEAST_ANCHOR`).  The strand is that of the tag ``XS`` (HISAT2, STAR with
    ``--outSAMstrandField intronMotif``) or ``ts`` (minimap2); where there is none, that of the splice motif.  Contigs
    are read one after the other, and sequences that the genome lacks not at all.

    Args:
        fasta: the genome, which CRAM needs.
        contigs: ``{contig: length}`` of the genome.

    Raises:
        PhytoScribeError: the file cannot be read, is not sorted, has no index, or was made with another assembly.
    """
    reads: Counter[Junction] = Counter()
    try:
        with pysam.AlignmentFile(str(path), reference_filename=str(fasta), check_sq=False) as handle:
            _check_assembly(path, dict(zip(handle.references, handle.lengths, strict=True)), contigs)
            _check_order(path, handle)
            for contig in handle.references:
                if contig in contigs:
                    _add_reads(handle.fetch(contig), contig, strand_by, reads)
    except (OSError, ValueError) as error:
        raise PhytoScribeError(f"{path}: cannot be read as BAM or CRAM ({error}); make or copy it again") from error
    log.info("%s: %d reads splice %d junctions", path, reads.total(), len(reads))
    return reads


def _add_reads(
    records: Iterable[pysam.AlignedSegment], contig: str, strand_by: StrandOf, reads: Counter[Junction]
) -> None:
    """Add the introns of a contig's records to ``reads``."""
    strands: dict[Interval, str] = {}
    for record in records:
        if not _counts(record):
            continue
        told = _told_strand(record)
        for intron in _introns(record.reference_start, record.cigartuples):
            if not told and intron not in strands:
                strands[intron] = strand_by(contig, intron)
            reads[contig, told or strands[intron], intron] += 1


def _check_order(path: str | Path, handle: pysam.AlignmentFile) -> None:
    """Stop at a file that cannot be read contig by contig.

    Raises:
        PhytoScribeError: it is not sorted by coordinate, or has no index; the text has the command that helps.
    """
    packed = handle.is_bam or handle.is_cram
    order = handle.header.to_dict().get("HD", {}).get("SO", "unknown")
    indexed = packed and handle.has_index()
    # Only sorted files can be indexed, so an index also vouches for a file whose header does not tell.
    if not packed or (order != "coordinate" and not (indexed and order == "unknown")):
        unsorted = f"its reads are not sorted by coordinate (its header says {shown(order)})"
        new = Path(path).with_suffix(".sorted.bam")
        told = unsorted if packed else "it is plain SAM"
        raise PhytoScribeError(
            f"{path}: {told}; run `samtools sort -o {new} {path} && samtools index {new}` and give the new file"
        )
    if not indexed:
        raise PhytoScribeError(f"{path}: it has no index beside it; run `samtools index {path}`")


def _check_assembly(path: str | Path, found: Mapping[str, int], contigs: Mapping[str, int]) -> None:
    shared = [name for name in contigs if name in found]
    if not shared:
        raise PhytoScribeError(
            f"{path}: its reads were aligned to other sequences than this genome's: it has {some_names(found)}, the "
            f"FASTA {some_names(contigs)}; align the reads to this FASTA"
        )
    for name in shared:
        if found[name] != contigs[name]:
            raise PhytoScribeError(
                f"{path}: its reads were aligned to another assembly: {shown(name)} has {found[name]} bases there and "
                f"{contigs[name]} in the FASTA; align the reads to this FASTA"
            )


def _counts(record: pysam.AlignedSegment) -> bool:
    """Whether a record is the primary, unique alignment of a spliced read."""
    if record.is_unmapped or record.is_secondary or record.is_supplementary or record.is_duplicate:
        return False
    if record.is_qcfail or record.mapping_quality < LEAST_QUALITY or not record.cigarstring:
        return False
    return "N" in record.cigarstring


def _told_strand(record: pysam.AlignedSegment) -> str:
    """Strand of the transcript by the aligner's tag; empty for none."""
    if record.has_tag("XS") and record.get_tag("XS") in ("+", "-"):
        return str(record.get_tag("XS"))
    if record.has_tag("ts") and record.get_tag("ts") in ("+", "-"):
        # Relative to the read, which may itself lie on the minus strand.
        return "+" if (record.get_tag("ts") == "+") != record.is_reverse else "-"
    return ""


def _introns(start: int, cigar: list[tuple[int, int]]) -> list[Interval]:
    """Introns with enough aligned bases on either side, up to the next intron or the read's end."""
    introns: list[Interval] = []
    anchors, position = [0], start
    for operation, length in cigar:
        if operation == _INTRON:
            introns.append((position, position + length))
            anchors.append(0)
        elif operation in _MATCHES:
            anchors[-1] += length
        if operation in _ON_REFERENCE:
            position += length
    return [intron for intron, both in zip(introns, pairwise(anchors), strict=True) if min(both) >= LEAST_ANCHOR]
