"""The report's opening in words: what was predicted for a genome and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from phytoscribe.reporting.blocks import score
from phytoscribe.reporting.inputs import GenomeInfo, ReportInputs

ROLES = {
    "train": "used for training",
    "validate": "held out for validation",
    "test": "held out for testing",
    "predict": "annotated only, no part of training",
}


def summary(info: GenomeInfo, inputs: ReportInputs) -> str:
    """A few sentences on one genome, from whatever is there."""
    sentences = [_predicted(inputs.stats.get(info.name))]
    sentences.append(_scored(inputs.genes.get(info.name)))
    sentences.append(_supported(inputs.isoseq.get(info.name)))
    return " ".join(sentence for sentence in sentences if sentence)


def value_of(scores: pd.DataFrame, **where: str) -> tuple[float, int] | None:
    """Value and n of the one row with these column values; None if there is none."""
    rows = scores
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    return None if rows.empty else (float(rows["value"].iloc[0]), int(rows["n"].iloc[0]))


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
    ours = {
        (level, metric): value_of(scores, predictor="phytoscribe", level=level, subset="all", metric=metric)
        for level in ("locus", "cds_exon")
        for metric in ("precision", "recall", "f1")
    }
    locus = ours["locus", "f1"]
    if locus is None or not locus[1]:
        return "No reference locus lies where genes were scored."
    found, loci = ours["locus", "recall"]  # type: ignore[misc]
    text = (
        f"Of {loci:,} reference loci {round(found * loci):,} have a coding sequence predicted exactly, base for base "
        f"(locus F1 {score(locus[0])}, CDS-exon F1 {score(ours['cds_exon', 'f1'][0])})"  # type: ignore[index]
    )
    baseline = value_of(scores, predictor="augustus", level="locus", subset="all", metric="f1")
    if baseline is not None:
        exon = value_of(scores, predictor="augustus", level="cds_exon", subset="all", metric="f1")
        text += f"; AUGUSTUS on the same contigs: locus F1 {score(baseline[0])}, CDS-exon F1 {score(exon[0])}"  # type: ignore[index]
    filtered = value_of(scores, predictor="phytoscribe", level="locus", subset="no_train_homologue", metric="f1")
    if filtered is not None and filtered[1]:
        text += f". Over the {filtered[1]:,} loci without a homologue in training, locus F1 is {score(filtered[0])}"
    return f"{text}."


def _supported(scores: pd.DataFrame | None) -> str:
    if scores is None:
        return ""
    key = {"level": "transcript", "ruler": "cds_chain", "subset": "expressed", "metric": "supported"}
    ours = value_of(scores, predictor="phytoscribe", **key)
    if ours is None or not ours[1]:
        return "No predicted transcript with introns has an Iso-Seq read."
    text = f"Of {ours[1]:,} predicted CDS chains with Iso-Seq reads, {ours[0]:.0%} are found in a read as they are"
    reference = value_of(scores, predictor="reference", **key)
    return f"{text} (reference annotation: {reference[0]:.0%})." if reference else f"{text}."
