"""The reliability diagram of accuracy.py: probability of a predicted gene against the share that is right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from accuracy_measure import BINS, Measured
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phytoscribe.evaluation.accuracy.calibration import expected_calibration_error
from phytoscribe.files import atomic_path
from phytoscribe.reporting.drawing import INK, RULE, STYLE, color_of

#: 95 % of a normal distribution lie within this many standard deviations.
_Z = 1.96
_COLUMNS = 3


def draw_reliability(measured: Sequence[Measured], path: Path) -> None:
    """One panel per set, of the first model, written as PNG."""
    rows = -(-len(measured) // _COLUMNS)
    columns = min(len(measured), _COLUMNS)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.6 * columns, 3.9 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, done in zip(panels, measured, strict=False):
            _panel(axes, done)
        for axes in panels[len(measured) :]:
            axes.set_axis_off()
        with atomic_path(path) as scratch:
            figure.savefig(scratch, format="png", dpi=130, metadata={"Software": None})


def _panel(axes: Axes, done: Measured) -> None:
    """Bins of equal width with Wilson's 95 % interval; the bars below say how many genes a bin holds."""
    probabilities, right = done.outcomes(done.models[0])
    table = BINS["equal_width"](probabilities, right)
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    middle = (table["low"] + table["high"]) / 2
    axes.bar(middle, 0.18 * table["n"] / max(table["n"].max(), 1), width=0.09, color=RULE, zorder=0)
    low, high = wilson_interval(table["share_right"].to_numpy(), table["n"].to_numpy())
    share = table["share_right"]
    axes.errorbar(
        table["mean_probability"],
        share,
        yerr=[np.maximum(share - low, 0), np.maximum(high - share, 0)],
        fmt="o-",
        color=color_of("phytoscribe"),
        markersize=4.5,
        linewidth=1.3,
        elinewidth=0.9,
    )
    errors = ", ".join(f"{expected_calibration_error(bins(probabilities, right)):.3f}" for bins in BINS.values())
    name = done.entry.title.replace("*", "")
    axes.set_title(f"{name}\n{right.size} genes, ECE {errors}", fontsize=10, loc="left")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    axes.set_xlabel("probability of the gene")
    axes.set_ylabel("share with the exact CDS")
    axes.grid(color=RULE, linewidth=0.5)


def wilson_interval(share: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of a share of ``n`` items, each float (bins,); Wilson 1927, doi:10.1080/01621459.1927.10502953."""
    spread = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    middle, scale = share + _Z**2 / (2 * n), 1 + _Z**2 / n
    return (middle - spread) / scale, (middle + spread) / scale
