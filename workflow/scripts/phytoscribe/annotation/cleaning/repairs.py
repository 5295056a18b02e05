"""What the cleaning step changed, kept line by line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import quote, unquote

from phytoscribe.annotation.gff_text import decode_id, encode_id
from phytoscribe.errors import GffError
from phytoscribe.files import open_text

_COLUMNS = ("repair", "id", "line", "detail", "place")
_PLACE = re.compile(r"(.*):(\d+)-(\d+):(.*)", re.DOTALL)
#: What may not stand in a cell: it would end the cell or the line.  ``%`` marks an escape.
_CELL_SPECIAL = re.compile(r"[%\x00-\x1f\x7f\x85\u2028\u2029]")


class RepairKind(StrEnum):
    """Changes that the cleaning step makes; the first group loses something (:data:`LOSSES`), the second does not."""

    GENE_WITHOUT_TRANSCRIPT = "gene_without_transcript_left_out"
    MIXED_STRANDS = "transcript_on_two_strands_or_sequences_left_out"
    NO_STRAND = "transcript_without_strand_left_out"
    ORPHAN = "part_without_parent_left_out"
    NO_PARTS = "transcript_without_exon_or_cds_left_out"
    PAST_CIRCLE = "transcript_past_the_end_of_a_circle_left_out"
    FEATURE_LEFT_OUT = "feature_outside_genes_left_out"
    GENE_LOST = "gene_lost_by_the_cleaner"

    GENE_MADE = "gene_made"
    TRANSCRIPT_MADE = "transcript_made"
    EXONS_MADE = "exons_made_from_cds_and_utrs"
    EXON_FROM_TRANSCRIPT = "exon_made_from_transcript"
    EXONS_STRETCHED = "outer_exons_stretched_to_the_transcript"
    EXON_EXTENDED = "exon_extended_over_cds"
    UTRS_MADE = "utrs_made_from_exons_and_cds"
    STOP_CODON_JOINED = "stop_codon_joined_to_cds"
    PHASES_RECOMPUTED = "phases_recomputed"
    GENE_RESIZED = "gene_resized_to_its_transcripts"
    DUPLICATE_LINE = "repeated_line_removed"
    RENAMED = "duplicate_id_renamed"
    GENE_SPLIT = "gene_split_by_strand_or_sequence"
    ENDS_SWAPPED = "start_and_end_swapped"


LOSSES = frozenset(kind for kind in RepairKind if kind.endswith(("_left_out", "_lost_by_the_cleaner")))


class Repair(NamedTuple):
    """One change.

    Attributes:
        kind: what was done.
        id: gene or transcript, as the file names it; the sequence where a whole sequence was left out.
        line: line of the source file, counted from 1; 0 where there is none.
        detail: for people.
        place: ``contig:start-end:strand``, 1-based and closed; "" where there is none.
    """

    kind: RepairKind
    id: str
    line: int
    detail: str
    place: str = ""


def shown_place(contig: str, start: int, end: int, strand: str) -> str:
    """``contig:start-end:strand``, 1-based and closed, of a 0-based half-open interval."""
    return f"{contig}:{start + 1}-{end}:{strand}"


def read_place(text: str) -> tuple[str, int, int, str]:
    """(contig, 0-based start, end, strand) of a place of :func:`shown_place`; ("", 0, 0, ".") of any other text."""
    found = _PLACE.fullmatch(text)
    return (found[1], int(found[2]) - 1, int(found[3]), found[4]) if found else ("", 0, 0, ".")


def detail_in_gene(gene: str, *rest: str) -> str:
    """Detail of a transcript's row: its gene, and what else there is to say."""
    return "; ".join(filter(None, (f"gene {encode_id(gene)}", *rest)))


def gene_in_detail(detail: str) -> str:
    """The gene of a detail of :func:`detail_in_gene`; "" of any other text."""
    first = detail.partition(";")[0]
    return decode_id(first.removeprefix("gene ")) if first.startswith("gene ") else ""


@dataclass(slots=True)
class RepairReport:
    """All changes to one file.

    Attributes:
        rows: in the order in which they were made.
        genes_in: gene lines read, a repeated line counted once.
        genes_out: gene models returned.
    """

    rows: list[Repair] = field(default_factory=list)
    genes_in: int = 0
    genes_out: int = 0

    def add(self, kind: RepairKind, identifier: str, line: int = 0, detail: str = "", place: str = "") -> None:
        self.rows.append(Repair(kind, identifier, line, detail, place))

    @property
    def counts(self) -> Counter[RepairKind]:
        return Counter(row.kind for row in self.rows)


def write_repairs(handle: IO[str], rows: Iterable[Repair]) -> None:
    """Table with the columns repair, id, line (of the source file), detail, place.

    Tabs, line ends and other control characters inside a cell are percent-escaped, and so is ``%``.
    """
    handle.write("\t".join(_COLUMNS) + "\n")
    for row in rows:
        handle.write(f"{row.kind}\t{_cell(row.id)}\t{row.line or ''}\t{_cell(row.detail)}\t{_cell(row.place)}\n")


def read_repairs(path: str | Path) -> list[Repair]:
    """The rows of a table that :func:`write_repairs` wrote.

    Raises:
        GffError: the file is another one; the message names its line.
    """
    rows = []
    with open_text(path) as lines:
        header = next(lines, "").rstrip("\n").split("\t")
        if tuple(header) != _COLUMNS:
            raise GffError(f"{path}, line 1: not a table of repairs; delete it and clean again")
        for number, text in enumerate(lines, start=2):
            cells = text.rstrip("\n").split("\t")
            try:
                kind, identifier, line, detail, place = cells
                row = Repair(RepairKind(kind), unquote(identifier), int(line or 0), unquote(detail), unquote(place))
            except ValueError as error:
                raise GffError(
                    f"{path}, line {number}: not a row of the table of repairs; delete it and clean again"
                ) from error
            rows.append(row)
    return rows


def _cell(text: str) -> str:
    return _CELL_SPECIAL.sub(lambda match: quote(match.group(), safe=""), text)
