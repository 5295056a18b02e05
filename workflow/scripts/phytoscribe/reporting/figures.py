"""The report's figures, as SVG in data URIs: no file beside the page, the same bytes for the same numbers."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phytoscribe.evaluation.exact import LEVELS, RULER
from phytoscribe.reporting.style import INK, RULE, STYLE

COLORS = {"phytoscribe": "#1f6f50", "augustus": "#c07a2c", "reference": "#6b7280"}
#: Levels of the F1 curves: from the easiest to the one that chooses the checkpoint.
CURVE_LEVELS = ("base", "intron", "cds_exon", "locus")
_PREFIX = re.compile(r"^(train|validation)_")
_STYLE = STYLE | {"figure.facecolor": "none", "axes.facecolor": "none"}
Item = tuple[str, str, str]


def data_uri(figure: Figure) -> str:
    """A figure as SVG in a data URI."""
    buffer = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(
            buffer, transparent=True, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None}
        )
    return f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def f1_by_level(genome: str, scores: pd.DataFrame) -> Item:
    """F1 of every predictor at every level: filled for all genes, open for those without a training homologue."""
    f1 = scores[(scores["metric"] == "f1") & (scores["ruler"] == RULER)]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(5.4, 3.9))
        axes = figure.subplots()
        place = {level: -index for index, level in enumerate(LEVELS)}
        for offset, (predictor, rows) in zip((0.14, -0.14), f1.groupby("predictor", sort=False), strict=False):
            color = COLORS.get(str(predictor), INK)
            for subset, face in (("all", color), ("no_train_homologue", "white")):
                shown = rows[rows["subset"] == subset]
                heights = shown["level"].map(place) + offset
                label = f"{predictor}, {'all genes' if subset == 'all' else 'no train homologue'}"
                axes.scatter(shown["value"], heights, s=42, color=face, edgecolors=color, label=label, zorder=3)
        axes.set_yticks(list(place.values()), [level.replace("_", " ") for level in LEVELS])
        axes.set_xlim(0, 1)
        axes.set_xlabel("F1, exact CDS")
        axes.grid(axis="both", color=RULE, linewidth=0.7)
        axes.tick_params(length=0)
        axes.legend(loc="upper center", bbox_to_anchor=(0.45, 1.2), ncols=2, frameon=False, fontsize=9)
        uri = data_uri(figure)
    return uri, f"F1 by level for {genome}", f"{genome}: F1 by level"


def bars(counts: Mapping[str, float], title: str, label: str) -> Item:
    """Horizontal bars with their values, in the order given."""
    names = [name.replace("_", " ") for name in counts]
    values = list(counts.values())
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(5.4, 0.7 + 0.27 * max(2, len(names))))
        axes = figure.subplots()
        drawn = axes.barh(range(len(names)), values, color=COLORS["phytoscribe"], height=0.62)
        axes.bar_label(drawn, [f"{value:,.4g}" for value in values], padding=3, fontsize=9)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel(label)
        axes.margins(x=0.12)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        uri = data_uri(figure)
    return uri, title, title


def training_curves(stage: str, metrics: pd.DataFrame) -> list[Item]:
    """One small figure per quantity, and one for all F1 levels; training and validation of a quantity share it."""
    f1 = metrics[metrics["name"].isin([f"validation_{level}_f1" for level in CURVE_LEVELS])]
    rest = metrics[~metrics["name"].str.endswith("_f1")]
    quantity = rest["name"].map(lambda name: _PREFIX.sub("", name))
    curves = [_curve(stage, str(name), rows) for name, rows in rest.groupby(quantity, sort=False)]
    return [*curves, _f1_curves(stage, f1)] if len(f1) else curves


def _curve(stage: str, name: str, rows: pd.DataFrame) -> Item:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.2, 2.7))
        axes = figure.subplots()
        for series, values in rows.groupby("name", sort=False):
            found = _PREFIX.match(str(series))
            is_train = found is not None and found.group(1).startswith("train")
            color = COLORS["augustus"] if is_train else COLORS["phytoscribe"]
            ordered = values.sort_values("step")
            axes.plot(ordered["step"], ordered["value"], color=color, alpha=0.35 if is_train else 1.0, linewidth=1.4)
            if is_train:
                axes.plot(ordered["step"], _smooth(ordered["value"].to_numpy(float)), color=color, linewidth=1.4)
            else:
                axes.plot(ordered["step"], ordered["value"], "o", color=color, markersize=3)
            axes.plot([], [], color=color, label=found.group(1) if found else "")
        if rows["name"].str.match(_PREFIX).any():
            axes.legend(frameon=False, fontsize=9)
        uri = _finished(figure, axes, name)
    return uri, f"{name} during {stage}", ""


def _f1_curves(stage: str, rows: pd.DataFrame) -> Item:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.2, 2.7))
        axes = figure.subplots()
        for level, shade in zip(CURVE_LEVELS, ("#9aa59f", "#6fae93", "#c07a2c", "#1f6f50"), strict=True):
            ordered = rows[rows["name"] == f"validation_{level}_f1"].sort_values("step")
            axes.plot(ordered["step"], ordered["value"], "o-", color=shade, markersize=3, linewidth=1.4, label=level)
        axes.set_ylim(0, 1)
        axes.legend(frameon=False, fontsize=9, ncols=2)
        uri = _finished(figure, axes, "F1 of decoded genes, validation")
    return uri, f"F1 by level during {stage}", ""


def _finished(figure: Figure, axes: Axes, title: str) -> str:
    axes.set_xlabel("step")
    axes.set_title(title.replace("_", " "), fontsize=10, loc="left")
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    return data_uri(figure)


def _smooth(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Running mean over a twentieth of the curve, shorter at its ends."""
    half = max(1, len(values) // 40)
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(0, at - half), np.minimum(len(values), at + half + 1)
    return (total[high] - total[low]) / (high - low)
