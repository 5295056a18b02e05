"""What models have learned, as far as it can be seen: filters of the regulatory head, and promoters as points."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phytoscribe.reporting.blocks import Block, Figures, Heading, Paragraph, Section, figures_of, number
from phytoscribe.reporting.drawing import SOFT, STYLE, Drawing
from phytoscribe.reporting.inputs import ReportInputs
from phytoscribe.splits.parts import TEST, TRAIN, VALIDATE

PROMOTERS = "promoters"
#: What the points are coloured by: column, and its title.
_COLOURED = {"level": "level, log2(1 + TPM)", "tau": "tau, specific to tissues", "gc": "GC content"}
_PART_COLOURS = {TRAIN: SOFT, VALIDATE: "#E69F00", TEST: "#0072B2"}
_VIEWS = {"pca": "principal components", "umap": "UMAP"}
#: Share of the points at each end of a scale that have its last colour.
_BEYOND = 0.02


def filter_blocks(inputs: ReportInputs) -> list[Block]:
    """How many filters of the motif stem match a known motif, and the logos of those that weigh most."""
    if inputs.filters is None:
        return []
    logos = [(figure.uri, figure.seen, figure.title) for figure in inputs.filter_logos or []]
    blocks: list[Block] = [Heading("Filters"), Paragraph(_counted(inputs.filters, bool(logos)))]
    return [*blocks, Figures(logos)] if logos else blocks


def _counted(filters: pd.DataFrame, drawn: bool) -> str:
    """What the table of filters says as a whole, in sentences."""
    whole = filters["consensus"] != ""
    matched = pd.to_numeric(filters["q"], errors="coerce").notna()
    told = (
        f"The head scans the sequence with {number(len(filters))} filters. {number(int(whole.sum()))} of them match "
        f"often enough to make a motif, and {number(int(matched.sum()))} of these match a known one (q at most 0.05)."
    )
    if drawn:
        told += " Those that weigh most by themselves stand here; results/motifs/filters.tsv has all."
    return told


def promoter_sections(inputs: ReportInputs) -> list[Section]:
    """Promoters as points, below the two numbers that say how much may be read into the picture."""
    if inputs.promoters is None or inputs.promoter_scores is None:
        return []
    blocks: list[Block] = [Paragraph(text) for text in (_of_gc(inputs.promoter_scores), _of_level(inputs))]
    note = (
        f"Each point is the promoter of one of {number(len(inputs.promoters))} genes: the mean of the features that "
        "the structure model (its trunk) gives its bases. UMAP keeps neighbours together; distances between its groups "
        "and their shapes mean nothing."
    )
    return [Section(PROMOTERS, "Promoters as points", [*blocks, Paragraph(note), *_figures(inputs)])]


def _figures(inputs: ReportInputs) -> list[Figures]:
    return figures_of(inputs.own_figures, PROMOTERS)


def _of_gc(scores: pd.DataFrame) -> str:
    own = scores[(scores["measure"] == "gc_r2") & (scores["label"] == "axes_1_2")].set_index("model")
    trunk, kmers = (_with_interval(own.loc[model]) for model in ("trunk", "4-mers"))
    return (
        f"GC content alone explains {trunk} of the variance of the first two principal components (R2). Of those of "
        f"counts of 4-mers it explains {kmers}."
    )


def _of_level(inputs: ReportInputs) -> str:
    """Whether near promoters have more alike levels than chance and 4-mers make them."""
    assert inputs.promoter_scores is not None
    own = inputs.promoter_scores[inputs.promoter_scores["measure"] == "neighbour_r2"].set_index("model")
    if own.empty:
        return "Whether near promoters have alike levels is not judged: too few genes are held out."
    trunk, kmers = (_with_interval(own.loc[model]) for model in ("trunk", "4-mers"))
    difference, row = own.loc["trunk minus 4-mers"], own.loc["trunk"]
    if row["low"] <= 0:
        verdict = "so near points are not shown to have alike levels (the mean of all training genes has an R2 of 0)"
    elif difference["low"] > 0:
        verdict = "so these features tell more than words of four bases do"
    elif difference["high"] < 0:
        verdict = "so words of four bases tell more than these features do"
    else:
        verdict = "so groups in the picture tell no more than words of four bases do, as far as these genes show"
    part = {TEST: "test", VALIDATE: "validation"}[row["subset"]]
    return (
        f"The 15 nearest training promoters predict the level ({row['label']}) of {number(int(row['n']))} {part} genes "
        f"with R2 {trunk}; those that are nearest by counts of 4-mers, with {kmers}. The difference is "
        f"{_with_interval(difference)}, {verdict}."
    )


def _with_interval(row: pd.Series) -> str:
    return f"{row['value']:.2f} (95 % {row['low']:.2f} to {row['high']:.2f})"


def promoter_figures(points: pd.DataFrame | None) -> Iterator[Drawing]:
    """Promoters by principal components and by UMAP, coloured by level, specificity, GC and part.

    Args:
        points: columns of ``tables.EMBEDDING``; None draws nothing.
    """
    if points is None:
        return
    # In another order than along the contigs, so that no part of the genome lies above the others.
    mixed = points.iloc[np.random.default_rng(0).permutation(len(points))]
    coloured = {column: title for column, title in _COLOURED.items() if points[column].notna().any()}
    for view, title in _VIEWS.items():
        with mpl.rc_context(STYLE):
            figure = Figure(figsize=(6.4, 5.6), dpi=150, layout="constrained")
            panels = figure.subplots(2, 2).ravel()
            for axes, (column, name) in zip(panels, coloured.items(), strict=False):
                _draw_scale(axes, mixed, view, column)
                axes.set_title(name)
            _draw_parts(panels[len(coloured)], mixed, view)
            for axes in panels:
                axes.set(xticks=[], yticks=[])
            for axes in panels[len(coloured) + 1 :]:
                axes.set_axis_off()
        seen = f"{len(points):,} promoters, by {title}, coloured by {', '.join(coloured)} and part of the split."
        yield Drawing(f"promoters_{view}", PROMOTERS, f"Promoters by {title}", seen, figure, points)


def _draw_scale(axes: Axes, points: pd.DataFrame, view: str, column: str) -> None:
    known = points[points[column].notna()]
    low, high = known[column].quantile([_BEYOND, 1 - _BEYOND])
    drawn = axes.scatter(
        known[f"{view}_1"], known[f"{view}_2"], c=known[column], vmin=low, vmax=high, s=2.5, linewidths=0,
        cmap="viridis", rasterized=True,
    )  # fmt: skip
    axes.figure.colorbar(drawn, ax=axes, shrink=0.85, pad=0.02).outline.set_visible(False)


def _draw_parts(axes: Axes, points: pd.DataFrame, view: str) -> None:
    for part, colour in _PART_COLOURS.items():
        own = points[points["part"] == part]
        if len(own):
            place = own[f"{view}_1"], own[f"{view}_2"]
            axes.scatter(*place, s=2.5, linewidths=0, color=colour, label=part, rasterized=True)
    axes.set_title("part of the split")
    axes.legend(
        ncols=3, markerscale=4, handletextpad=0.1, columnspacing=0.8, loc="upper center", bbox_to_anchor=(0.5, 0)
    )
