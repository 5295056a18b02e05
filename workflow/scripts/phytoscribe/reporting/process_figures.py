"""Figures about the process: the check of an annotation, time and memory of the rules, training curves, and scores of
the labels of the regulatory head."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from phytoscribe.annotation.checking.tables import IN_WORDS, STRUCTURAL_REASONS, Reason
from phytoscribe.errors import PhytoScribeError
from phytoscribe.reporting.drawing import BASELINE, INK, OURS, SOFT, STYLE, Drawing, axes_of, color_of, draw_grid

COSTS, PRETRAINING, FINE_TUNING, LABELS = "costs", "pretraining", "fine-tuning", "labels"
#: Labels that a figure of their scores has room for, and what it calls models other than a head.
MOST_LABELS = 40
_OTHER_MODELS = {"6-mer ridge": ("s", "#E69F00"), "guess": ("|", SOFT)}
#: The rule that writes the report: its benchmark on disk is that of the report before this one.
OWN_RULE = "report"
#: The rule with a file for each part of a genome.
SHARDED_RULE = "predict_shard"
#: Levels of the F1 curves, from the easiest to the one that chooses the checkpoint, each with its colour and marker.
CURVE_LEVELS = {
    "base": (SOFT, "o"), "intron": ("#56B4E9", "s"), "cds_exon": ("#E69F00", "^"), "locus": ("#009E73", "D"),
}  # fmt: skip
_PREFIX = re.compile(r"^(train|validation)_")
_ACCEPTED, _FAULT, _OTHER = "#009E73", "#D55E00", "#9A9A9A"
Summary = Mapping[str, Any]


def check_figure(genome: str, summary: Summary, thresholds: Mapping[str, float]) -> str:
    """Draw a check's counts as SVG; the same numbers give the same bytes.

    Args:
        genome: its name, for the title.
        summary: content of ``check.json``.
        thresholds: ``warn_above`` and ``stop_above``, shares of coding transcripts.
    """
    counts = {
        reason: summary["rejected_by_reason"].get(reason, 0) + summary["whole_genes_by_reason"].get(reason, 0)
        for reason in Reason
    }
    reasons = {reason: count for reason, count in counts.items() if count}
    height = 0.26 * max(3, len(reasons))
    title = (
        f"{genome}: {summary['genes_accepted']:,} of {summary['genes']:,} genes and "
        f"{summary['transcripts_accepted']:,} of {summary['transcripts']:,} transcripts accepted"
    )
    introns = {key: summary["limits"][key] for key in ("minimum_intron", "maximum_intron")}
    text = io.StringIO()
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 4.3 + height), layout="constrained")
        axes = figure.subplot_mosaic(
            [["share", "share"], ["reasons", "reasons"], ["introns", "cds"]], height_ratios=[0.55, height, 2.0]
        )
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
        _share(axes["share"], summary, thresholds)
        _reason_bars(axes["reasons"], reasons)
        _lengths(axes["introns"], summary["lengths"], "introns", "intron length (bp)", introns)
        _lengths(axes["cds"], summary["lengths"], "cds", "CDS length (bp)", {})
        figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _share(axes: Axes, summary: Summary, thresholds: Mapping[str, float]) -> None:
    total, faulty = summary["coding_transcripts"], summary["coding_transcripts_rejected"]
    axes.set_title(f"coding transcripts: {faulty:,} of {total:,} have a fault")
    share = faulty / total if total else 0.0
    axes.barh([0], [share], color=_FAULT, height=0.7)
    axes.barh([0], [1 - share if total else 0.0], left=[share], color=_ACCEPTED, height=0.7)
    for key, limit in thresholds.items():
        axes.axvline(limit, color=INK, linewidth=1.2, linestyle="--")
        place = {"xytext": (3, -2), "textcoords": "offset points", "va": "top"}
        axes.annotate(f"{key} {limit:g}", (limit, -0.42), fontsize=8, **place)
    axes.set(xlim=(0, 1), ylim=(-0.42, 0.42))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _reason_bars(axes: Axes, reasons: Mapping[Reason, int]) -> None:
    axes.set_title("left out, by reason")
    if not reasons:
        axes.text(0.0, 0.5, "nothing was left out", transform=axes.transAxes)
        axes.set_axis_off()
        return
    colors = [_FAULT if reason in STRUCTURAL_REASONS else _OTHER for reason in reasons]
    drawn = axes.barh(range(len(reasons)), list(reasons.values()), color=colors, height=0.68)
    axes.bar_label(drawn, [f"{count:,}" for count in reasons.values()], padding=3, fontsize=9)
    axes.set_yticks(range(len(reasons)), [IN_WORDS[reason] for reason in reasons])
    axes.invert_yaxis()
    axes.set_xlabel("transcripts (and genes without any)")
    axes.margins(x=0.1)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    for label, color in (("faulty structure", _FAULT), ("no fault, but no use here", _OTHER)):
        axes.barh([0], [0], color=color, label=label)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=2, frameon=False, fontsize=9, handlelength=1.2)


def _lengths(axes: Axes, lengths: Mapping[str, Any], key: str, label: str, limits: Mapping[str, int]) -> None:
    edges, counts = lengths["edges"], lengths[key]
    axes.set_title(f"accepted: {sum(counts):,} {'introns' if key == 'introns' else 'coding sequences'}", pad=16)
    axes.stairs(counts, edges, fill=True, color=_ACCEPTED)
    axes.set_xscale("log")
    filled = [number for number, count in enumerate(counts) if count]
    low, high = (edges[filled[0]], edges[filled[-1] + 1]) if filled else (edges[0], edges[-1])
    for name, limit in limits.items():
        axes.axvline(limit, color=INK, linewidth=1.2, linestyle="--")
        axes.annotate(
            name.replace("_intron", ""), (limit, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2),
            textcoords="offset points", ha="center", fontsize=8,
        )  # fmt: skip
        low, high = min(low, limit), max(high, limit)
    axes.set_xlim(low * 0.7, high * 1.4)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_minor_formatter(LogFormatter())  # the default one writes formulas
    axes.set_xlabel(label)
    draw_grid(axes, "y")


def read_costs(folder: str | Path, genomes: Iterable[str], shards: int | None = None) -> pd.DataFrame:
    """Read the costs by rule, the most expensive first: columns rule, jobs, seconds, longest, cpu_seconds, memory_mb.

    A file is ``{rule}.tsv``, or ``{rule}/{genome}.tsv``, ``{rule}/{genome}.{shard}.tsv``; files of other genomes and of
    shards beyond ``shards`` come from earlier runs and are left out.  ``seconds`` is the sum over the jobs, ``longest``
    the longest job, ``memory_mb`` the largest resident memory, or NaN if a job was too short to measure.

    Args:
        folder: folder of the benchmark files.
        genomes: names of the genomes of this configuration.
        shards: number of shards per genome (``predict.shards``); None to count all files.

    Raises:
        PhytoScribeError: a file is not a benchmark.
    """
    wanted, rows = set(genomes), []
    for path in sorted(Path(folder).rglob("*.tsv")):
        rule, *job = path.relative_to(folder).with_suffix("").parts
        if rule == OWN_RULE or (job and not _is_current(rule, job[0], wanted, shards)):
            continue
        try:
            table = pd.read_csv(path, sep="\t", na_values=["-"])
            seconds, memory, cpu = (float(table[column].iloc[-1]) for column in ("s", "max_rss", "cpu_time"))
        except (KeyError, IndexError, ValueError) as error:
            raise PhytoScribeError(f"{path}: no benchmark file ({error}); delete it") from error
        rows.append((rule, seconds, cpu, memory))
    jobs = pd.DataFrame(rows, columns=["rule", "seconds", "cpu_seconds", "memory_mb"])
    found = jobs.groupby("rule", as_index=False).agg(
        jobs=("seconds", "size"), seconds=("seconds", "sum"), longest=("seconds", "max"),
        cpu_seconds=("cpu_seconds", "sum"), memory_mb=("memory_mb", "max"),
    )  # fmt: skip
    return found.sort_values(["seconds", "rule"], ascending=[False, True])


def _is_current(rule: str, job: str, genomes: Collection[str], shards: int | None) -> bool:
    """Whether a job ``genome`` or ``genome.shard`` of a rule is one that this configuration has."""
    genome, _, shard = job.partition(".")
    is_beyond = rule == SHARDED_RULE and shards is not None and shard.isdigit() and int(shard) >= shards
    return genome in genomes and not is_beyond


def costs_figures(costs: pd.DataFrame) -> Iterator[Drawing]:
    """Draw time and memory of each rule as bars; nothing without data."""
    if not costs.empty:
        yield _cost_bars(costs, "seconds", "Time by rule, sum of its jobs", "seconds")
        yield _cost_bars(costs, "memory_mb", "Largest memory by rule", "MB")


def _cost_bars(costs: pd.DataFrame, column: str, title: str, unit: str) -> Drawing:
    values = costs[column].fillna(0)
    with axes_of((5.4, 0.8 + 0.23 * max(3, len(costs))), grid="x") as axes:
        drawn = axes.barh(range(len(costs)), values, color=color_of(OURS), height=0.66)
        axes.bar_label(drawn, [f"{value:,.0f}" if value >= 1 else "< 1" for value in values], padding=3, fontsize=8)
        axes.set_yticks(range(len(costs)), costs["rule"])
        axes.set(ylim=(len(costs) - 0.4, -0.6), xlabel=unit)
        axes.margins(x=0.16)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    top = costs.loc[values.idxmax()]
    seen = f"Bars, {unit} by rule; most: {top['rule']}, {values.max():,.0f} {unit}."
    return Drawing(f"costs_{column}", COSTS, title, seen, axes.figure, costs[["rule", "jobs", column]])


def draw_workflow(
    costs: pd.DataFrame | None,
    pretraining: pd.DataFrame | None,
    fine_tuning: pd.DataFrame | None,
    labels: pd.DataFrame | None = None,
) -> Iterator[Drawing]:
    """Yield cost figures, training curves and scores of labels, each drawn on request; None if not measured."""
    if labels is not None:
        yield from label_figures(labels)
    if costs is not None:
        yield from costs_figures(costs)
    for stage, metrics in ((PRETRAINING, pretraining), (FINE_TUNING, fine_tuning)):
        if metrics is not None:
            yield from training_curves(stage, metrics)


def label_figures(scores: pd.DataFrame) -> Iterator[Drawing]:
    """Draw the AUPRC of the best labels by each model, against the base rate, which is what a guess has.

    Args:
        scores: table of the regulatory head's scores; rows of means have no line.
    """
    own = scores[(scores["measure"] == "auprc") & (scores["label"] != "mean") & scores["value"].notna()]
    heads = own[~own["model"].isin(list(_OTHER_MODELS))]
    best = heads.groupby("label")["value"].max().sort_values(kind="stable").tail(MOST_LABELS)
    if best.empty:
        return
    guess = own.drop_duplicates("label").set_index("label")["base_rate"].reindex(best.index)
    place = pd.Series(range(len(best)), index=best.index)
    with axes_of((6.2, 0.9 + 0.21 * len(best)), grid="x") as axes:
        axes.plot(guess, place, "|", color=SOFT, markersize=9, label="base rate (a guess)")
        for model, rows in own[own["label"].isin(best.index)].groupby("model", sort=False):
            marker, color = _OTHER_MODELS.get(str(model), ("o", color_of(OURS)))
            hollow = {"markerfacecolor": "none"} if str(model).endswith("none") and heads["model"].nunique() > 1 else {}
            axes.plot(rows["value"], place[rows["label"]], marker, color=color, label=model, markersize=5, **hollow)
        axes.set(yticks=place, xlabel="AUPRC on the test blocks", xlim=(0, 1), ylim=(-0.7, len(best) - 0.3))
        axes.set_yticklabels(best.index, fontsize=8)
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.9 / (0.9 + 0.21 * len(best))), ncols=2)
    every = heads["label"].nunique()
    title = "AUPRC of each label" + (f", the {len(best)} best of {every}" if every > len(best) else "")
    seen = f"AUPRC of {len(best)} labels beside their base rate; the best is {best.index[-1]} with {best.iloc[-1]:.2f}."
    yield Drawing("regulatory_auprc", LABELS, title, seen, axes.figure, own)


def training_curves(stage: str, metrics: pd.DataFrame) -> Iterator[Drawing]:
    """Draw the curves of one stage; training and validation share a figure, and a single value is not drawn.

    Args:
        stage: ``pretraining`` or ``fine-tuning``; the group of the figures.
        metrics: columns step, name, value.
    """
    f1 = metrics[metrics["name"].isin([f"validation_{level}_f1" for level in CURVE_LEVELS])]
    rest = metrics[~metrics["name"].str.endswith("_f1")]
    quantity = rest["name"].map(lambda name: _PREFIX.sub("", name))
    for name, rows in rest.groupby(quantity, sort=False):
        if len(rows) > 1:
            yield _curve_drawing(stage, str(name), str(name).replace("_", " "), rows, _draw_quantity)
    if len(f1):
        yield _curve_drawing(stage, "f1", "F1 of decoded genes, validation", f1, _draw_f1)


def _curve_drawing(
    stage: str, name: str, title: str, rows: pd.DataFrame, draw: Callable[[Axes, pd.DataFrame], None]
) -> Drawing:
    with axes_of((4.2, 2.7), grid="y") as axes:
        axes.set_xlabel("step")
        draw(axes, rows)
    last = rows.sort_values("step", kind="stable").groupby("name", sort=False)["value"].last()
    ends = ", ".join(f"{series.replace('_', ' ')} {value:.4g}" for series, value in last.items())
    seen = f"Curve of {title} during {stage}; at its end: {ends}."
    return Drawing(re.sub(r"[^A-Za-z0-9]+", "_", f"{stage}_{name}"), stage, title, seen, axes.figure, rows)


def _draw_quantity(axes: Axes, rows: pd.DataFrame) -> None:
    for series, values in rows.groupby("name", sort=False):
        found = _PREFIX.match(str(series))
        is_train = found is not None and found.group(1) == "train"
        color = color_of(BASELINE if is_train else OURS)
        ordered = values.sort_values("step")
        axes.plot(ordered["step"], ordered["value"], color=color, alpha=0.35 if is_train else 1.0, linewidth=1.4)
        if is_train:
            axes.plot(ordered["step"], running_mean(ordered["value"].to_numpy(float)), color=color, linewidth=1.4)
        else:
            axes.plot(ordered["step"], ordered["value"], "o", color=color, markersize=3)
        axes.plot([], [], color=color, label=found.group(1) if found else "")
    if rows["name"].str.match(_PREFIX).any():
        axes.legend()


def _draw_f1(axes: Axes, rows: pd.DataFrame) -> None:
    for level, (color, marker) in CURVE_LEVELS.items():
        ordered = rows[rows["name"] == f"validation_{level}_f1"].sort_values("step")
        look = {"color": color, "markersize": 4, "linewidth": 1.4, "label": level.replace("_", " ")}
        axes.plot(ordered["step"], ordered["value"], f"{marker}-", **look)
    axes.set_ylim(0, 1)
    axes.legend(ncols=2)


def running_mean(values: np.ndarray) -> np.ndarray:
    """Mean over a twentieth of the curve around each of its values, over less at its ends."""
    half = max(1, len(values) // 40)
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(0, at - half), np.minimum(len(values), at + half + 1)
    return (total[high] - total[low]) / (high - low)
