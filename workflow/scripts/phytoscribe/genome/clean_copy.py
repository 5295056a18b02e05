"""The checked copy of a genome FASTA: first word of the header as name, lines of 60 bases, case kept."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import IO

import numpy as np

from phytoscribe.errors import FastaError
from phytoscribe.files import atomic_path, blocks_with_plain_line_ends
from phytoscribe.genome.names import shown
from phytoscribe.genome.sequence import IUPAC

log = logging.getLogger(__name__)

LINE_WIDTH = 60
_LETTERS = (IUPAC + IUPAC.lower()).encode()
#: Bases gathered before they are checked and written; a multiple of LINE_WIDTH.
_CHUNK = LINE_WIDTH * 20_000
_BLANKS = b" \t\n\v\f"
_LONGEST_HEADER = 2**20


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
                f"{self._source}: the name {shown(name)} is used twice, in lines {self._header_lines[name]} and "
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
        name = shown(words[0].decode(errors="replace"))
        raise FastaError(f"{source}, line {number}: the name {name} is not UTF-8 text; rename it") from error
    if not name.isprintable():
        raise FastaError(f"{source}, line {number}: the name {shown(name)} holds control characters; rename it")
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
                f"{self._source}, line {self._header_line}: the sequence {shown(self.name)} is empty; "
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
            f"{self._source}: sequence {shown(self.name)} has the letter {letter} at position "
            f"{self._written + index + 1}, which is not a nucleotide (allowed: {IUPAC}); is this a protein FASTA?"
        )
