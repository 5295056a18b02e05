"""The page that accuracy.py writes: its tables in Markdown, with what made them."""

from __future__ import annotations

import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from accuracy_anchors import RELEASED_BEFORE, RELEASED_BEFORE_ON
from accuracy_measure import ALL, ON_LABELLED, Measured, value_of
from accuracy_models import ROOT, Model
from accuracy_sections import (
    anchors,
    calibration,
    compared,
    errors,
    markdown,
    shown,
    speed,
    splice_sites,
    title_of,
    tolerance,
    validity,
)
from accuracy_sets import TEST, VALIDATION

from phytoscribe import __version__
from phytoscribe.evaluation.accuracy.augustus import OPTIONS
from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE
from phytoscribe.evaluation.accuracy.resampling import DRAWS
from phytoscribe.files import atomic_open
from phytoscribe.models.loading import model_hash

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
_NO_MATTER = ("model", "scope", "shards", "batch_size", "tracks")
PRF = ("precision", "recall", "f1")


def write_page(
    output: Path,
    table: pd.DataFrame,
    measured: Sequence[Measured],
    models: Sequence[Model],
    part: str,
    augustus: str,
    timed: bool,
) -> None:
    """Write ``<output>.md``; the figures are read from the table that is written beside it.

    Args:
        augustus: its version line.
        timed: AUGUSTUS ran anew for the comparison of speeds.
    """
    blocks = [
        *_head(output, models, part, augustus),
        *_summary(table, measured, part),
        *_above_augustus(table, measured),
        *validity(measured),
        *splice_sites(table, part),
        *calibration(output, measured),
        *tolerance(table, measured),
        *(block for done in measured for block in _set_tables(table, done)),
        *errors(measured),
        *speed(table, part, timed),
        *(anchors() if part == TEST else ()),
    ]
    with atomic_open(f"{output}.md") as handle:
        handle.write("\n\n".join(block for block in blocks if block) + "\n")


def _head(output: Path, models: Sequence[Model], part: str, augustus: str) -> list[str]:
    settings = ", ".join(f"{name} {value}" for name, value in models[0].settings.items() if name not in _NO_MATTER)
    versions = [f"PhytoScribe {__version__} ({_commit()})", f"Python {platform.python_version()}"]
    versions += [f"PyTorch {torch.__version__}", augustus.split(" is ")[0].replace("(", "").replace(")", "")]
    rows = [[title_of(model.name), f"`{_model_name(model)}`", f"`{model_hash(model.folder)}`"] for model in models]
    return [
        f"# Accuracy on the {'test' if part == TEST else 'validation'} contigs",
        f"Made on {date.today().isoformat()} by",
        f"    {_command(sys.argv[1:])}",
        markdown(["program", "model", "hash"], rows),
        f"Settings: {settings}. {', '.join(versions)}. AUGUSTUS runs with `{' '.join(OPTIONS)}`; the tables name its "
        f"parameter set. Every figure is in [{output.name}.tsv]({output.name}.tsv).",
        "The criterion is exact: a CDS exon, an intron, a start or a stop counts only with every base right, a "
        "transcript with its whole CDS chain, a locus with that of any isoform "
        "(`workflow/scripts/phytoscribe/evaluation/accuracy/counts.py`). The reference holds loci with an intact "
        "reading frame, unusual splice sites included; `mask.bed` is dropped from both sides.",
        "*New* are the loci without a homologue in training: with no training protein does DIAMOND align theirs so "
        "that identical residues are half of the shorter protein and the alignment spans four fifths of it. The "
        "training genes are those of the standing split, on which the newest weights are trained (`TRAINING` in "
        "`benchmarks/accuracy_sets.py`: *A. thaliana*, *B. napus*, *A. arenosa*, "
        "poplar, rice). Older weights saw fewer genes, so some loci that do not count as new were new to them. "
        "Precision on new loci is a lower bound, as predictions between loci count in full. AUGUSTUS may have been "
        "trained on any of these genes.",
    ]


def _command(given: Sequence[str]) -> str:
    """The command line, with names in place of this machine's folders and without what changes no figure."""
    folders = {"--data": "DATA", "--cache": "CACHE"}
    elsewhere = ("--keep", "--output", "--threads")
    words, flag = [], ""
    for word in given:
        flag, equals, value = word.partition("=") if word.startswith("--") else (flag, "", word)
        if flag in elsewhere:
            continue
        if not word.startswith("--") or equals:
            value = _model_text(value) if flag == "--model" else folders.get(flag, value)
            word = flag + equals + value if equals else value
        words.append(word)
    return shlex.join(["python", "benchmarks/accuracy.py", *words])


def _model_text(text: str) -> str:
    """The value of ``--model``, with a folder outside the repository called MODEL."""
    label, equals, folder = text.rpartition("=")
    path = Path(folder).resolve()
    return label + equals + (str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else "MODEL")


def _model_name(model: Model) -> str:
    folder = model.folder.resolve()
    return str(folder.relative_to(ROOT)) if folder.is_relative_to(ROOT) else folder.name


def _commit() -> str:
    git = shutil.which("git")
    done = subprocess.run(
        [git or "git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    )
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else "commit unknown"


def _summary(table: pd.DataFrame, measured: Sequence[Measured], part: str) -> list[str]:
    header = ["F1", "loci", "program", "base", "CDS exon", "locus", "ends within 100 bp", "transcript"]
    header += ["new loci", "CDS exon, new", "locus, new"]
    rows = []
    for done in measured:
        name = done.entry.name
        for group, contigs in done.groups.items():
            here = table[(table["set"] == name) & (table["contigs"] == group)]
            held = [gene for gene in done.reference if gene.contig in set(contigs)]
            new = sum(gene.id in next(iter(done.scope.subsets.values())) for gene in held)
            first, count = [_group_title(done, group), str(len(held))], str(new)
            for predictor in done.predictions:
                rows.append([*first, _marked(done, predictor), *_summary_figures(here, predictor, count)])
                first, count = ["", ""], ""
                before = RELEASED_BEFORE.get((name, group)) if part == TEST else None
                if predictor == done.models[-1] and before:
                    base, exon, locus, ends, transcript = map(shown, before)
                    rows.append(
                        ["", "", f"PhytoScribe, {RELEASED_BEFORE_ON}", base, exon, locus, ends, transcript, "", "", ""]
                    )
    also = (
        " Poplar and rice Chr1 have no test of their own: they are validation contigs, which chose settings and "
        "weights, so their figures are too good by an unknown amount."
    )
    return [
        "## Side by side",
        f"In brackets: 95 % intervals by bootstrap over loci ({DRAWS:,} draws, "
        "`benchmarks/accuracy_bootstrap.py`). *Ends within 100 bp* is F1 of loci with all CDS introns exact and start "
        "and stop within 100 bp. Of several parameter sets of AUGUSTUS, *best* is the one with the highest F1 of loci "
        "on this very set, a choice that favours AUGUSTUS." + (also if part == TEST else ""),
        markdown(header, rows),
    ]


def _summary_figures(here: pd.DataFrame, predictor: str, new: str) -> list[str]:
    """The cells of one program, of the rows of one group of contigs."""
    mine = here[here["predictor"] == predictor]

    def figure(level: str, metric: str = "f1", ruler: str = "exact", subset: str = ALL) -> float:
        return value_of(mine, level=level, metric=metric, ruler=ruler, subset=subset)

    def with_interval(level: str) -> str:
        low, high = figure(level, "f1_low"), figure(level, "f1_high")
        return f"{shown(figure(level))} [{shown(low)}, {shown(high)}]"

    cells = [shown(figure("base")), with_interval("cds_exon"), with_interval("locus")]
    cells += [shown(figure("locus", ruler="ends_100")), shown(figure("transcript")), new]
    return [*cells, *(shown(figure(level, subset=NO_TRAIN_HOMOLOGUE)) for level in ("cds_exon", "locus"))]


def _group_title(done: Measured, group: str) -> str:
    if group == ALL:
        return done.entry.title + (", together" if done.entry.shown_alone else "")
    return " and ".join(group.split(","))


def _marked(done: Measured, predictor: str) -> str:
    best = len(done.entry.augustus) > 1 and predictor == done.best_augustus
    return f"**{title_of(predictor)}, best**" if best else title_of(predictor)


def _above_augustus(table: pd.DataFrame, measured: Sequence[Measured]) -> list[str]:
    rows = []
    for done in measured:
        for group in done.groups:
            first = _group_title(done, group)
            for model in done.models:
                place = {"set": done.entry.name, "contigs": group, "ruler": "exact", "subset": ALL}
                cells = []
                for level in ("cds_exon", "locus"):
                    ours, theirs = (
                        value_of(table, **place, predictor=predictor, level=level, metric="f1")
                        for predictor in (model, done.best_augustus)
                    )
                    ends = [
                        value_of(table, **place, predictor=model, level=level, metric=f"f1_above_augustus_{end}")
                        for end in ("low", "high")
                    ]
                    cells.append(f"{_signed(ours - theirs)} [{', '.join(map(_signed, ends))}]")
                rows.append([first, title_of(model), title_of(done.best_augustus), *cells])
                first = ""
    return [
        "PhytoScribe's F1 minus that of the best run of AUGUSTUS, both on the same draws of loci; an interval without "
        "0 in it is a difference that the choice of loci does not explain:",
        markdown(["F1 above AUGUSTUS", "program", "beside", "CDS exon", "locus"], rows),
    ]


def _signed(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:+.3f}"


def _set_tables(table: pd.DataFrame, done: Measured) -> list[str]:
    entry, total = done.entry, sum(done.species.contigs.values())
    new = sum(gene.id in next(iter(done.scope.subsets.values())) for gene in done.reference)
    contigs = f"{len(done.contigs)} contigs" if len(done.contigs) > 4 else ", ".join(done.contigs)
    what = "Validation: " if done.part == VALIDATION else ""
    about = f"{what}{contigs}, {total / 1e6:.2f} Mb: {len(done.reference)} reference loci, {new} of them new."
    blocks = [f"## {entry.title}", f"{about} {entry.note}".strip()]
    for group, members in done.groups.items():
        if group != ALL and len(members) > 1:
            continue
        where = "" if not entry.shown_alone else ("Together, " if group == ALL else f"{group}, ")
        blocks += [_capital(f"{where}all loci:"), _level_table(table, done, group, ALL)]
        if group == ALL and new:
            blocks += [_capital(f"{where}new loci:"), _level_table(table, done, group, NO_TRAIN_HOMOLOGUE)]
    if entry.unlabelled:
        blocks += [
            "Only predictions that share coding bases with a reference locus counted (precision is then that on "
            "annotated genes):",
            _level_table(table, done, ALL, ON_LABELLED),
        ]
    return blocks


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _level_table(table: pd.DataFrame, done: Measured, group: str, subset: str) -> str:
    predictors = compared(done)
    header = ["level"] + [f"{title_of(p)} {m}" for p in predictors for m in ("P", "R", "F1")]
    chosen = table[
        (table["set"] == done.entry.name)
        & (table["contigs"] == group)
        & (table["subset"] == subset)
        & (table["ruler"] == "exact")
    ]
    values = {(row.predictor, row.level, row.metric): row.value for row in chosen.itertuples()}
    rows = [
        [title, *(shown(values.get((p, level, metric), np.nan)) for p in predictors for metric in PRF)]
        for level, title in LEVELS.items()
    ]
    return markdown(header, rows)
