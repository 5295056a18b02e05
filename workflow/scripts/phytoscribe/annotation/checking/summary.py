"""Results of an annotation check: the gene table (``genes.tsv``) and the counts (``check.json``).

The gene table has one row per gene of the source: first the genes of the cleaned annotation in its order, then those
that the cleaning step left out.  The counts do not include the verdict, because its limits can change without a new
check (see :mod:`phytoscribe.annotation.checking.acceptance`).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from phytoscribe.annotation.checking.check import CheckLimits
from phytoscribe.annotation.checking.tables import ACCEPTED, REJECTED, STRUCTURAL_REASONS, Reason, TranscriptRow
from phytoscribe.annotation.cleaning.repairs import write_table
from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import GffError

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

#: Edges of the classes of lengths in bases, eight to a power of ten.
LENGTH_EDGES = tuple(round(10 ** (step / 8)) for step in range(8, 49))

Summary = dict[str, Any]


class GeneRow(NamedTuple):
    """One gene; lengths in bases, ``start0`` 0-based, ``end`` exclusive.

    ``transcripts`` counts all transcripts, including those that the cleaning step left out.  ``longest`` is the
    representative transcript, the accepted one with the longest CDS; the columns after it describe that transcript and
    are empty for a gene that is left out.  ``protein_length`` counts amino acids, without the stop.
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
    of_gene: dict[str, list[TranscriptRow]] = defaultdict(list)
    lost_of: dict[str, list[TranscriptRow]] = defaultdict(list)
    for row in rows:
        of_gene[row.gene].append(row)
    for row in lost:
        if row.transcript:
            lost_of[row.gene].append(row)
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
    longest_intron = max((end - start for start, end in longest.introns), default=0)
    sizes = (len(longest.exons), longest.exonic_length, longest.cds_length, longest.cds_length // 3 - 1, longest_intron)
    return GeneRow(*place, *counts, ACCEPTED, "", longest.id, *sizes)


def telling_reason(reasons: Sequence[str]) -> str:
    """Choose a gene's reason from the reasons of its transcripts.

    A structural fault takes precedence over a non-coding transcript.  Among faults, the most frequent is chosen; ties
    go to the later check, because that transcript passed more checks.
    """
    counts = Counter(reasons)
    return min(counts, key=lambda reason: (_RANK[reason], -counts[reason], -_ORDER[reason]))


def write_genes(handle: IO[str], rows: Iterable[GeneRow]) -> None:
    """Tab-separated table with the fields of :class:`GeneRow` as columns."""
    write_table(handle, GeneRow._fields, rows)


def summarise(
    rows: Sequence[TranscriptRow],
    genes: Sequence[GeneRow],
    accepted: Iterable[GeneModel],
    limits: CheckLimits,
    likely_cause: Mapping[str, Any] | None = None,
) -> Summary:
    """Counts, shares, lengths and limits of a check.

    Args:
        rows: all transcripts, and genes without any, including those that the cleaning step left out.
        genes: the gene table.
        accepted: accepted gene models.
        likely_cause: of :func:`phytoscribe.annotation.checking.acceptance.probe`.

    Coding transcripts are those that are accepted, are copies of another one, or are rejected for a structural fault; a
    gene without any transcript, or lost by the cleaner, counts as one with a fault.  ``share_rejected`` is the share of
    coding transcripts with a fault, or None if there are none.
    """
    transcripts = [row for row in rows if row.transcript]
    whole_genes = _by_reason(row.reason for row in genes if not row.transcripts)
    structural = sum(row.reason in STRUCTURAL_REASONS for row in transcripts)
    structural += sum(count for reason, count in whole_genes.items() if reason in STRUCTURAL_REASONS)
    coding = structural + sum(row.status == ACCEPTED or row.reason == Reason.DUPLICATE for row in transcripts)
    introns, cds = set(), []
    for gene in accepted:
        for transcript in gene.transcripts:
            introns.update((gene.contig, *intron) for intron in transcript.introns)
            cds.append(transcript.cds_length)
    return {
        "genes": len(genes),
        "genes_accepted": sum(row.status == ACCEPTED for row in genes),
        "transcripts": len(transcripts),
        "transcripts_accepted": sum(row.status == ACCEPTED for row in transcripts),
        "coding_transcripts": coding,
        "coding_transcripts_rejected": structural,
        "share_rejected": round(structural / coding, 6) if coding else None,
        "rejected_by_reason": _by_reason(row.reason for row in transcripts if row.status == REJECTED),
        "genes_rejected_by_reason": _by_reason(row.reason for row in genes if row.status == REJECTED),
        "whole_genes_by_reason": whole_genes,
        "likely_cause": dict(likely_cause or {}),
        "lengths": {
            "edges": LENGTH_EDGES,
            "introns": _classes(end - start for _, start, end in introns),
            "cds": _classes(cds),
        },
        "limits": asdict(limits),
    }


def _by_reason(reasons: Iterable[str]) -> dict[str, int]:
    counts = Counter(reasons)
    return {str(reason): counts[reason] for reason in Reason if counts[reason]}


def _classes(lengths: Iterable[int]) -> list[int]:
    """Counts between :data:`LENGTH_EDGES`; what lies outside counts in the first or last class."""
    values = np.clip(np.fromiter(lengths, dtype=np.int64), LENGTH_EDGES[0], LENGTH_EDGES[-1])
    return np.histogram(values, bins=LENGTH_EDGES)[0].tolist()


def write_summary(handle: IO[str], summary: Mapping[str, Any]) -> None:
    """JSON of :func:`summarise`."""
    json.dump(summary, handle, indent=2)
    handle.write("\n")


def read_summary(path: str | Path) -> Summary:
    """What :func:`write_summary` wrote.

    Raises:
        GffError: the file has another format.
    """
    try:
        summary = json.loads(Path(path).read_text(encoding="utf-8"))
        summary["rejected_by_reason"], summary["lengths"]["edges"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GffError(f"{path}: not a summary of check_annotation ({error}); delete it and check again") from error
    return summary
