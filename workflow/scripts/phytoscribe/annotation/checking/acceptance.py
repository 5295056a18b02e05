"""Decide whether an annotation may be used: compare its check with two limits, and find the likely cause of faults.

To find the cause, a sample of the rejected transcripts is corrected for each of the usual mistakes in turn.  An intact
reading frame of hundreds of bases does not arise by chance: if most of the rejected transcripts have one after all
coordinates are moved by one base, the coordinates are off by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from phytoscribe.annotation.checking.tables import IN_WORDS, STRUCTURAL_REASONS, Reason, TranscriptRow
from phytoscribe.annotation.model import COMPLEMENT_STRAND, GeneModel
from phytoscribe.annotation.sequences import reading_frame, spliced_codes
from phytoscribe.files import open_text
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import Interval

_SHOWN_REASONS = 3


class Verdict(StrEnum):
    """Outcome for an annotation."""

    OK = "ok"
    WARNING = "warning"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares (0 to 1) of coding transcripts with a fault, from the keys of the same name in the ``check`` section."""

    warn_above: float = 0.1
    stop_above: float = 0.5


class Judgement(NamedTuple):
    """A verdict and its explanation for the user; the text is empty for ``ok``."""

    verdict: Verdict
    text: str


def judge(genome: str, summary: Mapping[str, Any], thresholds: Thresholds, files: Sequence[str] = ()) -> Judgement:
    """Give the verdict on a check.

    Args:
        genome: its name, for the text.
        summary: of :func:`phytoscribe.annotation.checking.summary.summarise`.
        files: tables that the text refers to.
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
            "\n  Fix the annotation, or take the FASTA that it was made on; if it is meant to be so, raise "
            "check.stop_above in the configuration."
        )
    return Judgement(verdict, text)


def comments_of(path: str | Path) -> list[str]:
    """Comment lines before the first feature of a GFF3 file, without ``#``; they name the cleaner."""
    with open_text(path) as lines:
        header = list(takewhile(lambda line: line.startswith("#"), lines))
    return [line[1:].strip() for line in header if not line.startswith("##")]


#: Rejected transcripts that are looked at, evenly spread over the annotation.
SAMPLE = 300
#: A cause is named if at least this share of the sample, or of all transcripts, speaks for it.
CLEAR = 0.5

#: CDS segments and strand.
Coding = tuple[tuple[Interval, ...], str]


def _moved(starts_by: int, ends_by: int) -> Callable[[Coding, int], Coding]:
    return lambda cds, _: (tuple((start + starts_by, end + ends_by) for start, end in cds[0]), cds[1])


def _with_stop(cds: Coding, _: int) -> Coding:
    segments, strand = list(cds[0]), cds[1]
    if strand == "+":
        segments[-1] = (segments[-1][0], segments[-1][1] + 3)
    else:
        segments[0] = (segments[0][0] - 3, segments[0][1])
    return tuple(segments), strand


def _mirrored(cds: Coding, length: int) -> Coding:
    return tuple((length - end, length - start) for start, end in reversed(cds[0])), COMPLEMENT_STRAND[cds[1]]


#: Mistakes of a file, and how its CDS must be read if it has it.
_READINGS: dict[str, Callable[[Coding, int], Coding]] = {
    "all coordinates are too large by 1": _moved(-1, -1),
    "all coordinates are too small by 1": _moved(1, 1),
    "all coordinates are too large by 2": _moved(-2, -2),
    "all coordinates are too small by 2": _moved(2, 2),
    "starts are counted from 0 instead of 1": _moved(1, 0),
    "ends are too small by 1": _moved(0, 1),
    "the stop codons lie outside the CDS": _with_stop,
    "the strands are the wrong way round": lambda cds, _: (cds[0], COMPLEMENT_STRAND[cds[1]]),
    "the sequences are reverse complements of those that were annotated": _mirrored,
}
_ASSEMBLY = "the annotation was made on another version of the assembly than this FASTA"
_SINGLE_GENES = "no single one; genes that are unusual, cut short or on unfinished sequence, each for itself"
_GAPS = "the genes lie on N: repeats are masked with N (take a soft-masked FASTA), or it is another assembly version"
_CLEANING = "the cleaning step could not read genes and transcripts as meant"
_OF_CLEANING = frozenset(
    {Reason.LOST_BY_CLEANER, Reason.NO_TRANSCRIPT, Reason.MIXED_STRANDS, Reason.NO_STRAND, Reason.NO_EXON}
)


def probe(genes: Sequence[GeneModel], rows: Sequence[TranscriptRow], genome: Genome) -> dict[str, Any]:
    """Count how many of a sample of rejected transcripts become intact when each usual mistake is corrected.

    Args:
        genes: the cleaned annotation.
        rows: its transcripts with their verdicts.

    Returns:
        ``tried`` (transcripts examined) and ``intact_if`` (number of transcripts by mistake, without zeros).
    """
    faulty = {row.transcript for row in rows if row.reason in STRUCTURAL_REASONS}
    found = [(gene, item) for gene in genes for item in gene.coding_transcripts if item.id in faulty]
    sample = found[:: -(-len(found) // SAMPLE) or 1]
    intact = dict.fromkeys(_READINGS, 0)
    for gene, transcript in sample:
        for mistake, reading in _READINGS.items():
            segments, strand = reading((transcript.cds, gene.strand), genome.contigs[gene.contig])
            intact[mistake] += _is_intact(segments, strand, gene.contig, genome)
    return {"tried": len(sample), "intact_if": {mistake: count for mistake, count in intact.items() if count}}


def _is_intact(segments: Sequence[Interval], strand: str, contig: str, genome: Genome) -> bool:
    start, end = segments[0][0], segments[-1][1]
    if start < 0 or end > genome.contigs[contig] or any(low >= high for low, high in segments):
        return False
    near = genome.bases(contig, start, end)
    return reading_frame(spliced_codes([(low - start, high - start) for low, high in segments], strand, near)).intact


def likely_cause(probed: Mapping[str, Any], rejected_by_reason: Mapping[str, int], share: float) -> str:
    """Describe the most likely mistake, from the result of :func:`probe`, the counts of reasons and their share."""
    tried, intact = probed.get("tried", 0), probed.get("intact_if", {})
    if intact:
        mistake, count = max(intact.items(), key=lambda item: item[1])
        if count >= CLEAR * tried:
            return f"{mistake} ({count} of {tried} looked-at transcripts are intact when read so)"
    faults = {reason: count for reason, count in rejected_by_reason.items() if reason in STRUCTURAL_REASONS}
    commonest = max(faults, key=faults.__getitem__, default=None)
    if commonest == Reason.ON_GAP:
        return _GAPS
    if commonest in _OF_CLEANING:
        return _CLEANING
    return _ASSEMBLY if share > CLEAR else _SINGLE_GENES
