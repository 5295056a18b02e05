"""What the report says in words of a genome: what was predicted, how good it is, warnings, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from phytoscribe.evaluation.accuracy.calibration import chance_error, equal_width_bins, expected_calibration_error
from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE
from phytoscribe.reporting.blocks import LISTED, score
from phytoscribe.reporting.inputs import GenomeInfo, ReportInputs
from phytoscribe.reporting.score_tables import check_name, measured
from phytoscribe.tables import counts_near_loci, shown_metrics

ROLES = {
    "train": "used for training",
    "validate": "held out for validation",
    "test": "held out for testing",
    "predict": "annotated only, no part of training",
}
UNKNOWN = "unknown"
_SPECIES = re.compile(r"<species:([^>]+)>")
OURS = "phytoscribe"
#: Scores that the summary counts right genes for: fixed, so that no scored gene chooses them.
SURE, UNSURE = 0.9, 0.5
#: Calibration errors from here up are told; a smaller one changes no use of the scores.
POOR_CALIBRATION = 0.1


def summary(info: GenomeInfo, inputs: ReportInputs) -> str:
    """A few sentences on one genome, from whatever is there."""
    scores = inputs.genes.get(info.name)
    sentences = [
        _predicted(inputs.stats.get(info.name)),
        _scored(scores),
        _sure(inputs.predicted.get(info.name), scores is not None and counts_near_loci(scores)),
        _supported(inputs.isoseq.get(info.name)),
        _plausible(inputs.plausibility.get(info.name)),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def warnings(info: GenomeInfo, inputs: ReportInputs) -> list[str]:
    """What a reader must know before trusting scores and genes, an item each."""
    unsure = doubt(info, inputs)
    return [*([unsure] if unsure else []), *_troubles(info, inputs)]


def _troubles(info: GenomeInfo, inputs: ReportInputs) -> list[str]:
    """Signs that the prediction went wrong, or that its scores mislead."""
    found = []
    checks = inputs.plausibility.get(info.name)
    if checks is not None:
        for row in checks[checks["verdict"] == "warning"].to_dict("records"):
            found.append(f"{check_name(row)}: {measured(row)}. {row['note']}".strip())
    error = _calibration_error(inputs.predicted.get(info.name))
    if error is not None:
        found.append(f"Gene scores are off by {error:.2f} on average: do not read them as probabilities here.")
    return found


def next_steps(info: GenomeInfo, inputs: ReportInputs) -> list[str]:
    """What a reader should do with this prediction, the most urgent first; never empty."""
    stats, scores = inputs.stats.get(info.name), inputs.genes.get(info.name)
    steps = []
    if stats is None or not stats["genes"]:
        return ["Read logs/predict/ and check the FASTA: a plant genome without a gene is a fault of the input."]
    if doubt(info, inputs):
        steps.append("Before quoting the scores, look up in the model's README which contigs it has not seen.")
    if _troubles(info, inputs):
        steps.append("Clear up the warnings before using the genes.")
    if read_as(info, inputs) == UNKNOWN:
        steps.append(
            "The model was not trained on a species of this name. With an annotation of it, fine-tune the model "
            "(finetune.from_model, docs/adding-a-species.md)."
        )
    if scores is None and info.name not in inputs.isoseq:
        steps.append(
            "Nothing here has measured how many genes are right. Give Iso-Seq reads (isoseq) or a reference annotation."
        )
    ours, baseline = (_f1(scores, name) for name in (OURS, "augustus"))
    if scores is not None and baseline is None:
        steps.append("To have a baseline, name an AUGUSTUS species (augustus) in the configuration.")
    if ours is not None and baseline is not None and baseline > ours:
        steps.append("AUGUSTUS is better here: use its genes, or fine-tune the model to this species.")
    steps.append(
        f"For a sure set keep genes with a score of {SURE:g} or more (column 6 of the GFF3); for a full set keep all."
    )
    if any(figure.group == "atlas" for figure in inputs.figures.get(info.name, [])):
        steps.append("Look at the worst loci below: they show which errors to expect.")
    return steps


def value_of(scores: pd.DataFrame, **where: str) -> tuple[float, int] | None:
    """Value and n of the one row with these column values; None if there is none, or it has no value."""
    rows = scores
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    if rows.empty or pd.isna(rows["value"].iloc[0]):
        return None
    return float(rows["value"].iloc[0]), int(rows["n"].iloc[0])


def _predicted(stats: Mapping[str, Any] | None) -> str:
    if stats is None:
        return "No genes were predicted."
    genes, contigs, bases = stats["genes"], stats["contigs"], stats["bases"]
    place = f"{contigs:,} contig{'s' if contigs != 1 else ''} ({bases / 1e6:.2f} Mb)"
    if not genes:
        return f"No gene was found on {place}."
    return f"{genes:,} genes were predicted on {place}, {stats['genes_per_megabase']:.0f} per megabase."


def _locus(scores: pd.DataFrame, predictor: str, metric: str, ruler: str = "exact", subset: str = "all"):
    if metric == "f1":
        metric = shown_metrics(scores)[2]
    return value_of(scores, predictor=predictor, level="locus", ruler=ruler, subset=subset, metric=metric)


def _f1(scores: pd.DataFrame | None, predictor: str, level: str = "locus") -> float | None:
    if scores is None:
        return None
    metric = shown_metrics(scores)[2]
    found = value_of(scores, predictor=predictor, level=level, ruler="exact", subset="all", metric=metric)
    return found[0] if found else None


def _scored(scores: pd.DataFrame | None) -> str:
    if scores is None:
        return "There is no held-out reference annotation to score them with."
    recall = _locus(scores, OURS, "recall")
    if recall is None or not recall[1]:
        return "No reference locus lies where genes were scored."
    found, loci = recall
    beside = " near loci" if counts_near_loci(scores) else ""
    parts = [
        f"Of {loci:,} reference loci {round(found * loci):,} ({found:.0%}) have a coding sequence predicted exactly, "
        f"base for base{_both_f1(scores, OURS)}"
    ]
    if _f1(scores, "augustus") is not None:
        parts[0] += f"; AUGUSTUS on the same contigs{_both_f1(scores, 'augustus', ': ')}"
    near = _locus(scores, OURS, "f1", ruler="within_100")
    if near is not None:
        parts.append(f"With ends within 100 bp, as many published figures count, locus F1{beside} is {score(near[0])}")
    filtered = _locus(scores, OURS, "f1", subset=NO_TRAIN_HOMOLOGUE)
    if filtered is not None and filtered[1]:
        parts.append(
            f"Over the {filtered[1]:,} loci without a homologue in training, locus F1{beside} is {score(filtered[0])}"
        )
    return ". ".join(parts) + "."


def _both_f1(scores: pd.DataFrame, predictor: str, before: str = " (") -> str:
    locus, exon = _f1(scores, predictor), _f1(scores, predictor, "cds_exon")
    if locus is None or exon is None:
        return ""
    beside = " near loci" if counts_near_loci(scores) else ""
    end = ")" if before == " (" else ""
    return f"{before}locus F1{beside} {score(locus)}, CDS-exon F1{beside} {score(exon)}{end}"


def _known(predicted: pd.DataFrame | None) -> pd.DataFrame | None:
    """Our genes with a probability; None without any."""
    if predicted is None:
        return None
    ours = predicted[(predicted["predictor"] == OURS) & predicted["probability"].notna()]
    return ours if len(ours) else None


def _sure(predicted: pd.DataFrame | None, near: bool) -> str:
    known = _known(predicted)
    if known is None:
        return ""
    parts, place = [], " near scored loci" if near else ""
    probability = known["probability"]
    for chosen, limit in ((probability >= SURE, f"of {SURE:g} or more"), (probability < UNSURE, f"below {UNSURE:g}")):
        if chosen.any():
            share = (known.loc[chosen, "right"] == "yes").mean()
            parts.append(f"of {int(chosen.sum()):,} genes{place} with a score {limit}, {share:.0%} are exactly right")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if parts else ""


def _calibration_error(predicted: pd.DataFrame | None) -> float | None:
    """The expected calibration error, where it is large and not due to few genes; else None."""
    known = _known(predicted)
    if known is None:
        return None
    error = expected_calibration_error(equal_width_bins(known["probability"], known["right"] == "yes"))
    if error < POOR_CALIBRATION:
        return None
    return error if error >= 2 * chance_error(known["probability"], equal_width_bins) else None


def _supported(scores: pd.DataFrame | None) -> str:
    if scores is None:
        return ""
    key = {"level": "transcript", "ruler": "cds_chain", "subset": "expressed", "metric": "supported"}
    ours = value_of(scores, predictor=OURS, **key)
    if ours is None or not ours[1]:
        return "No predicted transcript with introns has an Iso-Seq read."
    text = f"Of {ours[1]:,} predicted CDS chains with Iso-Seq reads, {ours[0]:.0%} are found in a read as they are"
    reference = value_of(scores, predictor="reference", **key)
    return f"{text} (reference annotation: {reference[0]:.0%})." if reference else f"{text}."


def _plausible(checks: pd.DataFrame | None) -> str:
    if checks is None:
        return ""
    judged = int(checks["verdict"].isin(["ok", "warning"]).sum())
    odd = int((checks["verdict"] == "warning").sum())
    if not odd:
        return f"All {judged} checks that need no reference find what is usual."
    return f"Of {judged} checks that need no reference, {odd} warn."


def place_of(info: GenomeInfo, inputs: ReportInputs) -> str:
    """What a genome is to the model, in words; its role says so only of a model that is trained here."""
    if inputs.trains:
        return ROLES[info.role]
    return f"{'scored' if _is_scored(info, inputs) else 'annotated'} with a released model"


def read_as(info: GenomeInfo, inputs: ReportInputs) -> str | None:
    """The species that the model took a genome for, ``unknown`` if it has none of that name; None before prediction."""
    header = inputs.stats.get(info.name, {}).get("header", {})
    found = _SPECIES.search(str(header.get("read as", "")))
    return found.group(1) if found else None


def doubt(info: GenomeInfo, inputs: ReportInputs) -> str | None:
    """A warning where scores may be those of genes that a released model has learned from; else None."""
    if inputs.trains or not _is_scored(info, inputs) or read_as(info, inputs) in (None, UNKNOWN):
        return None
    contigs = info.scored_contigs or []
    if not contigs:
        scored = "all contigs here"
    elif len(contigs) <= LISTED:
        scored = f"the scored contigs ({', '.join(contigs)})"
    else:
        scored = f"the {len(contigs)} scored contigs"
    return (
        f"The model learned from this species. Unless {scored} are its test contigs (see its README), the scores are "
        "not those of unseen genes."
    )


def _is_scored(info: GenomeInfo, inputs: ReportInputs) -> bool:
    return info.name in inputs.genes or info.name in inputs.isoseq
