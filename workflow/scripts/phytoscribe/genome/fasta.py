"""Genome FASTA files: checked copies, the index, and random access to base codes.

A genome is read once from its source by :func:`check_fasta`, which writes a clean FASTA (first word of the header as
name, lines of 60 bases, case kept); everything after that goes through :class:`Genome` and the ``.fai`` index.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
import pyfaidx

from phytoscribe.errors import ConfigError, FastaError
from phytoscribe.files import atomic_path, blocks_with_plain_line_ends, open_text
from phytoscribe.genome.sequence import IUPAC, Bases, encode

log = logging.getLogger(__name__)

LINE_WIDTH = 60
_LETTERS = (IUPAC + IUPAC.lower()).encode()
#: Bases gathered before they are checked and written; a multiple of LINE_WIDTH.
_CHUNK = LINE_WIDTH * 20_000
_BLANKS = b" \t\n\v\f"
_LONGEST_HEADER = 2**20
#: Digits of the longest length that is read; Python refuses to read thousands.
_DIGITS = 18


def check_fasta(source: str | Path, target: str | Path) -> dict[str, int]:
    """Copy a plain or gzipped nucleotide FASTA to ``target`` in a clean form and return ``{contig: length}`` in order.

    The copy is streamed in blocks, so lines may be of any length; blanks inside sequences are dropped.  ``target``
    appears by rename only when the whole source was read without an error.

    Raises:
        FastaError: no records, a duplicate name, an empty record, a letter that is no nucleotide, text before the
            first ``>``.
        PhytoScribeError: the file cannot be read, or is a truncated gzip file.
    """
    with atomic_path(target) as temporary, temporary.open("wb") as out:
        copy = _CleanCopy(source, out)
        for block in blocks_with_plain_line_ends(source):
            copy.add(block)
        lengths = copy.close()
    log.info("%s: %d contigs, %d bases", source, len(lengths), sum(lengths.values()))
    return lengths


class _CleanCopy:
    """A FASTA on its way into the clean file, block by block."""

    def __init__(self, source: str | Path, out: IO[bytes]) -> None:
        self._source = source
        self._out = out
        self._lengths: dict[str, int] = {}
        self._header_lines: dict[str, int] = {}
        self._record: _Record | None = None
        self._header: list[bytes] | None = None  # pieces of a header that no line end has closed yet
        self._line = 1
        self._at_line_start = True

    def add(self, block: bytes) -> None:
        at = 0
        while at < len(block):
            at = self._add_sequence(block, at) if self._header is None else self._add_header(block, at)

    def close(self) -> dict[str, int]:
        """Lengths of all records, in order."""
        if self._header is not None:
            self._begin_record(b"".join(self._header))
        if self._record is None:
            raise FastaError(f"{self._source}: no sequences found; a FASTA file with '>' headers is needed")
        self._lengths[self._record.name] = self._record.close()
        return self._lengths

    def _add_sequence(self, block: bytes, at: int) -> int:
        """Sequence lines up to the next header; where that header, or the block, ends them."""
        end = _next_header(block, at, self._at_line_start)
        text = block[at:end]
        if self._record is not None:
            self._record.add(text.translate(None, _BLANKS))
        elif text.strip():
            line = self._line + text[: len(text) - len(text.lstrip())].count(b"\n")
            raise FastaError(f"{self._source}, line {line}: text before the first '>' header; this is not a FASTA file")
        self._line += text.count(b"\n")
        last_line = text[text.rfind(b"\n") + 1 :]
        self._at_line_start = not last_line.strip() and (b"\n" in text or self._at_line_start)
        if end < len(block):
            self._header = []
        return end

    def _add_header(self, block: bytes, at: int) -> int:
        end = block.find(b"\n", at)
        stop = len(block) if end < 0 else end
        self._header.append(block[at:stop])
        if sum(map(len, self._header)) > _LONGEST_HEADER:
            raise FastaError(
                f"{self._source}, line {self._line}: a header of more than {_LONGEST_HEADER} bytes; "
                "this is not a FASTA file"
            )
        if end >= 0:
            self._begin_record(b"".join(self._header))
            self._header = None
        return stop

    def _begin_record(self, header: bytes) -> None:
        if self._record is not None:
            self._lengths[self._record.name] = self._record.close()
        name = _name_of(header, self._source, self._line)
        if name in self._header_lines:
            raise FastaError(
                f"{self._source}: the name {name!r} is used twice, in lines {self._header_lines[name]} and "
                f"{self._line}; give every sequence its own name (the first word after '>')"
            )
        self._header_lines[name] = self._line
        self._record = _Record(name, self._line, self._source, self._out)


def _next_header(block: bytes, at: int, at_line_start: bool) -> int:
    """Where the next ``>`` stands that only blanks precede on its line; the length of the block if there is none."""
    found = block.find(b">", at)
    while found >= 0:
        line_start = block.rfind(b"\n", at, found) + 1
        begins_line = line_start > 0 or at_line_start
        if begins_line and not block[max(line_start, at) : found].strip():
            return found
        end = block.find(b"\n", found)
        found = block.find(b">", end) if end >= 0 else -1
    return len(block)


def _name_of(header: bytes, source: str | Path, number: int) -> str:
    words = header[1:].split(maxsplit=1)
    if not words or header[1:2].isspace():
        raise FastaError(f"{source}, line {number}: a '>' without a name; write the name directly after it")
    try:
        name = words[0].decode()
    except UnicodeDecodeError as error:
        raise FastaError(f"{source}, line {number}: the name {words[0]!r} is not UTF-8 text; rename it") from error
    if not name.isprintable():
        raise FastaError(f"{source}, line {number}: the name {name!r} holds control characters; rename it")
    return name


class _Record:
    """One sequence on its way into the clean file: checked and wrapped chunk by chunk."""

    def __init__(self, name: str, header_line: int, source: str | Path, out: IO[bytes]) -> None:
        self.name = name
        self._header_line = header_line
        self._source = source
        self._out = out
        self._pending: list[bytes] = []
        self._waiting = 0
        self._written = 0
        out.write(f">{name}\n".encode())

    def add(self, text: bytes) -> None:
        self._pending.append(text)
        self._waiting += len(text)
        if self._waiting >= _CHUNK:
            self._flush(last=False)

    def close(self) -> int:
        """Write what is left; the length of the sequence."""
        self._flush(last=True)
        if self._written == 0:
            raise FastaError(
                f"{self._source}, line {self._header_line}: the sequence {self.name!r} is empty; "
                "remove it or add its bases"
            )
        return self._written

    def _flush(self, last: bool) -> None:
        data = b"".join(self._pending)
        if data.translate(None, _LETTERS):
            self._refuse(data)
        whole = len(data) if last else len(data) - len(data) % LINE_WIDTH
        full = whole - whole % LINE_WIDTH
        rows = np.empty((full // LINE_WIDTH, LINE_WIDTH + 1), dtype=np.uint8)
        rows[:, :LINE_WIDTH] = np.frombuffer(data, dtype=np.uint8, count=full).reshape(-1, LINE_WIDTH)
        rows[:, LINE_WIDTH] = ord("\n")
        self._out.write(rows.tobytes())
        if whole > full:
            self._out.write(data[full:whole] + b"\n")
        self._written += whole
        self._pending = [data[whole:]] if whole < len(data) else []
        self._waiting = len(data) - whole

    def _refuse(self, data: bytes) -> None:
        index = len(data) - len(data.lstrip(_LETTERS))
        code = data[index]
        letter = repr(chr(code)) if code < 128 else f"0x{code:02X}"
        raise FastaError(
            f"{self._source}: sequence {self.name!r} has the letter {letter} at position "
            f"{self._written + index + 1}, which is not a nucleotide (allowed: {IUPAC}); is this a protein FASTA?"
        )


def read_index(fai: str | Path) -> dict[str, int]:
    """``{contig: length}`` of a ``.fai`` index, in FASTA order."""
    lengths: dict[str, int] = {}
    with open_text(fai) as lines:
        for number, line in enumerate(lines, start=1):
            columns = line.rstrip("\n").split("\t")
            if len(columns) != 5 or not columns[1].isdecimal() or len(columns[1]) > _DIGITS:
                raise FastaError(f"{fai}, line {number}: not a FASTA index; delete it and run the workflow again")
            lengths[columns[0]] = int(columns[1])
    if not lengths:
        raise FastaError(f"{fai}: the FASTA index is empty; delete it and run the workflow again")
    return lengths


def write_index(fasta: str | Path, fai: str | Path) -> dict[str, int]:
    """Index a FASTA written by :func:`check_fasta`; ``{contig: length}`` in order."""
    with atomic_path(fai) as temporary:
        pyfaidx.Faidx(str(fasta), indexname=str(temporary), rebuild=True).close()
    return read_index(fai)


class Genome:
    """Random access to the bases of an indexed FASTA, as base codes.

    Use it as a context manager.  ``contigs`` maps names to lengths in FASTA order.
    """

    def __init__(self, fasta: str | Path) -> None:
        self.path = Path(fasta)
        index = Path(f"{fasta}.fai")
        if not index.exists():
            raise FastaError(f"{index}: the index of the genome is missing; make it with 'samtools faidx {fasta}'")
        self.contigs: dict[str, int] = read_index(index)
        self._faidx = pyfaidx.Faidx(str(fasta), indexname=str(index), rebuild=False, build_index=False, as_raw=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._faidx.close()

    def bases(self, contig: str, start: int = 0, end: int | None = None) -> Bases:
        """Base codes of ``[start, end)``, 0-based half-open, shape (end - start,), dtype uint8.

        Raises:
            FastaError: the contig is unknown, or the interval does not lie inside it.
        """
        if contig not in self.contigs:
            raise FastaError(f"{self.path}: there is no contig {contig!r}; there are {some_names(self.contigs)}")
        stop = self.contigs[contig] if end is None else end
        if not 0 <= start <= stop <= self.contigs[contig]:
            raise FastaError(
                f"{self.path}: {contig}:{start}-{stop} (0-based) lies outside the contig, "
                f"which has {self.contigs[contig]} bases"
            )
        if start == stop:
            return np.empty(0, dtype=np.uint8)
        return encode(str(self._faidx.fetch(contig, start + 1, stop)))

    def __iter__(self) -> Iterator[str]:
        return iter(self.contigs)


def chosen_contigs(contigs: Mapping[str, int], wanted: Sequence[str] | None) -> dict[str, int]:
    """The wanted contigs with their lengths, in FASTA order; all if ``wanted`` is None.

    Raises:
        ConfigError: a wanted contig is not in the FASTA.
    """
    unknown = [name for name in wanted or () if name not in contigs]
    if unknown:
        raise ConfigError(
            f"contigs {', '.join(unknown)} in config.yaml are not in the FASTA, which has {some_names(contigs)}; "
            "use names as in the FASTA"
        )
    return {name: length for name, length in contigs.items() if wanted is None or name in set(wanted)}


def some_names(names: Mapping[str, int], limit: int = 5) -> str:
    """The first names, and how many there are, for messages."""
    listed = ", ".join(list(names)[:limit])
    return listed if len(names) <= limit else f"{listed}, ... ({len(names)} in all)"
