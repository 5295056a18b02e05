"""The page that accuracy.py writes: its tables in Markdown, with what made them."""

from __future__ import annotations

import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from accuracy_anchors import FIGURES, OPENSPLICEAI
from accuracy_measure import ALL, BINS, ON_LABELLED, OURS, TOLERANCES, Measured, Model, pooled_outcomes, value_of
from accuracy_sets import LONG_CONTIG, TEST

from phytoscribe import __version__
from phytoscribe.evaluation.accuracy.augustus import OPTIONS
from phytoscribe.evaluation.accuracy.calibration import chance_error, expected_calibration_error
from phytoscribe.evaluation.accuracy.error_classes import ErrorClass
from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE
from phytoscribe.evaluation.accuracy.splice_sites import SITES
from phytoscribe.files import atomic_open
from phytoscribe.models.loading import model_hash

ROOT = Path(__file__).resolve().parents[1]
LEVELS = {
    "base": "base",
    "cds_exon": "CDS exon",
    "locus": "locus",
    "transcript": "transcript",
    "intron": "intron",
    "donor": "donor",
    "acceptor": "acceptor",
    "start": "start",
    "stop": "stop",
}
#: Settings of the prediction that change no gene, or are told otherwise.
_NO_MATTER = ("model", "scope", "shards", "batch_size")
PRF = ("precision", "recall", "f1")


def write_page(
    output: Path, table: pd.DataFrame, measured: Sequence[Measured], model: Model, part: str, augustus: str
) -> None:
    """Write ``<output>.md``; the figures are read from the table that is written beside it."""
    blocks = [
        *_head(output, model, part, augustus),
        *_summary(table, measured),
        *(block for done in measured for block in _set_tables(table, done)),
        *_tolerance(table, measured),
        *_splice_sites(table, part),
        *_validity(measured),
        *_calibration(output, measured),
        *_errors(measured),
        *_speed(table, part),
        *(_anchors() if part == TEST else ()),
    ]
    with atomic_open(f"{output}.md") as handle:
        handle.write("\n\n".join(block for block in blocks if block) + "\n")


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def shown(value: float, decimals: int = 3) -> str:
    return "–" if np.isnan(value) else f"{value:.{decimals}f}"


def _head(output: Path, model: Model, part: str, augustus: str) -> list[str]:
    about = f"`{_model_name(model)}`, hash `{model_hash(model.folder)}`"
    settings = ", ".join(f"{name} {value}" for name, value in model.settings.items() if name not in _NO_MATTER)
    versions = [f"PhytoScribe {__version__} ({_commit()})", f"Python {platform.python_version()}"]
    versions += [f"PyTorch {torch.__version__}", augustus.split(" is ")[0].replace("(", "").replace(")", "")]
    what = "test contigs and unseen species" if part == TEST else "validation contigs"
    return [
        f"# Accuracy on the {what}",
        f"Made on {date.today().isoformat()} by",
        f"    {_command()}",
        f"Model {about}; {settings}. {', '.join(versions)}. AUGUSTUS runs with `{' '.join(OPTIONS)}`; the tables "
        "name its species. Every figure is in "
        f"[{output.name}.tsv]({output.name}.tsv).",
        "The criterion is exact: a CDS exon, an intron, a start or a stop counts only with every base right, a "
        "transcript with its whole CDS chain, a locus with that of any isoform "
        "(`workflow/scripts/phytoscribe/evaluation/accuracy/counts.py`). The reference holds loci with an intact "
        "reading frame, "
        "unusual splice sites included; `mask.bed` is dropped from both sides. *New* are the loci without a homologue "
        "in training: none of the training genes (*A. thaliana*, *B. napus*) is in their CD-HIT cluster (identity 0.5 "
        "over 0.8 of the shorter protein); precision there is a lower bound, as predictions between loci count in "
        "full. "
        "AUGUSTUS may have been trained on these very genes.",
    ]


def _command() -> str:
    """The command line, with names in place of this machine's folders."""
    words, hidden = (
        [],
        {"--data": "DATA", "--cache": "CACHE", "--model": "MODEL", "--keep": "KEEP", "--output": "OUTPUT"},
    )
    for word in sys.argv[1:]:
        flag = words[-1] if words else ""
        words.append(hidden.get(flag, word) if "=" not in word else word.split("=")[0] + "=...")
    return shlex.join(["python", "benchmarks/accuracy.py", *words])


def _model_name(model: Model) -> str:
    folder = model.folder.resolve()
    return str(folder.relative_to(ROOT)) if folder.is_relative_to(ROOT) else folder.name


def _commit() -> str:
    git = shutil.which("git")
    done = subprocess.run(
        [git or "git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    )
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else "commit unknown"


def _title(predictor: str) -> str:
    return "PhytoScribe" if predictor == OURS else f"AUGUSTUS {predictor.split(' ', 1)[1]}"


def _f1(table: pd.DataFrame, name: str, predictor: str, level: str, subset: str = ALL, group: str = ALL) -> float:
    wanted = {"set": name, "contigs": group, "predictor": predictor, "level": level, "subset": subset}
    return value_of(table, **wanted, ruler="exact", metric="f1")


def _summary(table: pd.DataFrame, measured: Sequence[Measured]) -> list[str]:
    header = ["F1", "loci", "program", "base", "CDS exon", "locus", "transcript", "CDS exon, new", "locus, new"]
    header += ["locus recall, new"]
    rows = []
    for done in measured:
        for predictor in done.predictions:
            name = done.entry.name
            figures = [_f1(table, name, predictor, level) for level in ("base", "cds_exon", "locus", "transcript")]
            figures += [_f1(table, name, predictor, level, NO_TRAIN_HOMOLOGUE) for level in ("cds_exon", "locus")]
            new = {"set": name, "predictor": predictor, "level": "locus", "subset": NO_TRAIN_HOMOLOGUE}
            figures.append(value_of(table, **new, contigs=ALL, ruler="exact", metric="recall"))
            first = [done.entry.title, str(len(done.reference))] if predictor == OURS else ["", ""]
            rows.append([*first, _title(predictor), *map(shown, figures)])
    return ["## Side by side", markdown(header, rows)]


def _set_tables(table: pd.DataFrame, done: Measured) -> list[str]:
    entry, total = done.entry, sum(done.species.contigs[contig] for contig in done.contigs)
    new = sum(gene.id in next(iter(done.scope.subsets.values())) for gene in done.reference)
    contigs = f"{len(done.contigs)} contigs" if len(done.contigs) > 2 else " and ".join(done.contigs)
    about = f"{contigs}, {total / 1e6:.2f} Mb: {len(done.reference)} reference loci, {new} of them new. {entry.note}"
    blocks = [f"## {entry.title}", about.strip()]
    groups = table.loc[table["set"] == entry.name, "contigs"].unique()
    for group in [ALL, *(contig for contig in done.contigs if contig in groups and entry.shown_alone)]:
        for subset, what in ((ALL, "all loci"), (NO_TRAIN_HOMOLOGUE, "new loci"))[: 2 if new else 1]:
            where = "" if not entry.shown_alone else ("Together, " if group == ALL else f"{group}, ")
            blocks += [
                f"{where}{what}:" if where else f"{what.capitalize()}:",
                _level_table(table, done, group, subset),
            ]
    if entry.unlabelled:
        blocks += [
            "Only predictions that share coding bases with a reference locus counted (precision is then that on "
            "annotated genes):",
            _level_table(table, done, ALL, ON_LABELLED),
        ]
    return blocks


def _level_table(table: pd.DataFrame, done: Measured, group: str, subset: str) -> str:
    header = ["level"] + [f"{_title(p)} {m}" for p in done.predictions for m in ("P", "R", "F1")]
    chosen = table[
        (table["set"] == done.entry.name)
        & (table["contigs"] == group)
        & (table["subset"] == subset)
        & (table["ruler"] == "exact")
    ]
    values = {(row.predictor, row.level, row.metric): row.value for row in chosen.itertuples()}
    rows = [
        [title, *(shown(values.get((p, level, metric), np.nan)) for p in done.predictions for metric in PRF)]
        for level, title in LEVELS.items()
    ]
    return markdown(header, rows)


def _tolerance(table: pd.DataFrame, measured: Sequence[Measured]) -> list[str]:
    header = ["locus F1", "program", *(f"within {tolerance} bp" for tolerance in TOLERANCES)]
    rows = []
    for done in measured:
        for predictor in done.predictions:
            place = {"set": done.entry.name, "predictor": predictor, "level": "locus", "metric": "f1"}
            values = [value_of(table, **place, ruler=f"ends_{tolerance}") for tolerance in TOLERANCES]
            rows.append([done.entry.title if predictor == OURS else "", _title(predictor), *map(shown, values)])
    return [
        "## With tolerance at the ends",
        "Introns exact, the outermost CDS bases within some bp: the rule of `gffcompare --strict-match -e`, whose "
        "default of 100 many published tables use. gffcompare itself was not run.",
        markdown(header, rows),
    ]


def _splice_sites(table: pd.DataFrame, part: str) -> list[str]:
    chosen = table[table["ruler"] == "site_ranking"]
    if chosen.empty:
        return []
    values = {(row.level, row.metric): row.value for row in chosen.itertuples()}
    counts = {row.level: row.n for row in chosen.itertuples()}
    header = ["site", "annotated", "average precision", "best F1", "at threshold", "precision", "recall"]
    header += ["OpenSpliceAI AP", "best F1"] if part == TEST else []
    rows = []
    for site in SITES:
        metrics = ("average_precision", "best_f1", "threshold", "precision", "recall")
        row = [site, str(counts[site]), *(shown(values[site, metric]) for metric in metrics)]
        rows.append(row + ([f"{figure:.3f}" for figure in OPENSPLICEAI[site]] if part == TEST else []))
    known = "OpenSpliceAI: its *Arabidopsis* model, 2,000 nt, one seed, measured once on this contig. "
    return [
        "## Splice sites",
        f"Every annotated intron of any isoform on {LONG_CONTIG[part]}, introns in UTRs included; both strands of the "
        "whole contig are background; the score is `StructurePredictor.splice_sites`: three tenths of the site head's "
        "probability, seven tenths of the posterior under the gene grammar (shares chosen on validation). "
        + (known if part == TEST else ""),
        markdown(header, rows),
    ]


def _validity(measured: Sequence[Measured]) -> list[str]:
    checks = sorted({check for done in measured for check in done.faults})
    header = ["check", *(done.entry.title for done in measured)]
    rows = [["transcripts", *(str(done.transcripts) for done in measured)]]
    intact = "CDS that are no intact ORF"
    rows.append(
        ["intact ORFs", *(_share(done.transcripts - done.faults[intact], done.transcripts) for done in measured)]
    )
    rows += [[check, *(str(done.faults.get(check, 0)) for done in measured)] for check in checks]
    return [
        "## Validity of the written genes",
        "Read from the GFF3's lines and the FASTA without the library (`benchmarks/validate_prediction.py`); the "
        "shortest intron is the decoder's `minimum_intron`.",
        markdown(header, rows),
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _calibration(output: Path, measured: Sequence[Measured]) -> list[str]:
    header = ["set", "genes", "mean probability", "share right"]
    header += [f"ECE, {name.replace('_', ' ')}" for name in BINS] + [
        f"by chance, {name.replace('_', ' ')}" for name in BINS
    ]
    sets = [(done.entry.title, done.outcomes()) for done in measured]
    complete = [done for done in measured if not done.entry.unlabelled]
    if len(complete) > 1:
        sets.append((", ".join(done.entry.title for done in complete), pooled_outcomes(complete)))
    rows = []
    for title, (probabilities, right) in sets:
        errors = [expected_calibration_error(bins(probabilities, right)) for bins in BINS.values()]
        chance = [chance_error(probabilities, bins) for bins in BINS.values()]
        means = [probabilities.mean(), right.mean()] if right.size else [np.nan, np.nan]
        rows.append([title, str(right.size), *map(shown, [*means, *errors, *chance])])
    return [
        "## Calibration",
        "Score of a predicted gene against whether its locus is exactly right. ECE: expected calibration error over "
        "ten bins; *by chance* is what perfectly calibrated scores would show with as many genes.",
        markdown(header, rows),
        f"![Reliability]({output.name}_calibration.png)",
    ]


def _errors(measured: Sequence[Measured]) -> list[str]:
    blocks = [
        "## What is wrong",
        "Lost reference loci / wrong predictions by class "
        "(`workflow/scripts/phytoscribe/evaluation/accuracy/error_classes.py`).",
    ]
    for done in measured:
        header = [done.entry.title, *map(_title, done.predictions)]
        counts = [[_counts(errors) for errors in done.wrong[predictor]] for predictor in done.predictions]
        rows = []
        for error in ErrorClass:
            if any(side.get(error) for pair in counts for side in pair):
                name = str(error).replace("_", " ")
                rows.append([name, *(f"{lost.get(error, 0)} / {wrong.get(error, 0)}" for lost, wrong in counts)])
        rows.append(["all wrong", *(" / ".join(str(sum(side.values())) for side in pair) for pair in counts)])
        totals = [f"{len(done.reference)} / {len(done.counted[predictor])}" for predictor in done.predictions]
        blocks.append(markdown(header, [*rows, ["of", *totals]]))
    return blocks


def _counts(errors: Sequence) -> dict[ErrorClass, int]:
    found: dict[ErrorClass, int] = {}
    for error in errors:
        found[error.error] = found.get(error.error, 0) + 1
    return found


def _speed(table: pd.DataFrame, part: str) -> list[str]:
    chosen = table[table["ruler"] == "speed"]
    if chosen.empty:
        return []
    values = {(row.predictor, row.metric): row.value for row in chosen.itertuples()}
    ours = values[OURS, "kb_per_cpu_second"]
    rows = [
        [
            _title(p),
            shown(values[p, "cpu_seconds"], 1),
            shown(values[p, "kb_per_cpu_second"], 1),
            shown(ours / values[p, "kb_per_cpu_second"], 2),
        ]
        for p in chosen["predictor"].unique()
    ]
    return [
        "## Speed on one core",
        f"{LONG_CONTIG[part]}, one thread, CPU seconds (not those by the clock, as other work may share the machine); "
        "both strands, decoding and writing included.",
        markdown(["program", "CPU seconds", "kb of genome per CPU second", "PhytoScribe is faster by"], rows),
    ]


def _anchors() -> list[str]:
    return [
        "## Published figures",
        "Only those in bold are by the criterion of this page; the others say where the field stands, and cannot be "
        "ranked against these tables or each other without scoring them again.",
        markdown(["what", "figure", "program", "criterion"], FIGURES),
    ]
