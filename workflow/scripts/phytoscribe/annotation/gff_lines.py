"""Read lines of GFF3 and GTF files: nine columns, checked, with 0-based half-open coordinates."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from phytoscribe.annotation.gff_text import decode_id, numbered_lines
from phytoscribe.annotation.seqids import unknown_sequence_message
from phytoscribe.errors import GffError
from phytoscribe.genome.intervals import MOST_DIGITS
from phytoscribe.genome.names import shown


class GffRow(NamedTuple):
    """One feature line.  ``start`` is 0-based, ``end`` exclusive; ``attributes`` is column 9 as it stands."""

    line: int
    contig: str
    source: str
    type: str
    start: int
    end: int
    score: str
    strand: str
    phase: str
    attributes: str


def read_rows(
    path: str | Path,
    contigs: Mapping[str, int] | None = None,
    swap_reversed: bool = False,
    seqid_map: Mapping[str, str | None] | None = None,
    left_out: Counter[str] | None = None,
) -> Iterator[GffRow]:
    """Read the feature lines of a plain or gzipped GFF3 or GTF file; directives, comments and blank lines are skipped.

    Sequences in a FASTA section are also skipped; feature lines after it (in joined files) are read.

    Args:
        path: the file.
        contigs: name to length; if given, every feature must lie on one of them.
        swap_reversed: swap start and end if end < start (such rows are yielded with ``line`` negated so that the caller
            can report them), and yield features that run past the end of a sequence declared circular, as in NCBI's
            organelles.
        seqid_map: sequence name in the file to name in ``contigs``; features on a name mapped to None are left out.
        left_out: counts the features left out, by sequence name in the file.

    Raises:
        GffError: a line does not have nine columns, or has impossible coordinates or a score that is not a number; a
            contig is unknown; a feature lies past the end of its contig.  The message starts with file and line.
    """
    sequences = _Sequences(path, contigs, seqid_map)
    words = _Words()
    new = tuple.__new__
    in_fasta = False
    before, contig, length = None, None, None
    for number, line in numbered_lines(path):
        if not line:
            continue
        if line[0] in "#>":
            in_fasta = in_fasta or line[0] == ">" or line.startswith("##FASTA")
            continue
        columns = line.split("\t")
        if len(columns) != 9:
            if not line.strip() or line.lstrip()[0] == "#" or (in_fasta and len(columns) == 1):
                continue
            raise GffError(
                f"{path}, line {number}: {len(columns)} tab-separated columns instead of 9; "
                "a GFF3 or GTF file with tabs is needed"
            )
        in_fasta = False
        name, source, kind, first, last, score, strand, phase, attributes = columns
        # is_coordinate() of both, without its calls: this is asked for millions of lines.
        if not (first.isdecimal() and last.isdecimal() and len(first) <= MOST_DIGITS and len(last) <= MOST_DIGITS):
            raise GffError(
                f"{path}, line {number}: start {shown(first)} and end {shown(last)} must be whole numbers from 1 on"
            )
        start, end = int(first) - 1, int(last)
        key = number
        if end <= start and swap_reversed:
            start, end, key = end - 1, start + 1, -number
        if not 0 <= start < end:
            raise GffError(
                f"{path}, line {number}: start {first}, end {last}: GFF3 counts from 1, and start must be <= end"
            )
        if score != "." and not _is_number(score):
            raise GffError(f"{path}, line {number}: score {shown(score)} is neither a number nor '.'")
        if name != before:
            contig, length = sequences.at(name)
            before = name
        if contig is None:
            if left_out is not None:
                left_out[decode_id(name)] += 1
            continue
        if length is not None and end > length and not (swap_reversed and sequences.is_circular(name)):
            raise GffError(
                f"{path}, line {number}: the feature ends at {end}, past the end of {shown(contig)} ({length} bases); "
                "annotation and genome must be of the same assembly version"
            )
        # Half the time of GffRow(...), which counts over millions of lines.
        yield new(GffRow, (key, contig, words[source], words[kind], start, end, score, strand, phase, attributes))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


class _Words(dict[str, str]):
    """Sources and types, decoded; each text once, as millions of lines share a few of them."""

    def __missing__(self, text: str) -> str:
        self[text] = word = decode_id(text)
        return word


class _Sequences:
    """What column 1 stands for: (contig, length), looked up once for each name."""

    def __init__(
        self, path: str | Path, contigs: Mapping[str, int] | None, seqid_map: Mapping[str, str | None] | None
    ) -> None:
        self._path = path
        self._contigs = contigs
        self._seqid_map = seqid_map or {}
        self._known: dict[str, tuple[str | None, int | None]] = {}
        self._circular: set[str] | None = None

    def at(self, name: str) -> tuple[str | None, int | None]:
        """Contig, or None if the sequence is left out, and its length where lengths are known."""
        if name not in self._known:
            contig = self._seqid_map.get(decode_id(name), decode_id(name))
            placed = contig is not None and self._contigs is not None
            if placed and contig not in self._contigs:
                raise GffError(unknown_sequence_message(self._path, self._contigs, self._seqid_map))
            self._known[name] = contig, self._contigs[contig] if placed else None
        return self._known[name]

    def is_circular(self, name: str) -> bool:
        """True if a line on that sequence says ``Is_circular=true``; the first question reads the file for it."""
        if self._circular is None:
            lines = (line for _, line in numbered_lines(self._path) if "Is_circular=true" in line)
            self._circular = {line.partition("\t")[0] for line in lines}
        return name in self._circular
