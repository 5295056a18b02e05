"""The opening of the report: the prediction for each genome, its quality, warnings, and next steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from phytoscribe.evaluation.accuracy.calibration import chance_error, equal_width_bins, expected_calibration_error
from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE
from phytoscribe.evaluation.misfit import agreement, disagreement, unlike_reference
from phytoscribe.reporting.blocks import (
    LISTED,
    MISSING,
    Block,
    Heading,
    Items,
    Paragraph,
    Section,
    Table,
    number,
    score,
)
from phytoscribe.reporting.drawing import BASELINE, OURS
from phytoscribe.reporting.genome_section import check_name, checked, measured
from phytoscribe.reporting.inputs import GenomeInfo, ReportInputs
from phytoscribe.tables import counts_near_loci, shown_metrics

ROLES = {
    "train": "used for training",
    "validate": "held out for validation",
    "test": "held out for testing",
    "predict": "annotated only, no part of training",
}
UNKNOWN = "unknown"
#: Scores that the summary counts right genes for: fixed, so that no scored gene chooses them.
SURE, UNSURE = 0.9, 0.5
#: Smallest calibration error that is reported; a smaller one changes no use of the scores.
POOR_CALIBRATION = 0.1
_SPECIES = re.compile(r"<species:([^>]+)>")


def summary_section(inputs: ReportInputs) -> Section:
    """The summary in words, genome by genome."""
    blocks: list[Block] = []
    for info in inputs.genomes:
        if inputs.trains:
            place = ROLES[info.role]
        else:
            place = f"{'scored' if _is_scored(info, inputs) else 'annotated'} with a released model"
        blocks += [Heading(f"{info.name} — {info.lineage}, {place}"), Paragraph(_summary(info, inputs))]
        if found := warnings(info, inputs):
            blocks.append(Items(f"{len(found)} warning{'s' if len(found) > 1 else ''}", found, warns=True))
        blocks.append(Items("What to do next", _next_steps(info, inputs)))
    return Section("summary", "Summary", blocks)


def overview_section(inputs: ReportInputs) -> list[Section]:
    """A table with a line for each genome, if there are several."""
    if len(inputs.genomes) < 2:
        return []
    # With a released model the role of a genome says nothing.
    columns = (
        "", *(["role"] if inputs.trains else []), "genes", "genes per Mb", "mean score", "locus F1", "CDS exon F1",
        "AUGUSTUS", "in reads", "warnings",
    )  # fmt: skip
    note = "Exact CDS; AUGUSTUS: its locus F1; in reads: share of CDS intron chains with reads that a read has."
    if any(counts_near_loci(scores) for scores in inputs.genes.values()):
        note += " With split.mode: cluster F1 is that near scored loci: false genes elsewhere are not seen."
    lines = [_line(info, inputs) for info in inputs.genomes]
    return [Section("overview", "All genomes", [Paragraph(note), Table(columns, lines)])]


def _line(info: GenomeInfo, inputs: ReportInputs) -> list[str]:
    stats, scores = inputs.stats.get(info.name, {}), inputs.genes.get(info.name)
    values = (
        _value(scores, OURS),
        _value(scores, OURS, "cds_exon"),
        _value(scores, BASELINE),
        _supported(inputs.isoseq.get(info.name), OURS),
    )
    return [
        info.name,
        *([info.role] if inputs.trains else []),
        *(number(stats.get(key)) for key in ("genes", "genes_per_megabase", "score_mean")),
        *(score(found[0]) if found else MISSING for found in values),
        number(len(warnings(info, inputs))),
    ]


def _summary(info: GenomeInfo, inputs: ReportInputs) -> str:
    """A few sentences on one genome, from whatever is there."""
    scores = inputs.genes.get(info.name)
    sentences = [
        _predicted(inputs.stats.get(info.name)),
        _scored(scores),
        _sure(inputs.predicted.get(info.name), scores is not None and counts_near_loci(scores)),
        _in_reads(inputs.isoseq.get(info.name)),
        checked(inputs.plausibility.get(info.name)),
    ]
    return " ".join(filter(None, sentences))


def warnings(info: GenomeInfo, inputs: ReportInputs) -> list[str]:
    """Warnings to read before trusting scores and genes, one item each."""
    return [*_doubts(info, inputs), *_troubles(info, inputs)]


def _troubles(info: GenomeInfo, inputs: ReportInputs) -> list[str]:
    """Signs that the prediction went wrong, or that its scores mislead."""
    found = list(_misfits(info, inputs))
    checks = inputs.plausibility.get(info.name)
    if checks is not None:
        for row in checks[checks["verdict"] == "warning"].to_dict("records"):
            if _sentence(row["note"]) not in found:
                found.append(f"{check_name(row)}: {measured(row)}. {row['note']}".strip())
    known = _known(inputs.predicted.get(info.name))
    if len(known):
        error = expected_calibration_error(equal_width_bins(known["probability"], known["right"] == "yes"))
        # With few genes an error may be due to chance.
        if error >= POOR_CALIBRATION and error >= 2 * chance_error(known["probability"], equal_width_bins):
            found.append(f"Gene scores are off by {error:.2f} on average: do not read them as probabilities here.")
    return found


def _misfits(info: GenomeInfo, inputs: ReportInputs) -> list[str]:
    """Signs that the model does not fit the genome, with causes and advice."""
    few = inputs.stats.get(info.name, {}).get("header", {}).get("warning", "")
    scores = inputs.genes.get(info.name)
    told = disagreement if few else unlike_reference  # causes and advice once
    unlike = "" if scores is None else told(*agreement(scores))
    return [_sentence(text) for text in (few, unlike) if text]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _next_steps(info: GenomeInfo, inputs: ReportInputs) -> list[str]:
    """What a reader should do with this prediction, the most urgent first; never empty."""
    stats, scores = inputs.stats.get(info.name), inputs.genes.get(info.name)
    steps = []
    if stats is None:
        return ["Read logs/predict/: no genes were predicted."]
    if _misfits(info, inputs):
        steps += [
            "Check the FASTA: is it the assembly that you mean, a plant's nuclear genome, and soft-masked (lower case) "
            "rather than masked with N?",
            "If it is, the model does not fit this species: fine-tune it with an annotation of it or of a relative "
            "(finetune.from_model; docs/adding-a-species.md shows how), or name another model (predict.model).",
        ]
    elif not stats["genes"]:
        steps.append("Give a longer sequence: so few bases may well hold no gene.")
    if not stats["genes"]:
        return steps
    if _doubts(info, inputs):
        steps.append("Before quoting the scores, look up in the model's README which contigs it has not seen.")
    if _troubles(info, inputs):
        steps.append("Clear up the warnings before using the genes.")
    if _read_as(info, inputs) == UNKNOWN and not _misfits(info, inputs):
        steps.append(
            "The model has no species of this name, so it read the genome as that of an unknown one (its README lists "
            "the species it was trained on). With an annotation, fine-tune the model (finetune.from_model, "
            "docs/adding-a-species.md)."
        )
    if scores is None and info.name not in inputs.isoseq:
        steps.append(
            "Nothing here has measured how many genes are right. Give Iso-Seq reads (isoseq) or a reference annotation."
        )
    ours, baseline = _value(scores, OURS), _value(scores, BASELINE)
    if scores is not None and baseline is None:
        steps.append("To have a baseline, name an AUGUSTUS species (augustus) in the configuration.")
    if ours and baseline and baseline[0] > ours[0]:
        steps.append("AUGUSTUS is better here: use its genes, or fine-tune the model to this species.")
    steps.append(
        f"For a sure set keep genes with a score of {SURE:g} or more (column 6 of the GFF3); for a full set keep all."
    )
    if any(figure.group == "atlas" for figure in inputs.figures.get(info.name, [])):
        steps.append("Look at the worst loci below: they show which errors to expect.")
    return steps


def _value(
    scores: pd.DataFrame | None,
    predictor: str,
    level: str = "locus",
    metric: str = "f1",
    criterion: str = "exact",
    subset: str = "all",
) -> tuple[float, int] | None:
    """Value and n of one row, ``f1`` by the name that the table has for it; None without table, row or value."""
    if scores is None:
        return None
    metric = shown_metrics(scores)[2] if metric == "f1" else metric
    wanted = {"predictor": predictor, "level": level, "ruler": criterion, "subset": subset, "metric": metric}
    rows = scores[(scores[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    if rows.empty or pd.isna(rows["value"].iloc[0]):
        return None
    return float(rows["value"].iloc[0]), int(rows["n"].iloc[0])


def _supported(reads: pd.DataFrame | None, predictor: str) -> tuple[float, int] | None:
    return _value(reads, predictor, "transcript", "supported", "cds_chain", "expressed")


def _predicted(stats: Mapping[str, Any] | None) -> str:
    if stats is None:
        return "No genes were predicted."
    genes, contigs, bases = stats["genes"], stats["contigs"], stats["bases"]
    place = f"{contigs:,} contig{'s' if contigs != 1 else ''} ({bases / 1e6:.2f} Mb)"
    if not genes:
        return f"No gene was found on {place}."
    return f"{genes:,} genes were predicted on {place}, {stats['genes_per_megabase']:.0f} per megabase."


def _scored(scores: pd.DataFrame | None) -> str:
    if scores is None:
        return "There is no held-out reference annotation to score them with."
    recall = _value(scores, OURS, metric="recall")
    if recall is None or not recall[1]:
        return "No reference locus lies where genes were scored."
    found, loci = recall
    beside = " near loci" if counts_near_loci(scores) else ""
    ours, baseline = (_both_f1(scores, name, beside) for name in (OURS, BASELINE))
    parts = [
        f"Of {loci:,} reference loci {round(found * loci):,} ({found:.0%}) have a coding sequence predicted exactly, "
        f"base for base{ours and f' ({ours})'}"
    ]
    if _value(scores, BASELINE):
        parts[0] += f"; AUGUSTUS on the same contigs{baseline and f': {baseline}'}"
    if near := _value(scores, OURS, criterion="within_100"):
        parts.append(f"With ends within 100 bp, as many published figures count, locus F1{beside} is {score(near[0])}")
    filtered = _value(scores, OURS, subset=NO_TRAIN_HOMOLOGUE)
    if filtered and filtered[1]:
        parts.append(
            f"Over the {filtered[1]:,} loci without a homologue in training, locus F1{beside} is {score(filtered[0])}"
        )
    return ". ".join(parts) + "."


def _both_f1(scores: pd.DataFrame, predictor: str, beside: str) -> str:
    locus, exon = _value(scores, predictor), _value(scores, predictor, "cds_exon")
    return f"locus F1{beside} {score(locus[0])}, CDS-exon F1{beside} {score(exon[0])}" if locus and exon else ""


def _known(predicted: pd.DataFrame | None) -> pd.DataFrame:
    """Our genes with a probability."""
    if predicted is None:
        return pd.DataFrame()
    return predicted[(predicted["predictor"] == OURS) & predicted["probability"].notna()]


def _sure(predicted: pd.DataFrame | None, near: bool) -> str:
    known = _known(predicted)
    if known.empty:
        return ""
    parts, place = [], " near scored loci" if near else ""
    probability = known["probability"]
    for chosen, limit in ((probability >= SURE, f"of {SURE:g} or more"), (probability < UNSURE, f"below {UNSURE:g}")):
        if chosen.any():
            share = (known.loc[chosen, "right"] == "yes").mean()
            parts.append(f"of {int(chosen.sum()):,} genes{place} with a score {limit}, {share:.0%} are exactly right")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if parts else ""


def _in_reads(reads: pd.DataFrame | None) -> str:
    if reads is None:
        return ""
    ours, reference = _supported(reads, OURS), _supported(reads, "reference")
    if ours is None or not ours[1]:
        return "No predicted transcript with introns has an Iso-Seq read."
    text = f"Of {ours[1]:,} predicted CDS chains with Iso-Seq reads, {ours[0]:.0%} are found in a read as they are"
    return f"{text} (reference annotation: {reference[0]:.0%})." if reference else f"{text}."


def _read_as(info: GenomeInfo, inputs: ReportInputs) -> str | None:
    """The species that the model took a genome for, ``unknown`` if it has none of that name; None before prediction."""
    header = inputs.stats.get(info.name, {}).get("header", {})
    found = _SPECIES.search(str(header.get("read as", "")))
    return found.group(1) if found else None


def _doubts(info: GenomeInfo, inputs: ReportInputs) -> list[str]:
    """A warning where scores may be those of genes that a released model has learned from; empty otherwise."""
    if inputs.trains or not _is_scored(info, inputs) or _read_as(info, inputs) in (None, UNKNOWN):
        return []
    contigs = info.scored_contigs or []
    if not contigs:
        scored = "all contigs here"
    elif len(contigs) <= LISTED:
        scored = f"the scored contigs ({', '.join(contigs)})"
    else:
        scored = f"the {len(contigs)} scored contigs"
    return [
        f"The model learned from this species. Unless {scored} are its test contigs (see its README), the scores are "
        "not those of unseen genes."
    ]


def _is_scored(info: GenomeInfo, inputs: ReportInputs) -> bool:
    return info.name in inputs.genes or info.name in inputs.isoseq
