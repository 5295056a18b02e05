"""What the cleaning step had to leave out, as rows of the table of transcripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from phytoscribe.annotation.checking.reasons import Reason
from phytoscribe.annotation.checking.transcript_table import REJECTED, TranscriptRow
from phytoscribe.annotation.cleaning.repairs import Repair, RepairKind, gene_in_detail, read_place
from phytoscribe.annotation.feature_types import TRANSCRIPT_TYPES, is_transcript_type, may_code

_REASON_OF_REPAIR = {
    RepairKind.GENE_LOST: Reason.LOST_BY_CLEANER,
    RepairKind.TRANSCRIPT_LOST: Reason.LOST_BY_CLEANER,
    RepairKind.GENE_WITHOUT_TRANSCRIPT: Reason.NO_TRANSCRIPT,
    RepairKind.MIXED_STRANDS: Reason.MIXED_STRANDS,
    RepairKind.NO_STRAND: Reason.NO_STRAND,
    RepairKind.NO_PARTS: Reason.NO_EXON,
    RepairKind.PAST_CIRCLE: Reason.OUT_OF_BOUNDS,
    RepairKind.ISOFORM_MERGED: Reason.DUPLICATE,
}
_GENE_KINDS = frozenset({RepairKind.GENE_LOST, RepairKind.GENE_WITHOUT_TRANSCRIPT})


def rows_of_cleaning(repairs: Iterable[Repair]) -> Iterator[TranscriptRow]:
    """Rows for genes and transcripts that the cleaning step left out."""
    for repair in repairs:
        reason = _reason_of(repair)
        if reason is None:
            continue
        gene, transcript = (repair.id, "") if repair.kind in _GENE_KINDS else (gene_in_detail(repair.detail), repair.id)
        detail = "; ".join(filter(None, (repair.detail, f"line {repair.line}" if repair.line else "")))
        yield TranscriptRow(gene, transcript, *read_place(repair.place), REJECTED, str(reason), detail)


def _reason_of(repair: Repair) -> Reason | None:
    first = repair.detail.partition(" ")[0]
    if repair.kind is RepairKind.GENE_WITHOUT_TRANSCRIPT and first and not may_code(first):
        return Reason.NOT_PROTEIN_CODING
    if repair.kind is RepairKind.FEATURE_LEFT_OUT and is_transcript_type(first):
        # A transcript inside a transcript, such as a miRNA in its precursor.
        return Reason.LOST_BY_CLEANER if first in TRANSCRIPT_TYPES else Reason.NOT_PROTEIN_CODING
    return _REASON_OF_REPAIR.get(repair.kind)
