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
from phytoscribe.files import atomic_path, open_text
from phytoscribe.genome.sequence import IUPAC, Bases, encode

log = logging.getLogger(__name__)

LINE_WIDTH = 60
_LETTERS = (IUPAC + IUPAC.lower()).encode()
#: Bases gathered before they are checked and written; a multiple of LINE_WIDTH.
_CHUNK = LINE_WIDTH * 20_000


def check_fasta(source: str | Path, target: str | Path) -> dict[str, int]:
    """Copy a plain or gzipped nucleotide FASTA to ``target`` in a clean form and return ``{contig: length}`` in order.

    The copy is streamed; ``target`` appears by rename only when the whole source was read without an error.

    Raises:
        FastaError: no records, a duplicate name, an empty record, a letter that is no nucleotide, text before the
            first ``>``.
        PhytoScribeError: the file cannot be read, or is a truncated gzip file.
    """
    lengths: dict[str, int] = {}
    header_lines: dict[str, int] = {}
    with atomic_path(target) as temporary, open_text(source) as lines, temporary.open("wb") as out:
        record: _Record | None = None
        for number, line in enumerate(lines, start=1):
            text = line.strip()
            if not text:
                continue
            if text[0] == ">":
                if record is not None:
                    lengths[record.name] = record.close()
                name = _name_of(text, source, number)
                if name in header_lines:
                    raise FastaError(
                        f"{source}: the name {name!r} is used twice, in lines {header_lines[name]} and {number}; "
                        "give every sequence its own name (the first word after '>')"
                    )
                header_lines[name] = number
                record = _Record(name, number, source, out)
            elif record is None:
                raise FastaError(f"{source}, line {number}: text before the first '>' header; this is not a FASTA file")
            else:
                record.add(text)
        if record is None:
            raise FastaError(f"{source}: no sequences found; a FASTA file with '>' headers is needed")
        lengths[record.name] = record.close()
    log.info("%s: %d contigs, %d bases", source, len(lengths), sum(lengths.values()))
    return lengths


def _name_of(header: str, source: str | Path, number: int) -> str:
    words = header[1:].split(maxsplit=1)
    if not words or header[1].isspace():
        raise FastaError(f"{source}, line {number}: a '>' without a name; write the name directly after it")
    return words[0]


class _Record:
    """One sequence on its way into the clean file: checked and wrapped chunk by chunk."""

    def __init__(self, name: str, header_line: int, source: str | Path, out: IO[bytes]) -> None:
        self.name = name
        self._header_line = header_line
        self._source = source
        self._out = out
        self._pending: list[str] = []
        self._waiting = 0
        self._written = 0
        out.write(f">{name}\n".encode())

    def add(self, text: str) -> None:
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
        data = "".join(self._pending).encode()
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
        self._pending = [data[whole:].decode()] if whole < len(data) else []
        self._waiting = len(data) - whole

    def _refuse(self, data: bytes) -> None:
        letters = data.decode()
        allowed = set(_LETTERS.decode())
        index = next(i for i, letter in enumerate(letters) if letter not in allowed)
        raise FastaError(
            f"{self._source}: sequence {self.name!r} has the letter {letters[index]!r} at position "
            f"{self._written + index + 1}, which is not a nucleotide (allowed: {IUPAC}); is this a protein FASTA?"
        )


def read_index(fai: str | Path) -> dict[str, int]:
    """``{contig: length}`` of a ``.fai`` index, in FASTA order."""
    lengths: dict[str, int] = {}
    with open_text(fai) as lines:
        for number, line in enumerate(lines, start=1):
            columns = line.rstrip("\n").split("\t")
            if len(columns) != 5 or not columns[1].isdigit():
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
