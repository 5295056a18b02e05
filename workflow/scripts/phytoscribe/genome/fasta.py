"""Genome FASTA files: checked copies, the index, and random access to base codes.

:func:`check_fasta` reads a genome once from its source and writes a clean FASTA; everything else uses :class:`Genome`
and the ``.fai`` index.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from phytoscribe.errors import ConfigError, FastaError
from phytoscribe.files import atomic_path, open_text
from phytoscribe.genome.clean_copy import check_fasta
from phytoscribe.genome.intervals import is_coordinate
from phytoscribe.genome.names import shown, some_names
from phytoscribe.genome.sequence import Bases, encode

__all__ = ["Genome", "check_fasta", "chosen_contigs", "read_index", "write_index"]


class IndexEntry(NamedTuple):
    """One line of a ``.fai`` index: bases of the sequence, its first byte, bases and bytes of a full line."""

    length: int
    offset: int
    line_bases: int
    line_bytes: int

    def byte_of(self, base: int) -> int:
        """Position in the file of a base, both from 0."""
        return self.offset + base // self.line_bases * self.line_bytes + base % self.line_bases


def read_index(fai: str | Path) -> dict[str, int]:
    """``{contig: length}`` of a ``.fai`` index, in FASTA order.

    Raises:
        FastaError: the file is not an index, or is empty.
    """
    return {name: entry.length for name, entry in _read_entries(fai).items()}


def _read_entries(fai: str | Path) -> dict[str, IndexEntry]:
    entries: dict[str, IndexEntry] = {}
    with open_text(fai) as lines:
        for number, line in enumerate(lines, start=1):
            name, *columns = line.rstrip("\n").split("\t")
            sound = len(columns) == 4 and all(map(is_coordinate, columns)) and name and name not in entries
            entry = IndexEntry(*map(int, columns)) if sound else IndexEntry(0, 0, 0, 0)
            if entry.length == 0 or not 0 < entry.line_bases <= entry.line_bytes <= entry.line_bases + 2:
                raise FastaError(f"{fai}, line {number}: not a FASTA index; delete it and run the workflow again")
            entries[name] = entry
    if not entries:
        raise FastaError(f"{fai}: the FASTA index is empty; delete it and run the workflow again")
    return entries


def write_index(fasta: str | Path, fai: str | Path) -> dict[str, int]:
    """Index a FASTA written by :func:`check_fasta`; returns ``{contig: length}`` in order."""
    import pyfaidx  # not at the top: a machine that only trains reads indexed genomes and need not have it

    with atomic_path(fai) as temporary:
        pyfaidx.Faidx(str(fasta), indexname=str(temporary), rebuild=True).close()
    return read_index(fai)


class Genome:
    """Random access to the bases of an indexed FASTA, as base codes.

    Use it as a context manager.  ``contigs`` maps names to lengths in FASTA order.  Forked processes may share it.

    Raises:
        FastaError: the index is missing, or does not fit the FASTA.
        PhytoScribeError: a file cannot be read.
    """

    def __init__(self, fasta: str | Path) -> None:
        self.path = Path(fasta)
        index = Path(f"{fasta}.fai")
        if not index.exists():
            raise FastaError(f"{index}: the index of the genome is missing; make it with 'samtools faidx {fasta}'")
        self._entries = _read_entries(index)
        self.contigs: dict[str, int] = {name: entry.length for name, entry in self._entries.items()}
        try:
            self._file = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise FastaError(f"{self.path}: cannot be read ({error.strerror}); check the path") from error
        size = os.fstat(self._file).st_size
        for name, entry in self._entries.items():
            if entry.byte_of(entry.length - 1) >= size:
                self.close()
                raise self._misfit(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def bases(self, contig: str, start: int = 0, end: int | None = None) -> Bases:
        """Base codes of ``[start, end)``, 0-based half-open, shape (end - start,), dtype uint8.

        Raises:
            FastaError: the contig is unknown, the interval does not lie inside it, or the FASTA does not match the
                index.
        """
        letters = self.letters(contig, start, end)
        try:
            return encode(letters)
        except ValueError as error:
            raise self._misfit(contig) from error

    def letters(self, contig: str, start: int = 0, end: int | None = None) -> bytes:
        """The letters of ``[start, end)`` as in the FASTA; lower case marks soft-masked repeats.

        Raises:
            FastaError: as :meth:`bases`, but letters that are not nucleotides are accepted.
        """
        if contig not in self.contigs:
            raise FastaError(f"{self.path}: there is no contig {shown(contig)}; there are {some_names(self.contigs)}")
        stop = self.contigs[contig] if end is None else end
        if not 0 <= start <= stop <= self.contigs[contig]:
            raise FastaError(
                f"{self.path}: {contig}:{start}-{stop} (0-based) lies outside the contig, "
                f"which has {self.contigs[contig]} bases"
            )
        if start == stop:
            return b""
        entry = self._entries[contig]
        raw = self._read(entry.byte_of(start), entry.byte_of(stop - 1) + 1).translate(None, b"\r\n")
        if len(raw) != stop - start:
            raise self._misfit(contig)
        return raw

    def _read(self, start: int, end: int) -> bytes:
        pieces = []
        while start < end:
            piece = os.pread(self._file, end - start, start)
            if not piece:
                break
            pieces.append(piece)
            start += len(piece)
        return b"".join(pieces)

    def _misfit(self, contig: str) -> FastaError:
        return FastaError(
            f"{self.path}: the sequence {shown(contig)} is not as its index {self.path.name}.fai says; "
            "delete the index and run again, and fetch the FASTA again if that does not help"
        )


def chosen_contigs(contigs: Mapping[str, int], wanted: Sequence[str] | None) -> dict[str, int]:
    """The wanted contigs with their lengths, in FASTA order; all if ``wanted`` is None.

    Raises:
        ConfigError: a wanted contig is not in the FASTA.
    """
    unknown = [name for name in wanted or () if name not in contigs]
    if unknown:
        raise ConfigError(
            f"contigs {some_names(unknown)} in config.yaml are not in the FASTA, which has {some_names(contigs)}; "
            "use names as in the FASTA"
        )
    chosen = contigs.keys() if wanted is None else set(wanted)
    return {name: length for name, length in contigs.items() if name in chosen}
