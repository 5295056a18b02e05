"""Tables of the annotation check: transcripts with their verdicts (``rejected.tsv``) and genes (``genes.tsv``).

``rejected.tsv`` is read here alone, and what follows from it for training and for scoring is decided here.  The gene
table has one row per gene of the source: those of the cleaned annotation in its order, then those that the cleaning
step left out.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple

from phytoscribe.annotation.checking.reasons import HARMLESS_REASONS, STRUCTURAL_REASONS, Reason
from phytoscribe.annotation.cleaning.repairs import Repair, RepairKind, gene_in_detail, read_place
from phytoscribe.annotation.feature_types import TRANSCRIPT_TYPES, is_transcript_type, may_code
from phytoscribe.annotation.line_blocks import LONGEST_LINE
from phytoscribe.annotation.model import GeneModel, Transcript
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
                raise ValueError(f"the columns are not {', '.join(TranscriptRow._fields)}")
            return [TranscriptRow(*row[:3], int(row[3]), int(row[4]), *row[5:]) for row in reader]
        except (ValueError, TypeError, IndexError, csv.Error) as error:
            raise GffError(
                f"{path}, line {reader.line_num}: not a table of check_annotation ({error}); take "
                "results/clean/<genome>.rejected.tsv, and if this is it, delete it and check again"
            ) from error


def ignored_loci(rows: Iterable[TranscriptRow], accepted: Collection[str]) -> list[tuple[str, int, int]]:
    """Loci that may hold a gene which the check could not confirm; they count for nothing in training.

    Args:
        rows: the table of transcripts.
        accepted: ids of genes with an accepted transcript.

    Returns:
        (contig, start, end), 0-based half-open, of each transcript that was rejected for a fault, or for its organelle,
        and whose gene has no accepted one.
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
        tolerated: reasons for which a transcript is not left out.
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


_ORDER = {str(reason): number for number, reason in enumerate(Reason)}
#: What a gene is said to be rejected for if its transcripts say different things: the earlier in this list.
_TELLING = (
    STRUCTURAL_REASONS - {Reason.LOST_BY_CLEANER, Reason.NO_TRANSCRIPT},
    {Reason.DUPLICATE},
    {Reason.ORGANELLE},
    {Reason.NO_CDS},
    {Reason.NOT_PROTEIN_CODING},
    {Reason.LOST_BY_CLEANER, Reason.NO_TRANSCRIPT},
)
_RANK = {str(reason): rank for rank, reasons in enumerate(_TELLING) for reason in reasons}


class GeneRow(NamedTuple):
    """One gene; lengths in bases, ``start0`` 0-based, ``end`` exclusive.

    ``transcripts`` counts all of the gene, also those that the cleaning step left out.  ``longest`` is the accepted
    transcript with the longest CDS, the representative one, and the columns after it are its; they are empty for a
    gene that is left out.  ``protein_length`` counts amino acids, without the stop.
    """

    gene: str
    contig: str
    start0: int
    end: int
    strand: str
    biotype: str
    source: str
    transcripts: int
    transcripts_accepted: int
    status: str
    reason: str
    longest: str
    exons: int | str
    transcript_length: int | str
    cds_length: int | str
    protein_length: int | str
    longest_intron: int | str


def gene_rows(
    genes: Iterable[GeneModel], rows: Sequence[TranscriptRow], lost: Sequence[TranscriptRow] = ()
) -> list[GeneRow]:
    """Rows of the gene table.

    Args:
        genes: the cleaned annotation.
        rows: of :func:`phytoscribe.annotation.checking.check.check_annotation` for these genes.
        lost: of :func:`rows_of_cleaning`.
    """
    of_gene: dict[str, list[TranscriptRow]] = {}
    for row in rows:
        of_gene.setdefault(row.gene, []).append(row)
    lost_of: dict[str, list[TranscriptRow]] = {}
    for row in lost:
        if row.transcript:
            lost_of.setdefault(row.gene, []).append(row)
    table: list[GeneRow] = []
    # A gene id can also name a lost gene: its lost transcripts go to that one.
    for row in (row for row in lost if not row.transcript):
        transcripts = lost_of.pop(row.gene, [])
        reason = telling_reason([row.reason, *(item.reason for item in transcripts)])
        biotype = row.detail.partition(";")[0] if row.reason == Reason.NOT_PROTEIN_CODING else ""
        table.append(GeneRow(row.gene, *row[2:6], biotype, "", len(transcripts), 0, REJECTED, reason, "", *[""] * 5))
    kept = [_gene_row(gene, of_gene[gene.id], lost_of.get(gene.id, [])) for gene in genes]
    return [*kept, *table]


def _gene_row(gene: GeneModel, rows: Sequence[TranscriptRow], lost: Sequence[TranscriptRow]) -> GeneRow:
    accepted = {row.transcript for row in rows if row.status == ACCEPTED}
    place = (gene.id, gene.contig, gene.start, gene.end, gene.strand, gene.biotype, gene.source)
    counts = (len(rows) + len(lost), len(accepted))
    if not accepted:
        reason = telling_reason([row.reason for row in (*rows, *lost)])
        return GeneRow(*place, *counts, REJECTED, reason, "", "", "", "", "", "")
    longest = replace(gene, transcripts=tuple(t for t in gene.transcripts if t.id in accepted)).representative
    return GeneRow(*place, *counts, ACCEPTED, "", longest.id, *_sizes(longest))


def _sizes(transcript: Transcript) -> tuple[int, int, int, int, int]:
    """Exons, transcript length, CDS length, protein length, longest intron."""
    longest_intron = max((end - start for start, end in transcript.introns), default=0)
    cds_length = transcript.cds_length
    return len(transcript.exons), transcript.exonic_length, cds_length, cds_length // 3 - 1, longest_intron


def telling_reason(reasons: Sequence[str]) -> str:
    """The reason of a gene, from those of its transcripts.

    A fault of the structure says more than a transcript that codes for nothing; among faults the most frequent counts,
    and of two as frequent the later check, which that transcript got furthest in.
    """
    counts = Counter(reasons)
    return min(counts, key=lambda reason: (_RANK[reason], -counts[reason], -_ORDER[reason]))


def write_genes(handle: IO[str], rows: Iterable[GeneRow]) -> None:
    """Tab-separated table with the fields of :class:`GeneRow` as columns; cells with odd characters are quoted."""
    write_table(handle, GeneRow._fields, rows)
