"""What the cleaning step changed, kept line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO, NamedTuple


class RepairKind(StrEnum):
    """Changes that the cleaning step makes; the first group loses something, the second does not."""

    GENE_WITHOUT_TRANSCRIPT = "gene_without_transcript_left_out"
    MIXED_STRANDS = "transcript_on_two_strands_or_sequences_left_out"
    NO_STRAND = "transcript_without_strand_left_out"
    ORPHAN = "part_without_parent_left_out"
    FEATURE_LEFT_OUT = "feature_outside_genes_left_out"
    GENE_LOST = "gene_lost_by_the_cleaner"

    GENE_MADE = "gene_made"
    TRANSCRIPT_MADE = "transcript_made"
    EXONS_MADE = "exons_made_from_cds_and_utrs"
    EXON_FROM_TRANSCRIPT = "exon_made_from_transcript"
    EXON_EXTENDED = "exon_extended_over_cds"
    STOP_CODON_JOINED = "stop_codon_joined_to_cds"
    PHASES_RECOMPUTED = "phases_recomputed"
    GENE_RESIZED = "gene_resized_to_its_transcripts"
    DUPLICATE_LINE = "repeated_line_removed"
    RENAMED = "duplicate_id_renamed"
    GENE_SPLIT = "gene_split_by_strand_or_sequence"
    ENDS_SWAPPED = "start_and_end_swapped"


LOSSES = frozenset(
    {
        RepairKind.GENE_WITHOUT_TRANSCRIPT,
        RepairKind.MIXED_STRANDS,
        RepairKind.NO_STRAND,
        RepairKind.ORPHAN,
        RepairKind.FEATURE_LEFT_OUT,
        RepairKind.GENE_LOST,
    }
)


class Repair(NamedTuple):
    """One change: its kind, the gene or transcript id, the line of the source file (0 where there is none)."""

    kind: RepairKind
    id: str
    line: int
    detail: str


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

    def add(self, kind: RepairKind, identifier: str, line: int = 0, detail: str = "") -> None:
        self.rows.append(Repair(kind, identifier, line, detail))

    @property
    def counts(self) -> Counter[RepairKind]:
        return Counter(row.kind for row in self.rows)


def write_repairs(handle: IO[str], rows: Iterable[Repair]) -> None:
    """Table with the columns repair, id, line (of the source file), detail."""
    handle.write("repair\tid\tline\tdetail\n")
    for row in rows:
        handle.write(f"{row.kind}\t{row.id}\t{row.line or ''}\t{row.detail}\n")
