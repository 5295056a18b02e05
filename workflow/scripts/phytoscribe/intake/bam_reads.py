"""Reads out of BAM files, as sequencing centres and PacBio's programs hand them over."""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path

import pysam

from phytoscribe.errors import PhytoScribeError

log = logging.getLogger(__name__)


def is_bam(path: str | Path) -> bool:
    """True if the content is BAM, whatever the name."""
    try:
        with gzip.open(path, "rb") as handle:
            return handle.read(4) == b"BAM\1"
    except (OSError, EOFError, zlib.error):
        return False  # plain text, or broken: the reader of text tells


def refuse_cram(path: str | Path) -> None:
    """Raise PhytoScribeError for a CRAM file: it can only be read with the genome that it was made with."""
    with Path(path).open("rb") as handle:
        if handle.read(4) == b"CRAM":
            raise PhytoScribeError(f"{path}: a CRAM file; convert it: samtools fastq {path} | gzip > reads.fastq.gz")


def bam_reads(path: str | Path) -> Iterator[bytes]:
    """The reads of a BAM file as sequenced, one text each: FASTQ, or FASTA for a read without qualities.

    Alignments in the file are not used: each read is given once, turned back where it was aligned to the reverse
    strand, to be aligned anew.

    Raises:
        PhytoScribeError: the file is truncated or damaged, has no read, or a read whose sequence is not (all) there.
    """
    count = aligned = 0
    try:
        with pysam.AlignmentFile(str(path), "rb", check_sq=False) as handle:
            for record in handle.fetch(until_eof=True):
                if record.is_secondary or record.is_supplementary:
                    continue
                yield _text(record, path)
                count += 1
                aligned += not record.is_unmapped
    except (OSError, ValueError, NotImplementedError) as error:  # the last: of a BAM packed with gzip, not bgzip
        raise PhytoScribeError(f"{path}: truncated or damaged BAM file ({error}); get it again") from error
    if not count:
        raise PhytoScribeError(f"{path}: a BAM file without reads; give the file of full-length (FLNC) reads")
    if aligned:
        log.warning("%s: %d of %d reads come aligned; they are aligned anew, to this genome", path, aligned, count)


def _text(record: pysam.AlignedSegment, path: str | Path) -> bytes:
    sequence = record.get_forward_sequence()
    clipped = not record.is_unmapped and record.infer_read_length() != record.infer_query_length()
    if not sequence or clipped:
        what = "is hard-clipped" if clipped else "has no sequence"
        raise PhytoScribeError(
            f"{path}: read {record.query_name!r} {what}; give the BAM of the reads from before they were aligned"
        )
    qualities = record.get_forward_qualities()
    if qualities is None:
        return f">{record.query_name}\n{sequence}\n".encode()
    letters = bytes(value + 33 for value in qualities)
    return f"@{record.query_name}\n{sequence}\n+\n".encode() + letters + b"\n"
