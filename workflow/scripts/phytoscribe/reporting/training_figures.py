"""Figures of the report that belong to no genome: what the rules cost, and curves of training."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from phytoscribe.reporting.drawing import Drawing
from phytoscribe.reporting.inputs import ReportInputs
from phytoscribe.reporting.process_sections import FINE_TUNING, PRETRAINING
from phytoscribe.reporting.run_costs import costs_figures
from phytoscribe.reporting.style import RULE, SOFT, STYLE, color_of

#: Levels of the F1 curves, from the easiest to the one that chooses the checkpoint, each with its colour and marker.
CURVE_LEVELS = {
    "base": (SOFT, "o"), "intron": ("#56B4E9", "s"), "cds_exon": ("#E69F00", "^"), "locus": ("#009E73", "D"),
}  # fmt: skip
_PREFIX = re.compile(r"^(train|validation)_")
_SIZE = (4.2, 2.7)


def draw_workflow(inputs: ReportInputs) -> Iterator[Drawing]:
    """The figures, each drawn when it is asked for."""
    if inputs.costs is not None:
        yield from costs_figures(inputs.costs)
    for stage, metrics in ((PRETRAINING, inputs.pretrain_metrics), (FINE_TUNING, inputs.structure_metrics)):
        if metrics is not None:
            yield from training_curves(stage, metrics)


def training_curves(stage: str, metrics: pd.DataFrame) -> Iterator[Drawing]:
    """Curves of one stage; training and validation of a quantity share a figure, and a single value has none.

    Args:
        stage: ``pretraining`` or ``fine-tuning``; the group of the figures.
        metrics: columns step, name, value.
    """
    f1 = metrics[metrics["name"].isin([f"validation_{level}_f1" for level in CURVE_LEVELS])]
    rest = metrics[~metrics["name"].str.endswith("_f1")]
    quantity = rest["name"].map(lambda name: _PREFIX.sub("", name))
    for name, rows in rest.groupby(quantity, sort=False):
        if len(rows) > 1:
            yield _drawing(stage, str(name), str(name).replace("_", " "), _curve(rows), rows)
    if len(f1):
        yield _drawing(stage, "f1", "F1 of decoded genes, validation", _f1_curves(f1), f1)


def _drawing(stage: str, name: str, title: str, figure: Figure, rows: pd.DataFrame) -> Drawing:
    axes = figure.axes[0]
    axes.set_xlabel("step")
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    last = rows.sort_values("step", kind="stable").groupby("name", sort=False)["value"].last()
    ends = ", ".join(f"{series.replace('_', ' ')} {value:.4g}" for series, value in last.items())
    stem = re.sub(r"[^A-Za-z0-9]+", "_", f"{stage}_{name}")
    return Drawing(stem, stage, title, f"Curve of {title} during {stage}; at its end: {ends}.", figure, rows)


def _curve(rows: pd.DataFrame) -> Figure:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=_SIZE)
        axes = figure.subplots()
        for series, values in rows.groupby("name", sort=False):
            found = _PREFIX.match(str(series))
            is_train = found is not None and found.group(1) == "train"
            color = color_of("augustus") if is_train else color_of("phytoscribe")
            ordered = values.sort_values("step")
            axes.plot(ordered["step"], ordered["value"], color=color, alpha=0.35 if is_train else 1.0, linewidth=1.4)
            if is_train:
                axes.plot(ordered["step"], _smooth(ordered["value"].to_numpy(float)), color=color, linewidth=1.4)
            else:
                axes.plot(ordered["step"], ordered["value"], "o", color=color, markersize=3)
            axes.plot([], [], color=color, label=found.group(1) if found else "")
        if rows["name"].str.match(_PREFIX).any():
            axes.legend()
    return figure


def _f1_curves(rows: pd.DataFrame) -> Figure:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=_SIZE)
        axes = figure.subplots()
        for level, (color, marker) in CURVE_LEVELS.items():
            ordered = rows[rows["name"] == f"validation_{level}_f1"].sort_values("step")
            label = level.replace("_", " ")
            axes.plot(
                ordered["step"], ordered["value"], f"{marker}-", color=color, markersize=4, linewidth=1.4, label=label
            )
        axes.set_ylim(0, 1)
        axes.legend(ncols=2)
    return figure


def _smooth(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Running mean over a twentieth of the curve, shorter at its ends."""
    half = max(1, len(values) // 40)
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(0, at - half), np.minimum(len(values), at + half + 1)
    return (total[high] - total[low]) / (high - low)
