"""Write a checked copy of a genome FASTA: the header's first word as name, lines of 60 bases, case kept."""

from __future__ import annotations

import itertools
import logging
import re
from pathlib import Path
from typing import IO

import numpy as np

from phytoscribe.errors import FastaError
from phytoscribe.file_kinds import HEAD_BYTES, text_kind
from phytoscribe.files import atomic_path, blocks_with_plain_line_ends
from phytoscribe.genome.names import shown
from phytoscribe.genome.sequence import IUPAC

log = logging.getLogger(__name__)

LINE_WIDTH = 60
_LETTERS = (IUPAC + IUPAC.lower()).encode()
_BLANKS = b" \t\n\v\f"
_HEADER = re.compile(rb"\n[ \t\v\f]*>([^\n]*)")
_LONGEST_HEADER = 2**20
#: Letters of a name, which programs behind this one put into columns and file names.
LONGEST_NAME = 255


def check_fasta(source: str | Path, target: str | Path) -> dict[str, int]:
    """Copy a plain or gzipped nucleotide FASTA to ``target`` in a clean form and return ``{contig: length}`` in order.

    The copy is streamed in blocks, so lines may be of any length; blanks inside sequences are dropped.  ``target`` is
    created by rename, only after the whole source was read without an error.

    Raises:
        FastaError: the file has no records, a duplicate name, an empty record, a letter that is not a nucleotide, text
            before the first ``>``, or a name of more than :data:`LONGEST_NAME` letters.
        PhytoScribeError: the file cannot be read, or is a truncated gzip file.
    """
    with atomic_path(target) as temporary, temporary.open("wb") as out:
        copy = _CleanCopy(source, out)
        held = b"\n"  # every header follows a line end
        for block in itertools.chain(blocks_with_plain_line_ends(source), [b"\n"]):
            text = held + block
            last_line = text.rfind(b"\n")
            start = text[last_line:].lstrip(_BLANKS) if last_line >= 0 else b"?"
            # A last line that is a header, or may become one, waits for its end.
            held = b"\n" + start if start[:1] in (b"", b">") else b""
            copy.add(text[:last_line] if held else text)
            if len(held) > _LONGEST_HEADER:
                raise FastaError(
                    f"{source}, line {copy.line + 1}: a header of more than {_LONGEST_HEADER} bytes; "
                    "this is not a FASTA file"
                )
        copy.close_record()
        if not copy.lengths:
            raise FastaError(f"{source}: no sequences found; a FASTA file with '>' headers is needed")
    log.info("%s: %d contigs, %d bases", source, len(copy.lengths), sum(copy.lengths.values()))
    return copy.lengths


class _CleanCopy:
    """Copies a FASTA into the clean file, block by block.

    Attributes:
        lengths: of the records that are complete, in order.
        line: number of the last line that was begun.
    """

    def __init__(self, source: str | Path, out: IO[bytes]) -> None:
        self.lengths: dict[str, int] = {}
        self.line = 0
        self._source = source
        self._out = out
        self._header_lines: dict[str, int] = {}
        self._name = ""
        self._written = 0
        self._rest = b""  # bases that fill no line yet

    def add(self, text: bytes) -> None:
        """Take text that holds whole headers only."""
        pieces = _HEADER.split(text)
        self._add_sequence(pieces[0])
        for header, sequence in zip(pieces[1::2], pieces[2::2], strict=True):
            self.close_record()
            self.line += 1
            self._begin_record(header)
            self._add_sequence(sequence)

    def _add_sequence(self, text: bytes) -> None:
        if self._name:
            self._add_bases(text.translate(None, _BLANKS))
        elif text.strip():
            begin = text.lstrip()
            line = self.line + text[: len(text) - len(begin)].count(b"\n")
            kind = text_kind(begin[:HEAD_BYTES].partition(b"\n")[0].decode(errors="replace"))
            looks = f"; it looks like {kind}" if kind else ""
            raise FastaError(
                f"{self._source}, line {line}: text before the first '>' header; this is not a FASTA file{looks}"
            )
        self.line += text.count(b"\n")

    def _begin_record(self, header: bytes) -> None:
        where = f"{self._source}, line {self.line}"
        words = header.split(maxsplit=1)
        if not words or header[:1].isspace():
            raise FastaError(f"{where}: a '>' without a name; write the name directly after it")
        try:
            name = words[0].decode()
        except UnicodeDecodeError as error:
            name = shown(words[0].decode(errors="replace"))
            raise FastaError(
                f"{where}: the name {name} is not UTF-8 text; rename it, or if the file is Latin-1, convert it with: "
                "iconv -f latin1 -t utf-8"
            ) from error
        if len(name) > LONGEST_NAME:
            raise FastaError(
                f"{where}: the name {shown(name)} is longer than {LONGEST_NAME} letters; shorten it, or put a blank "
                "behind the name (the first word after '>' counts)"
            )
        if not name.isprintable():
            raise FastaError(f"{where}: the name {shown(name)} holds control characters; rename it")
        if name in self._header_lines:
            raise FastaError(
                f"{self._source}: the name {shown(name)} is used twice, in lines {self._header_lines[name]} and "
                f"{self.line}; give every sequence its own name (the first word after '>')"
            )
        self._header_lines[name] = self.line
        self._name, self._written = name, 0
        self._out.write(f">{name}\n".encode())

    def _add_bases(self, bases: bytes) -> None:
        data = self._rest + bases
        if data.translate(None, _LETTERS):
            index = len(data) - len(data.lstrip(_LETTERS))
            letter = repr(chr(data[index])) if data[index] < 128 else f"0x{data[index]:02X}"
            raise FastaError(
                f"{self._source}: sequence {shown(self._name)} has the letter {letter} at position "
                f"{self._written + index + 1}, which is not a nucleotide (allowed: {IUPAC}); is this a protein FASTA?"
            )
        full = len(data) - len(data) % LINE_WIDTH
        rows = np.full((full // LINE_WIDTH, LINE_WIDTH + 1), ord("\n"), dtype=np.uint8)
        rows[:, :LINE_WIDTH] = np.frombuffer(data, dtype=np.uint8, count=full).reshape(-1, LINE_WIDTH)
        self._out.write(rows.tobytes())
        self._written += full
        self._rest = data[full:]

    def close_record(self) -> None:
        """Write the rest of the current record, if there is one."""
        if not self._name:
            return
        if self._rest:
            self._out.write(self._rest + b"\n")
        length = self._written + len(self._rest)
        if not length:
            raise FastaError(
                f"{self._source}, line {self._header_lines[self._name]}: the sequence {shown(self._name)} is empty; "
                "remove it or add its bases"
            )
        self.lengths[self._name], self._rest = length, b""
