"""Check files of reads (FASTQ, FASTA, BAM) and join them into one; the content shows the format, not the name.

RNA-seq reads, single or in pairs, are only checked: a program reads them where they are.
"""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from pathlib import Path

import pysam

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path, open_text
from phytoscribe.genome.sequence import IUPAC
from phytoscribe.intake.records import SourceRecord
from phytoscribe.intake.sources import Downloads, Wanted, local_copy

log = logging.getLogger(__name__)

_LETTERS = (IUPAC + IUPAC.lower()).encode()
_SAM_HEADER = (b"@HD\t", b"@SQ\t", b"@RG\t", b"@PG\t", b"@CO\t")


def join_reads(wanted: Sequence[Wanted], downloads: Downloads, target: str | Path) -> list[SourceRecord]:
    """Join FASTQ, FASTA (plain or compressed) or BAM files into one gzip file; the same input gives the same bytes.

    Every line is checked, so a truncated file, or one that holds no reads, is found wherever the fault is.

    Returns:
        The record of each file, in order.

    Raises:
        PhytoScribeError: a file is missing, truncated or empty, or is not FASTQ, FASTA or BAM.
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
                count = sum(1 for text in checked_reads(path) if out.write(text))
                log.info("%s: %d reads", record.source, count)
                records.append(record)
    log.info("%s: joined from %d file(s)", target, len(wanted))
    return records


def check_rnaseq(first: str | Path, second: str | Path | None = None) -> int:
    """Check every read of a file of single reads, or of the two files of pairs, as FASTQ or FASTA, plain or gzip.

    Returns:
        Number of reads, or of pairs.

    Raises:
        PhytoScribeError: a file is missing, truncated, empty or of another format; or the two do not belong together:
            one file or the same reads twice, other names, another number of reads.
    """
    files = [first] if second is None else [first, second]
    for path in files:
        _check_plain_or_gzip(path)
    if second is None:
        return sum(1 for _ in checked_reads(first))
    if Path(first).samefile(second):
        raise PhytoScribeError(f"{first}: is given as first and as second file of pairs; name the file of the mates")
    count, copied = 0, True
    for count, (one, other) in enumerate(zip_longest(checked_reads(first), checked_reads(second)), start=1):
        if one is None or other is None:
            longer, shorter = (second, first) if one is None else (first, second)
            raise PhytoScribeError(
                f"{longer}: has more reads than {shorter}, which has {count - 1:,}; give both files of one sample, "
                "whole and not filtered one by one"
            )
        (header, sequence), (mate_header, mate_sequence) = (read.split(b"\n", 2)[:2] for read in (one, other))
        if not _are_mates(header, mate_header):
            names = " and ".join(repr(text[1:].split()[0].decode()) for text in (header, mate_header))
            raise PhytoScribeError(
                f"{first} and {second}: their reads {count:,} are {names}, no pair; give the first and the second file "
                "of one sample, in one order"
            )
        copied = copied and sequence == mate_sequence
    if copied:
        raise PhytoScribeError(f"{second}: holds the same reads as {first}; give the file of the mates")
    return count


def _check_plain_or_gzip(path: str | Path) -> None:
    """What programs for RNA-seq read."""
    try:
        with Path(path).open("rb") as handle:
            begin = handle.read(4)
        if begin.startswith(b"\x1f\x8b"):
            with suppress(EOFError, zlib.error), gzip.open(path) as unpacked:  # a broken file is found with its reads
                begin = unpacked.read(4)
    except OSError as error:
        raise PhytoScribeError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    if not begin:
        raise PhytoScribeError(f"{path}: holds no reads; get the file again, or leave it out")
    if begin == b"BAM\1":
        raise PhytoScribeError(f"{path}: a BAM file; convert it: samtools fastq -1 first.fq.gz -2 second.fq.gz {path}")
    if begin.startswith((b"BZh", b"\xfd7zX")):
        raise PhytoScribeError(f"{path}: packed with bzip2 or xz; RNA-seq reads must be plain or gzip: pack it anew")


def _are_mates(header: bytes, other: bytes) -> bool:
    """Whether two headers name the ends of one fragment: one name, or two that differ in a last 1 and 2 alone.

    ``name/1`` and ``name/2``; ``name 1:N:0:...`` and ``name 2:N:0:...``; ``SRR1.7.1`` and ``SRR1.7.2`` of SRA.
    """
    (name, *more), (mate, *mate_more) = header[1:].split(None, 2), other[1:].split(None, 2)
    if name == mate:
        return not (name.endswith(b"/1") or (more and mate_more and more[0][:2] == mate_more[0][:2] == b"1:"))
    return name[:-1] == mate[:-1] and name[-2:] in (b"/1", b".1", b"_1") and mate[-1:] == b"2"


def checked_reads(path: str | Path) -> Iterator[bytes]:
    """The reads of a FASTQ, FASTA or BAM file, one text each, with ``\\n`` at all line ends.

    FASTQ must have four lines per read, as sequencers and converters write it; FASTA may be wrapped.

    Raises:
        PhytoScribeError: the file has none of these formats, or a faulty line, which the message names.
    """
    with Path(path).open("rb") as handle:
        begin = handle.read(4)
    if begin == b"CRAM":  # can only be read with the genome that it was made with
        raise PhytoScribeError(f"{path}: a CRAM file; convert it: samtools fastq {path} | gzip > reads.fastq.gz")
    with suppress(OSError, EOFError, zlib.error), gzip.open(path) as unpacked:  # else plain text, or broken
        begin = unpacked.read(4)
    if begin == b"BAM\1":
        yield from _bam(path)
        return
    with open_text(path) as handle:
        first = handle.read(1)
        if first not in ("@", ">"):
            raise PhytoScribeError(f"{path}: neither FASTQ, FASTA nor BAM: it does not begin with '@' or '>'")
        lines = chain([first + handle.readline()], handle)
        numbered = enumerate((line.rstrip().encode() for line in lines), start=1)
        yield from _fastq(numbered, path) if first == "@" else _fasta(numbered, path)


def _fastq(lines: Iterator[tuple[int, bytes]], path: str | Path) -> Iterator[bytes]:
    for number, header in lines:
        if not header:
            if any(text for _, text in lines):
                raise _fault(path, number, "an empty line between reads; FASTQ needs four lines for each read")
            return
        if header[:1] != b"@" or not header[1:].strip():
            raise _fault(path, number, "a read's '@' and name are expected here; FASTQ needs four lines for each read")
        if number == 1 and header.startswith(_SAM_HEADER):
            raise _fault(path, number, "a SAM file; convert it: samtools fastq FILE | gzip > reads.fastq.gz")
        parts = [header]
        for what in ("sequence", "separator", "qualities"):
            _, text = next(lines, (number, None))
            if text is None:
                wrong = f"the {what} of the last read is missing"
                raise _fault(path, number, f"{wrong}; the file was cut off: get it again")
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
            if wrong := text.translate(None, _LETTERS).decode()[:1]:
                raise _fault(path, number, f"the letter {wrong!r} is not a nucleotide; is this a file of cDNA reads?")
            parts.append(text)
    yield _fasta_read(parts, path, header_line)


def _fasta_read(parts: list[bytes], path: str | Path, number: int) -> bytes:
    if len(parts) == 1:
        raise _fault(path, number, "a read without a sequence; remove it, or get the file again if it was cut off")
    return b"\n".join(parts) + b"\n"


def _bam(path: str | Path) -> Iterator[bytes]:
    """Reads of a BAM file as sequenced: FASTQ, or FASTA for a read without qualities.

    Alignments in the file are not used: the reads are aligned again.  Each read is given once, in its original
    orientation.
    """
    count = aligned = 0
    try:
        with pysam.AlignmentFile(str(path), "rb", check_sq=False) as handle:
            for record in handle.fetch(until_eof=True):
                if record.is_secondary or record.is_supplementary:
                    continue
                yield _bam_read(record, path)
                count += 1
                aligned += not record.is_unmapped
    except (OSError, ValueError, NotImplementedError) as error:  # the last: of a BAM packed with gzip, not bgzip
        raise PhytoScribeError(f"{path}: truncated or damaged BAM file ({error}); get it again") from error
    if not count:
        raise PhytoScribeError(f"{path}: a BAM file without reads; give the file of full-length (FLNC) reads")
    if aligned:
        log.warning("%s: %d of %d reads come aligned; they are aligned anew, to this genome", path, aligned, count)


def _bam_read(record: pysam.AlignedSegment, path: str | Path) -> bytes:
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


def _fault(path: str | Path, number: int, what: str) -> PhytoScribeError:
    return PhytoScribeError(f"{path}, line {number}: {what}")
