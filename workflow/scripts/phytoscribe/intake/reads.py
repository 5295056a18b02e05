"""Read files, checked line by line and joined into one; what a file is, its content tells, not its name."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path, open_text
from phytoscribe.genome.sequence import IUPAC
from phytoscribe.intake.bam_reads import bam_reads, is_bam, refuse_cram
from phytoscribe.intake.records import SourceRecord
from phytoscribe.intake.sources import Downloads, Wanted, local_copy

log = logging.getLogger(__name__)

_LETTERS = (IUPAC + IUPAC.lower()).encode()
_SAM_HEADER = (b"@HD\t", b"@SQ\t", b"@RG\t", b"@PG\t", b"@CO\t")
_FASTQ_LINES = ("header", "sequence", "separator", "qualities")


def join_reads(wanted: Sequence[Wanted], downloads: Downloads, target: str | Path) -> list[SourceRecord]:
    """Join FASTQ, FASTA (plain or compressed) or BAM files into one gzip file, the same bytes from the same files.

    Every line is checked on the way: a file that was cut, or is none of reads, is noticed wherever its fault lies.

    Returns:
        The record of each file, in order.

    Raises:
        PhytoScribeError: a file is missing, truncated, empty, or holds neither FASTQ, FASTA nor BAM.
    """
    if not wanted:
        raise PhytoScribeError("no read files are given; add them under `isoseq` in the configuration")
    records = []
    with (
        atomic_path(target) as temporary,
        temporary.open("wb") as raw,
        # No name and no time in the gzip header: they would make the bytes differ from run to run.
        gzip.GzipFile(filename="", mode="wb", compresslevel=4, fileobj=raw, mtime=0) as out,
    ):
        for file in wanted:
            with local_copy(file, downloads) as (path, record):
                count = 0
                for text in checked_reads(path):
                    out.write(text)
                    count += 1
                log.info("%s: %d reads", record.source, count)
                records.append(record)
    log.info("%s: joined from %d file(s)", target, len(wanted))
    return records


def checked_reads(path: str | Path) -> Iterator[bytes]:
    """The reads of a FASTQ, FASTA or BAM file, one text each, with ``\\n`` at all line ends.

    FASTQ has four lines a read (the form in which sequencers and converters write it); FASTA may be wrapped.

    Raises:
        PhytoScribeError: none of these, or a fault in one of its lines, which the message names.
    """
    refuse_cram(path)
    if is_bam(path):
        yield from bam_reads(path)
        return
    with open_text(path) as handle:
        first = handle.read(1)
        if first not in ("@", ">"):
            raise PhytoScribeError(f"{path}: neither FASTQ, FASTA nor BAM: it does not begin with '@' or '>'")
        lines = _lines(handle, first)
        yield from _fastq(lines, path) if first == "@" else _fasta(lines, path)


def _lines(handle: IO[str], first: str) -> Iterator[tuple[int, bytes]]:
    """Numbered lines without their ends; ``first`` is the letter that was read already."""
    for number, line in enumerate(handle, start=1):
        yield number, ((first if number == 1 else "") + line).rstrip().encode()


def _fastq(lines: Iterator[tuple[int, bytes]], path: str | Path) -> Iterator[bytes]:
    for number, header in lines:
        if not header:
            _require_rest_empty(lines, path, number)
            return
        if header[:1] != b"@" or not header[1:].strip():
            raise _fault(path, number, "a read's '@' and name are expected here; FASTQ needs four lines for each read")
        if number == 1 and header.startswith(_SAM_HEADER):
            raise _fault(path, number, "a SAM file; convert it: samtools fastq FILE | gzip > reads.fastq.gz")
        parts = [header]
        for what in _FASTQ_LINES[1:]:
            _, text = next(lines, (number, None))
            if text is None:
                raise _fault(
                    path, number, f"the {what} of the last read is missing; the file was cut off: get it again"
                )
            parts.append(text)
        _, sequence, separator, qualities = parts
        if separator[:1] != b"+":
            raise _fault(path, number + 2, "a '+' is expected here; FASTQ needs four lines for each read")
        if len(sequence) != len(qualities):
            wrong = f"{len(sequence)} bases, but {len(qualities)} qualities (line {number + 3})"
            raise _fault(path, number + 1, f"{wrong}; the file is damaged: get it again")
        yield b"\n".join(parts) + b"\n"


def _fasta(lines: Iterator[tuple[int, bytes]], path: str | Path) -> Iterator[bytes]:
    parts: list[bytes] = []
    header_line = 0
    for number, text in lines:
        if text[:1] == b">":
            if parts:
                yield _fasta_read(parts, path, header_line)
            if not text[1:].strip():
                raise _fault(path, number, "a '>' without a name")
            parts, header_line = [text], number
        elif text:
            wrong = text.translate(None, _LETTERS)
            if wrong:
                letter = wrong.decode()[0]
                raise _fault(path, number, f"the letter {letter!r} is not a nucleotide; is this a file of cDNA reads?")
            parts.append(text)
    yield _fasta_read(parts, path, header_line)


def _fasta_read(parts: list[bytes], path: str | Path, number: int) -> bytes:
    if len(parts) == 1:
        raise _fault(path, number, "a read without a sequence; remove it, or get the file again if it was cut off")
    return b"\n".join(parts) + b"\n"


def _require_rest_empty(lines: Iterator[tuple[int, bytes]], path: str | Path, number: int) -> None:
    for _, text in lines:
        if text:
            raise _fault(path, number, "an empty line between reads; FASTQ needs four lines for each read")


def _fault(path: str | Path, number: int, what: str) -> PhytoScribeError:
    return PhytoScribeError(f"{path}, line {number}: {what}")
