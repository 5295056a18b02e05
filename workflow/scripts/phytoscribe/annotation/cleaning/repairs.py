"""The list of changes made by the cleaning step, and the format of the cleaning and checking tables."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

from phytoscribe.annotation.gff_text import decode_id, encode_id
from phytoscribe.errors import GffError
from phytoscribe.files import LONGEST_LINE, open_text

_COLUMNS = ("repair", "id", "line", "detail", "place")
#: Readers take a carriage return for the end of a row, too; the csv module's writer does not quote it.
_ODD = re.compile(r'["\t\r\n]')
_PLACE = re.compile(r"(.*):(\d+)-(\d+):(.*)", re.DOTALL)

Row = TypeVar("Row")


class RepairKind(StrEnum):
    """Changes that the cleaning step makes; the first group loses something (:data:`LOSSES`), the second does not.

    The last two are totals, not changes.
    """

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
    PIECES_JOINED = "lines_of_one_feature_joined"
    EXONS_WIDENED = "exons_widened_by_utrs"
    GENE_SPLIT = "gene_split_by_strand_or_sequence"
    GENE_SPLIT_APART = "gene_split_by_distance"
    ENDS_SWAPPED = "start_and_end_swapped"

    ACCOUNT_OF_GENES = "account_of_genes"
    ACCOUNT_OF_TRANSCRIPTS = "account_of_transcripts"


LOSSES = frozenset(kind for kind in RepairKind if kind.endswith(("_left_out", "_lost_by_the_cleaner")))


class Repair(NamedTuple):
    """One change.

    Attributes:
        kind: what was done.
        id: gene or transcript, as the file names it; the sequence where a whole sequence was left out.
        line: line of the source file, counted from 1; 0 where there is none.
        detail: text for the user.
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
class Balance:
    """Account of all genes, or all transcripts: the lines of the file plus and minus the changes give the result.

    Attributes:
        lines: lines of the source file, including repeated ones.
        changes: number added or removed by each kind of repair; each change has its row in the table.
        out: number in the result.
    """

    lines: int = 0
    changes: Counter[RepairKind] = field(default_factory=Counter)
    out: int = 0

    def __str__(self) -> str:
        changed = [f" {'-' if count < 0 else '+'} {abs(count)} {kind}" for kind, count in sorted(self.changes.items())]
        return f"{self.lines} lines{''.join(changed)} = {self.out}"

    @property
    def is_even(self) -> bool:
        return self.lines + sum(self.changes.values()) == self.out


@dataclass(slots=True)
class RepairReport:
    """All changes to one file.

    Attributes:
        rows: in the order in which they were made.
        genes_in: gene lines read; a repeated line, and the lines of one gene in several pieces, count once.
        genes_out: gene models returned.
        genes, transcripts: the account of both; None of transcripts after AGAT, which removes equal isoforms and does
            not say which.
    """

    rows: list[Repair] = field(default_factory=list)
    genes_in: int = 0
    genes_out: int = 0
    genes: Balance = field(default_factory=Balance, compare=False)
    transcripts: Balance | None = field(default_factory=Balance, compare=False)

    def add(
        self,
        kind: RepairKind,
        identifier: str,
        line: int = 0,
        detail: str = "",
        place: str = "",
        *,
        genes: int = 0,
        transcripts: int = 0,
    ) -> None:
        """Add a row; ``genes`` and ``transcripts`` are the numbers that this change adds (negative: removes)."""
        self.rows.append(Repair(kind, identifier, line, detail, place))
        if genes:
            self.genes.changes[kind] += genes
        if transcripts and self.transcripts is not None:
            self.transcripts.changes[kind] += transcripts

    @property
    def counts(self) -> Counter[RepairKind]:
        return Counter(row.kind for row in self.rows)

    def account(self) -> list[Repair]:
        """The last rows of the table: lines read, numbers added and removed, and the result."""
        sums = ((RepairKind.ACCOUNT_OF_GENES, self.genes), (RepairKind.ACCOUNT_OF_TRANSCRIPTS, self.transcripts))
        return [Repair(kind, "", 0, str(balance)) for kind, balance in sums if balance is not None]

    def close(self, path: str | Path, genes: int, transcripts: int) -> None:
        """Record how many genes and transcripts the result holds.

        Raises:
            GffError: some are missing or surplus, and no row of the table explains it.
        """
        self.genes_out = self.genes.out = genes
        if self.transcripts is not None:
            self.transcripts.out = transcripts
        for what, balance in (("genes", self.genes), ("transcripts", self.transcripts)):
            if balance is not None and not balance.is_even:
                raise GffError(
                    f"{path}: the account of its {what} does not add up ({balance}); this is a fault of PhytoScribe's "
                    "cleaner: please report it, with the file"
                )


def write_repairs(handle: IO[str], rows: Iterable[Repair]) -> None:
    """Table with the columns repair, id, line (of the source file), detail, place."""
    write_table(handle, _COLUMNS, (row._replace(line=row.line or "") for row in rows))


def read_repairs(path: str | Path) -> list[Repair]:
    """Rows of a table that :func:`write_repairs` wrote.

    Raises:
        GffError: the file is another one; the message names its line.
    """

    def repair(kind: str, identifier: str, line: str, detail: str, place: str) -> Repair:
        return Repair(RepairKind(kind), identifier, int(line or 0), detail, place)

    return read_table(path, _COLUMNS, repair, "table of repairs", "delete it and clean again")


def write_table(handle: IO[str], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Tab-separated table with a header; a cell with a tab, a line end or a quote is quoted, as for the csv module."""
    for row in (columns, *rows):
        cells = ('"' + text.replace('"', '""') + '"' if _ODD.search(text) else text for text in map(str, row))
        handle.write("\t".join(cells) + "\n")


def read_table(path: str | Path, columns: Sequence[str], row: Callable[..., Row], what: str, advice: str) -> list[Row]:
    """Rows of a table that :func:`write_table` wrote.

    Args:
        columns: that it must have.
        row: makes a row from its cells, and raises a ValueError or TypeError if it cannot.
        what: the table is, for the message.
        advice: what to do about a file that is another one.

    Raises:
        GffError: the file is another one; the message names its line.
    """
    csv.field_size_limit(LONGEST_LINE)  # an id or a biotype may be as long as the line that it came from
    with open_text(path, newline="") as handle:
        reader = csv.reader(handle, delimiter="\t", strict=True)
        try:
            if tuple(next(reader, ())) != tuple(columns):
                raise ValueError(f"the columns are not {', '.join(columns)}")
            return [row(*cells) for cells in reader]
        except (ValueError, TypeError, csv.Error) as error:
            raise GffError(f"{path}, line {max(1, reader.line_num)}: not a {what} ({error}); {advice}") from error
