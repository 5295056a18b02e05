"""The table of transcripts with their verdicts (``rejected.tsv``): its rows, written and read."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple

from phytoscribe.errors import GffError
from phytoscribe.files import open_text

ACCEPTED, REJECTED = "accepted", "rejected"


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
    writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
    writer.writerow(TranscriptRow._fields)
    writer.writerows(rows)


def read_transcripts(path: str | Path) -> list[TranscriptRow]:
    """Rows of a table that :func:`write_transcripts` wrote.

    Raises:
        GffError: the file is another one; the message names its line.
    """
    with open_text(path) as handle:
        reader = csv.reader(handle, delimiter="\t", strict=True)
        try:
            if tuple(next(reader, ())) != TranscriptRow._fields:
                raise ValueError("the columns are others")
            return [TranscriptRow(*row[:3], int(row[3]), int(row[4]), *row[5:]) for row in reader]
        except (ValueError, TypeError, IndexError, csv.Error) as error:
            raise GffError(
                f"{path}, line {reader.line_num}: not a table of check_annotation ({error}); delete it and check again"
            ) from error
