"""The table of transcripts with their verdicts (``rejected.tsv``): its rows, written and read."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from phytoscribe.annotation.line_blocks import LONGEST_LINE
from phytoscribe.errors import GffError
from phytoscribe.files import open_text

ACCEPTED, REJECTED = "accepted", "rejected"
#: Readers take a carriage return for the end of a row, too; the csv module's writer does not quote it.
_ODD = re.compile(r'["\t\r\n]')


class TranscriptRow(NamedTuple):
    """One transcript, or a gene that has none (``transcript`` is empty then).

    ``start0`` is 0-based, ``end`` exclusive; both are 0 and ``contig`` is empty where the place is not known.
    ``status`` is ``accepted`` or ``rejected``, ``reason`` a :class:`Reason` or empty.
    """

    gene: str
    transcript: str
    contig: str
    start0: int
    end: int
    strand: str
    status: str
    reason: str
    detail: str


def write_transcripts(handle: IO[str], rows: Iterable[TranscriptRow]) -> None:
    """Tab-separated table with the fields of :class:`TranscriptRow` as columns; odd cells are quoted."""
    write_table(handle, TranscriptRow._fields, rows)


def write_table(handle: IO[str], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Tab-separated table with a header; a cell with a tab, a line end or a quote is quoted, as for the csv module."""
    for row in (columns, *rows):
        handle.write("\t".join(map(_cell, map(str, row))) + "\n")


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _ODD.search(text) else text


def read_transcripts(path: str | Path) -> list[TranscriptRow]:
    """Rows of a table that :func:`write_transcripts` wrote.

    Raises:
        GffError: the file is another one; the message names its line.
    """
    csv.field_size_limit(LONGEST_LINE)  # an id or a biotype may be as long as the line that it came from
    with open_text(path, newline="") as handle:
        reader = csv.reader(handle, delimiter="\t", strict=True)
        try:
            if tuple(next(reader, ())) != TranscriptRow._fields:
                raise ValueError("the columns are others")
            return [TranscriptRow(*row[:3], int(row[3]), int(row[4]), *row[5:]) for row in reader]
        except (ValueError, TypeError, IndexError, csv.Error) as error:
            raise GffError(
                f"{path}, line {reader.line_num}: not a table of check_annotation ({error}); delete it and check again"
            ) from error
