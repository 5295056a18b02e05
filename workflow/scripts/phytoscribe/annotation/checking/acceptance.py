"""May this annotation be used?  The check's counts against two limits of the configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from phytoscribe.annotation.checking.diagnosis import likely_cause
from phytoscribe.annotation.checking.reasons import IN_WORDS, STRUCTURAL_REASONS
from phytoscribe.annotation.checking.transcript_table import TranscriptRow
from phytoscribe.annotation.model import GeneModel
from phytoscribe.files import open_text

_SHOWN_REASONS = 3


class Verdict(StrEnum):
    """What becomes of an annotation."""

    OK = "ok"
    WARNING = "warning"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares (0 to 1) of coding transcripts with a fault; keys of the same name in the ``check`` section."""

    warn_above: float = 0.1
    stop_above: float = 0.5


class Judgement(NamedTuple):
    """A verdict, and for the user why; the text is empty for ``ok``."""

    verdict: Verdict
    text: str


def judge(genome: str, summary: Mapping[str, Any], thresholds: Thresholds, files: Sequence[str] = ()) -> Judgement:
    """Verdict on a check.

    Args:
        genome: its name, for the text.
        summary: of :func:`phytoscribe.annotation.checking.check_summary.summarise`.
        files: tables that the text sends the user to.
    """
    share = summary["share_rejected"]
    if share is None:
        return Judgement(
            Verdict.WARNING,
            f"{genome}: the annotation has {summary['genes']} genes and not one coding transcript, so it can neither "
            "train nor score a model. Does the file have CDS lines?",
        )
    if share <= thresholds.warn_above:
        return Judgement(Verdict.OK, "")
    verdict = Verdict.STOP if share > thresholds.stop_above else Verdict.WARNING
    key = "stop_above" if verdict is Verdict.STOP else "warn_above"
    limit = getattr(thresholds, key)
    counts = Counter(summary["rejected_by_reason"]) + Counter(summary["whole_genes_by_reason"])
    faults = Counter({reason: counts[reason] for reason in STRUCTURAL_REASONS if counts[reason]})
    reasons = ", ".join(
        f"{IN_WORDS[reason]} ({reason}) {count}" for reason, count in faults.most_common(_SHOWN_REASONS)
    )
    text = (
        f"{genome}: {summary['coding_transcripts_rejected']} of {summary['coding_transcripts']} coding transcripts "
        f"({share:.0%}) have a fault, more than check.{key} ({limit:g}).\n"
        f"  most frequent reasons: {reasons}\n"
        f"  likely cause: {likely_cause(summary['likely_cause'], faults, share)}"
    )
    if files:
        text += f"\n  look at: {', '.join(files)}"
    if verdict is Verdict.STOP:
        text += (
            "\n  Mend the annotation or take the FASTA that it was made on; if it is meant to be so, raise "
            "check.stop_above in the configuration."
        )
    return Judgement(verdict, text)


def accepted_genes(genes: Iterable[GeneModel], rows: Iterable[TranscriptRow]) -> list[GeneModel]:
    """Genes with their accepted transcripts only; genes without any are left out.

    Args:
        genes: the cleaned annotation.
        rows: table of rejected transcripts; others may be in it.
    """
    # With the place, as a transcript that the cleaning step left out may have had the id of one that it kept.
    rejected = {(row.transcript, row.contig, row.start0, row.end) for row in rows if row.reason}
    kept = []
    for gene in genes:
        transcripts = tuple(t for t in gene.transcripts if (t.id, gene.contig, t.start, t.end) not in rejected)
        if transcripts:
            kept.append(gene if len(transcripts) == len(gene.transcripts) else replace(gene, transcripts=transcripts))
    return kept


def comments_of(path: str | Path) -> list[str]:
    """Comment lines before the first feature of a GFF3 file, without ``#``: they name the cleaner."""
    comments = []
    with open_text(path) as lines:
        for line in lines:
            if not line.startswith("#"):
                break
            if not line.startswith("##"):
                comments.append(line[1:].strip())
    return comments
