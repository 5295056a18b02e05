"""The table of transcripts with their verdicts (``rejected.tsv``), and the reasons for leaving one out.

Only this module reads the table, and it decides what the table means for training and scoring.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import IO, NamedTuple

from phytoscribe.annotation.cleaning.repairs import (
    Repair,
    RepairKind,
    gene_in_detail,
    read_place,
    read_table,
    write_table,
)
from phytoscribe.annotation.feature_types import TRANSCRIPT_TYPES, is_transcript_type, may_code
from phytoscribe.annotation.model import GeneModel

ACCEPTED, REJECTED = "accepted", "rejected"


class Reason(StrEnum):
    """Reasons in the order of the checks: a transcript gets the first one that applies.

    ``words`` is the text for messages and figures; ``docs/annotation-checks.md`` explains what to do about each reason.
    Reasons up to ``NO_EXON`` come from the cleaning step, which had to leave the gene or transcript out.
    """

    words: str

    def __new__(cls, value: str, words: str) -> Reason:
        """Give the reason its words."""
        reason = str.__new__(cls, value)
        reason._value_, reason.words = value, words
        return reason

    LOST_BY_CLEANER = "lost_by_cleaner", "lost by the cleaner"
    NO_TRANSCRIPT = "no_transcript", "gene without transcript"
    MIXED_STRANDS = "mixed_strands", "on two strands or sequences"
    NO_STRAND = "no_strand", "without strand"
    NO_EXON = "no_exon", "without exons"

    NOT_PROTEIN_CODING = "not_protein_coding", "not protein coding"
    ORGANELLE = "organelle", "on an organelle"
    NO_CDS = "no_cds", "no CDS"
    OUT_OF_BOUNDS = "out_of_bounds", "past the end of the contig"
    OVERLAPPING_EXONS = "overlapping_exons", "exons overlap"
    CDS_OUTSIDE_EXONS = "cds_outside_exons", "CDS and exons disagree"
    CDS_SEGMENT_TOO_SHORT = "cds_segment_too_short", "CDS segment too short"
    INTRON_TOO_SHORT = "intron_too_short", "intron too short"
    INTRON_TOO_LONG = "intron_too_long", "intron too long"
    ON_GAP = "on_gap", "on a gap (N)"
    AT_AC_SPLICE_SITE = "at_ac_splice_site", "AT-AC intron"
    SPLICE_SITE = "splice_site", "splice site not allowed"
    NO_START = "no_start", "no start codon"
    LENGTH_NOT_MULTIPLE_OF_THREE = "length_not_multiple_of_three", "length not a multiple of three"
    NO_STOP = "no_stop", "no stop codon"
    IN_FRAME_STOP = "in_frame_stop", "stop codon inside"
    DUPLICATE = "duplicate", "same as another transcript"


#: A transcript rejected for one of these hides no broken coding gene: its span needs no masking.
HARMLESS_REASONS = frozenset({Reason.NOT_PROTEIN_CODING, Reason.NO_CDS, Reason.DUPLICATE})

#: They say nothing about whether the annotation fits the sequence; all others do, and count for the limits.
UNSUSPICIOUS_REASONS = HARMLESS_REASONS | {Reason.ORGANELLE}
STRUCTURAL_REASONS = frozenset(Reason) - UNSUSPICIOUS_REASONS
IN_WORDS = {reason: reason.words for reason in Reason}


class TranscriptRow(NamedTuple):
    """One transcript, or a gene that has none (``transcript`` is empty then).

    ``start0`` is 0-based, ``end`` exclusive; both are 0 and ``contig`` is empty if the position is not known.
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
    """Tab-separated table with the fields of :class:`TranscriptRow` as columns."""
    write_table(handle, TranscriptRow._fields, rows)


def read_transcripts(path: str | Path) -> list[TranscriptRow]:
    """Rows of a table that :func:`write_transcripts` wrote.

    Raises:
        GffError: the file is another one; the message names its line.
    """

    def transcript(*cells: str) -> TranscriptRow:
        return TranscriptRow(*cells)._replace(start0=int(cells[3]), end=int(cells[4]))

    advice = "take results/clean/<genome>.rejected.tsv, and if this is it, delete it and check again"
    return read_table(path, TranscriptRow._fields, transcript, "table of check_annotation", advice)


def ignored_loci(rows: Iterable[TranscriptRow], accepted: Collection[str]) -> list[tuple[str, int, int]]:
    """Loci that may hold a gene which the check could not confirm; training ignores them.

    Args:
        rows: the table of transcripts.
        accepted: ids of genes with an accepted transcript.

    Returns:
        (contig, start, end), 0-based half-open, of each transcript that was rejected for a fault, or because it lies on
        an organelle, and whose gene has no accepted transcript.
    """
    return [
        (row.contig, row.start0, row.end)
        for row in rows
        if row.status == REJECTED and row.gene not in accepted and row.reason not in HARMLESS_REASONS
    ]


def without_rejected(
    genes: Iterable[GeneModel], rows: Iterable[TranscriptRow], tolerated: Collection[str] = ()
) -> list[GeneModel]:
    """Genes with the transcripts that were not rejected; genes without any are left out.

    Args:
        genes: the cleaned annotation.
        rows: the table of transcripts; accepted ones may be in it.
        tolerated: reasons for which a rejected transcript is kept.
    """
    # With the place, as a transcript that the cleaning step left out may have had the id of one that it kept.
    out = {
        (row.transcript, row.contig, row.start0, row.end) for row in rows if row.reason and row.reason not in tolerated
    }
    kept = []
    for gene in genes:
        transcripts = tuple(t for t in gene.transcripts if (t.id, gene.contig, t.start, t.end) not in out)
        if transcripts:
            kept.append(gene if len(transcripts) == len(gene.transcripts) else replace(gene, transcripts=transcripts))
    return kept


_REASON_OF_REPAIR = {
    RepairKind.GENE_LOST: Reason.LOST_BY_CLEANER,
    RepairKind.GENE_WITHOUT_TRANSCRIPT: Reason.NO_TRANSCRIPT,
    RepairKind.MIXED_STRANDS: Reason.MIXED_STRANDS,
    RepairKind.NO_STRAND: Reason.NO_STRAND,
    RepairKind.NO_PARTS: Reason.NO_EXON,
    RepairKind.PAST_CIRCLE: Reason.OUT_OF_BOUNDS,
}


def rows_of_cleaning(repairs: Iterable[Repair]) -> Iterator[TranscriptRow]:
    """Rows for genes and transcripts that the cleaning step left out."""
    for repair in repairs:
        whole = repair.kind in (RepairKind.GENE_LOST, RepairKind.GENE_WITHOUT_TRANSCRIPT)
        gene, transcript = (repair.id, "") if whole else (gene_in_detail(repair.detail), repair.id)
        detail = "; ".join(filter(None, (repair.detail, f"line {repair.line}" if repair.line else "")))
        if (reason := _reason_of(repair)) is not None:
            yield TranscriptRow(gene, transcript, *read_place(repair.place), REJECTED, str(reason), detail)


def _reason_of(repair: Repair) -> Reason | None:
    first = repair.detail.partition(" ")[0]
    if repair.kind is RepairKind.GENE_WITHOUT_TRANSCRIPT and first and not may_code(first):
        return Reason.NOT_PROTEIN_CODING
    if repair.kind is RepairKind.FEATURE_LEFT_OUT and is_transcript_type(first):
        # A transcript inside a transcript, such as a miRNA in its precursor.
        return Reason.LOST_BY_CLEANER if first in TRANSCRIPT_TYPES else Reason.NOT_PROTEIN_CODING
    return _REASON_OF_REPAIR.get(repair.kind)
