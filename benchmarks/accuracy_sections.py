"""Sections of the page of accuracy.py that follow its tables by set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from accuracy_anchors import FIGURES, OPENSPLICEAI
from accuracy_measure import ALL, BINS, TOLERANCES, Measured, value_of
from accuracy_models import OURS
from accuracy_sets import LONG_CONTIG, TEST

from phytoscribe.evaluation.accuracy.calibration import chance_error, expected_calibration_error
from phytoscribe.evaluation.accuracy.error_classes import ErrorClass
from phytoscribe.evaluation.accuracy.splice_sites import SITES


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def shown(value: float, decimals: int = 3) -> str:
    return "–" if np.isnan(value) else f"{value:.{decimals}f}"


def title_of(predictor: str) -> str:
    """A predictor as the page calls it."""
    program, _, which = predictor.partition(" ")
    return " ".join(["PhytoScribe" if program == OURS else "AUGUSTUS", which]).strip()


def compared(done: Measured) -> list[str]:
    """The predictors of the tables with many figures: every model, and the best run of AUGUSTUS."""
    return [*done.models, done.best_augustus]


def tolerance(table: pd.DataFrame, measured: Sequence[Measured]) -> list[str]:
    header = ["locus F1", "program", *(f"within {tolerance} bp" for tolerance in TOLERANCES)]
    rows = []
    for done in measured:
        for predictor in compared(done):
            place = {"set": done.entry.name, "contigs": ALL, "predictor": predictor, "level": "locus", "metric": "f1"}
            values = [value_of(table, **place, ruler=f"ends_{tolerance}") for tolerance in TOLERANCES]
            first = done.entry.title if predictor == done.models[0] else ""
            rows.append([first, title_of(predictor), *map(shown, values)])
    return [
        "## With tolerance at the ends",
        "Introns exact, the outermost CDS bases within some bp: the rule of `gffcompare --strict-match -e`, whose "
        "default of 100 many published tables use. gffcompare itself was not run.",
        markdown(header, rows),
    ]


def splice_sites(table: pd.DataFrame, part: str) -> list[str]:
    chosen = table[table["ruler"] == "site_ranking"]
    if chosen.empty:
        return []
    metrics = ("average_precision", "best_f1", "threshold", "precision", "recall")
    header = ["site", "program", "annotated", "average precision", "best F1", "at threshold", "precision", "recall"]
    rows = []
    for site in SITES:
        here = chosen[chosen["level"] == site]
        for model in here["predictor"].unique():
            values = [shown(value_of(here, predictor=model, metric=metric)) for metric in metrics]
            rows.append([site, title_of(model), str(here["n"].iloc[0]), *values])
        if part == TEST:
            rows.append([site, "OpenSpliceAI", "", *map(shown, OPENSPLICEAI[site]), "", "", ""])
    known = "OpenSpliceAI: its *Arabidopsis* model, 2,000 nt, one seed, measured once on this contig."
    return [
        "## Splice sites",
        f"Every annotated intron of any isoform on {LONG_CONTIG[part]}, introns in UTRs included; both strands of the "
        "whole contig are background; the score is `StructurePredictor.splice_sites`: three tenths of the site head's "
        "probability, seven tenths of the posterior under the gene grammar (shares chosen on validation). "
        + (known if part == TEST else ""),
        markdown(header, rows),
    ]


def validity(measured: Sequence[Measured]) -> list[str]:
    """A row per set and model; of the checks, those that failed."""
    intact = "CDS that are no intact ORF"
    rows = []
    for done in measured:
        for model in done.models:
            faults, count = done.faults[model], done.transcripts[model]
            share = f"{100 * (count - faults[intact]) / count:.1f} %" if count else "–"
            others = [f"{check}: {number}" for check, number in sorted(faults.items()) if number]
            first = done.entry.title if model == done.models[0] else ""
            rows.append([first, title_of(model), str(count), share, "; ".join(others) or "none"])
    checks = ", ".join(sorted({check for done in measured for faults in done.faults.values() for check in faults}))
    return [
        "## Validity of the written genes",
        "Read from the GFF3's lines and the FASTA without the library (`benchmarks/validate_prediction.py`); the "
        f"shortest intron is the decoder's `minimum_intron`. Checked: {checks}.",
        markdown(["set", "program", "transcripts", "intact ORFs", "faults"], rows),
    ]


def calibration(output: Path, measured: Sequence[Measured]) -> list[str]:
    header = ["set", "program", "genes", "mean probability", "share right"]
    header += [f"ECE, {name.replace('_', ' ')}" for name in BINS]
    header += [f"by chance, {name.replace('_', ' ')}" for name in BINS]
    rows = []
    for done in measured:
        for model in done.models:
            probabilities, right = done.outcomes(model)
            errors = [expected_calibration_error(bins(probabilities, right)) for bins in BINS.values()]
            chance = [chance_error(probabilities, bins) for bins in BINS.values()]
            means = [probabilities.mean(), right.mean()] if right.size else [np.nan, np.nan]
            first = done.entry.title if model == done.models[0] else ""
            rows.append([first, title_of(model), str(right.size), *map(shown, [*means, *errors, *chance])])
    several = f" The figure shows {title_of(measured[0].models[0])}." if len(measured[0].models) > 1 else ""
    return [
        "## Calibration",
        "Score of a predicted gene against whether its locus is exactly right. ECE: expected calibration error over "
        "ten bins; *by chance* is what perfectly calibrated scores would show with as many genes." + several,
        markdown(header, rows),
        f"![Reliability]({output.name}_calibration.png)",
    ]


def errors(measured: Sequence[Measured]) -> list[str]:
    blocks = [
        "## What is wrong",
        "Lost reference loci / wrong predictions by class "
        "(`workflow/scripts/phytoscribe/evaluation/accuracy/error_classes.py`). Transposons are known on the contigs "
        "of `athaliana/` alone; elsewhere a prediction in one counts as intergenic.",
    ]
    for done in measured:
        predictors = compared(done)
        header = [done.entry.title, *map(title_of, predictors)]
        counts = [[Counter(one.error for one in side) for side in done.wrong[name]] for name in predictors]
        rows = []
        for error in ErrorClass:
            if any(side[error] for pair in counts for side in pair):
                name = str(error).replace("_", " ")
                rows.append([name, *(f"{lost[error]} / {wrong[error]}" for lost, wrong in counts)])
        rows.append(["all wrong", *(" / ".join(str(side.total()) for side in pair) for pair in counts)])
        totals = [f"{len(done.reference)} / {len(done.counted[predictor])}" for predictor in predictors]
        blocks.append(markdown(header, [*rows, ["of", *totals]]))
    return blocks


def speed(table: pd.DataFrame, part: str, anew: bool) -> list[str]:
    chosen = table[table["ruler"] == "speed"]
    if chosen.empty:
        return []
    values = {(row.predictor, row.metric): row.value for row in chosen.itertuples()}
    predictors = list(chosen["predictor"].unique())
    theirs = values[predictors[-1], "kb_per_cpu_second"]
    rows = []
    for name in predictors:
        read = values[name, "kb_per_cpu_second"]
        rows.append([title_of(name), shown(values[name, "cpu_seconds"], 1), shown(read, 1), shown(read / theirs, 2)])
    kept = "" if anew else " AUGUSTUS was not timed in this run but when its output was first made."
    return [
        "## Speed on one core",
        f"{LONG_CONTIG[part]}, one thread, CPU seconds (not those by the clock, as other work may share the machine); "
        "both strands, decoding and writing included." + kept,
        markdown(["program", "CPU seconds", "kb of genome per CPU second", "AUGUSTUS = 1"], rows),
    ]


def anchors() -> list[str]:
    return [
        "## Published figures",
        "Only those in bold are by the criterion of this page; the others say where the field stands, and cannot be "
        "ranked against these tables or each other without scoring them again.",
        markdown(["what", "figure", "program", "criterion"], FIGURES),
    ]
