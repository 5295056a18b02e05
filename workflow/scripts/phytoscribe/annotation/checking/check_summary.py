"""Counts of one annotation check (``check.json``): what came in, what was accepted, why the rest was not.

The verdict is not part of it: its limits can change without a new check (see
:mod:`phytoscribe.annotation.checking.acceptance`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from phytoscribe.annotation.checking.check import CheckLimits
from phytoscribe.annotation.checking.reasons import STRUCTURAL_REASONS, Reason
from phytoscribe.annotation.checking.tables import ACCEPTED, REJECTED, GeneRow, TranscriptRow
from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import GffError

#: Edges of the classes of lengths in bases, eight to a power of ten.
LENGTH_EDGES = tuple(round(10 ** (step / 8)) for step in range(8, 49))

Summary = dict[str, Any]


def summarise(
    rows: Sequence[TranscriptRow],
    genes: Sequence[GeneRow],
    accepted: Iterable[GeneModel],
    limits: CheckLimits,
    likely_cause: Mapping[str, Any] | None = None,
) -> Summary:
    """Counts, shares, lengths and limits of a check.

    Args:
        rows: every transcript, and genes without any; those that the cleaning step left out too.
        genes: the gene table.
        accepted: accepted gene models.
        likely_cause: of :func:`phytoscribe.annotation.checking.acceptance.probe`.

    Coding transcripts are those that are accepted, a copy of another one, or rejected for a fault of their structure; a
    gene that came without any transcript, or that the cleaner lost, counts as one with a fault.  ``share_rejected`` is
    the part of them with a fault, and None where there are none at all.
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
        GffError: the file is another one.
    """
    try:
        summary = json.loads(Path(path).read_text(encoding="utf-8"))
        summary["rejected_by_reason"], summary["lengths"]["edges"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GffError(f"{path}: not a summary of check_annotation ({error}); delete it and check again") from error
    return summary
