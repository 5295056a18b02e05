"""Lines of GFF3 and GTF files: nine columns, checked, with 0-based half-open coordinates; escapes of column 9."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from phytoscribe.errors import GffError
from phytoscribe.files import open_text
from phytoscribe.genome.fasta import some_names

# A comma separates the values of one attribute, so an escaped comma inside a value stays escaped ("%2C").
_ESCAPES = re.compile(r"(?:%(?!2[Cc])[0-9A-Fa-f]{2})+")
_VALUE_SPECIAL = re.compile(r"%(?!2[Cc])|[;=&\x00-\x1f\x7f\x85\u2028\u2029]")
_ID_SPECIAL = re.compile(r"[%;=&,\x00-\x1f\x7f\x85\u2028\u2029]")
_COLUMN_SPECIAL = re.compile(r"[%#>\s\x00-\x1f\x7f]")


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
    """Feature lines of a plain or gzipped GFF3 or GTF file, up to ``##FASTA``; comments and blank lines are skipped.

    Args:
        path: the file.
        contigs: name to length; if given, every feature must lie on one of them.
        swap_reversed: exchange start and end where end < start (such rows are yielded with ``line`` negated so that
            the caller can report them).
        seqid_map: sequence name in the file to name in ``contigs``; features on a name mapped to None are left out.
        left_out: counts the features left out, by the file's name of their sequence.

    Raises:
        GffError: a line has not nine columns, impossible coordinates or a score that is no number; a contig is unknown;
            a feature lies past the end of its contig.  The message starts with file and line.
    """
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            if line[0] in "#\n\r>":
                if line.startswith(("##FASTA", ">")):
                    return
                continue
            columns = line.rstrip("\r\n").split("\t")
            if len(columns) != 9:
                if not line.strip():
                    continue
                raise GffError(
                    f"{path}, line {number}: {len(columns)} tab-separated columns instead of 9; "
                    "a GFF3 or GTF file with tabs is needed"
                )
            contig, source, kind, first, last, score, strand, phase, attributes = columns
            if not (first.isdecimal() and last.isdecimal()):
                raise GffError(
                    f"{path}, line {number}: start {first!r} and end {last!r} must be whole numbers from 1 on"
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
                raise GffError(f"{path}, line {number}: score {score!r} is neither a number nor '.'")
            if "%" in contig:
                contig = unquote(contig)
            if seqid_map is not None and contig in seqid_map:
                mapped = seqid_map[contig]
                if mapped is None:
                    if left_out is not None:
                        left_out[contig] += 1
                    continue
                contig = mapped
            if contigs is not None:
                _check_place(path, number, contig, end, contigs)
            yield GffRow(key, contig, source, kind, start, end, score, strand, phase, attributes)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _check_place(path: str | Path, number: int, contig: str, end: int, contigs: Mapping[str, int]) -> None:
    length = contigs.get(contig)
    if length is None:
        raise GffError(
            f"{path}, line {number}: the sequence {contig!r} is not in the genome FASTA, whose names are "
            f"{some_names(contigs)}; use the same names in both files (the first word after '>')"
        )
    if end > length:
        raise GffError(
            f"{path}, line {number}: the feature ends at {end}, past the end of {contig!r} ({length} bases); "
            "annotation and genome must be of the same assembly version"
        )


def decode_value(text: str) -> str:
    """Attribute value without percent escapes, except ``%2C`` (an escaped comma stays apart from a list's comma)."""
    return _ESCAPES.sub(lambda match: unquote(match.group()), text) if "%" in text else text


def decode_id(text: str) -> str:
    """An identifier without percent escapes."""
    return unquote(text) if "%" in text else text


def encode_value(text: str) -> str:
    """The inverse of :func:`decode_value`."""
    return _VALUE_SPECIAL.sub(_escape, text)


def encode_id(text: str) -> str:
    """The inverse of :func:`decode_id`; a comma is escaped, since ``Parent`` is a list."""
    return _ID_SPECIAL.sub(_escape, text)


def encode_column(text: str) -> str:
    """Sequence name or source for columns 1 and 2: blanks, ``%``, ``#`` and ``>`` are escaped."""
    return _COLUMN_SPECIAL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode())


def parse_attributes(text: str, where: str) -> dict[str, str]:
    """Decoded GFF3 attributes in file order; a repeated key is joined with commas, one without value left out.

    Args:
        text: column 9.
        where: "file, line n" for the message.

    Raises:
        GffError: an attribute without ``=`` (a GTF file, as a rule).
    """
    attributes: dict[str, str] = {}
    if text == ".":
        return attributes
    for field in text.split(";"):
        key, equals, value = field.partition("=")
        if not equals:
            if field.strip():
                raise GffError(
                    f"{where}: the attribute {field.strip()[:60]!r} is not of the form key=value; "
                    "if this is a GTF file, let the cleaning step read it"
                )
            continue
        if not value.strip():
            continue  # "Note=" says nothing, and validators refuse it
        name = decode_value(key.strip())
        value = decode_value(value.rstrip()) if name not in ("ID", "Parent") else value.strip()
        attributes[name] = f"{attributes[name]},{value}" if name in attributes else value
    return attributes
