"""The gene table (``genes.tsv``): one row per gene of the source, accepted or left out, with its reason and sizes.

Every gene appears: those of the cleaned annotation in its order, then those that the cleaning step left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import IO, NamedTuple

from phytoscribe.annotation.checking.reasons import STRUCTURAL_REASONS, Reason
from phytoscribe.annotation.checking.transcript_table import ACCEPTED, REJECTED, TranscriptRow, write_table
from phytoscribe.annotation.model import GeneModel, Transcript

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
        lost: of :func:`phytoscribe.annotation.checking.cleaning_losses.rows_of_cleaning`.
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
