"""Figures of a genome's scores: F1 by level, precision-recall curve, calibration, errors, exon counts.

``scores``, ``loci`` and ``predicted`` are the tables ``{genome}.genes.tsv``, ``.reference_loci.tsv`` and
``.predicted_genes.tsv``.
"""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from phytoscribe.evaluation.accuracy.calibration import (
    BIN_COLUMNS,
    chance_error,
    equal_width_bins,
    expected_calibration_error,
)
from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE, RIGHT
from phytoscribe.reporting.blocks import words
from phytoscribe.reporting.drawing import (
    INK,
    OURS,
    SOFT,
    STYLE,
    Drawing,
    axes_of,
    color_of,
    draw_grid,
    marker_of,
    name_of,
)
from phytoscribe.tables import counts_near_loci, near_loci, shown_metrics

GROUP = "scores"
#: Points of a curve; more are not seen.
MOST_POINTS = 400
#: Score cuts that are marked on the curve; fixed, so that no scored gene chooses them.
MARKED_CUTS = (0.25, 0.5, 0.75, 0.9)
#: Genes with at least so many CDS exons are counted together.
MOST_EXONS = 12


def f1_by_level(genome: str, scores: pd.DataFrame) -> Drawing:
    """F1 of every predictor at every level by exact CDS; open marks for genes without a training homologue."""
    title = "F1 near loci" if counts_near_loci(scores) else "F1"
    exact = scores[(scores["metric"] == shown_metrics(scores)[2]) & (scores["ruler"] == "exact")]
    shown = exact[exact["subset"].isin(["all", NO_TRAIN_HOMOLOGUE]) & exact["value"].notna()]
    levels = list(dict.fromkeys(exact["level"]))
    predictors = list(dict.fromkeys(shown["predictor"]))
    place = {level: -index for index, level in enumerate(levels)}
    with axes_of((5.4, 0.9 + 0.34 * max(3, len(levels))), grid="both") as axes:
        for number, predictor in enumerate(predictors):
            color, offset = color_of(predictor), 0.18 * ((len(predictors) - 1) / 2 - number)
            for subset, face in (("all", color), (NO_TRAIN_HOMOLOGUE, "white")):
                rows = shown[(shown["predictor"] == predictor) & (shown["subset"] == subset)]
                if rows.empty:
                    continue
                label = name_of(predictor) + ("" if subset == "all" else ", no train homologue")
                heights = rows["level"].map(place) + offset
                axes.scatter(
                    rows["value"], heights, s=34, color=face, edgecolors=color, marker=marker_of(predictor),
                    label=label, zorder=3,
                )  # fmt: skip
        axes.set_yticks(list(place.values()), [words(level) for level in levels])
        axes.set(xlim=(0, 1.02), xlabel=f"{title}, exact CDS")
        axes.tick_params(length=0)
        _legend_above(axes)
    loci = shown[(shown["level"] == "locus") & (shown["subset"] == "all")]
    seen = "; ".join(f"{name_of(row.predictor)}: locus {title} {row.value:.3f}" for row in loci.itertuples())
    return Drawing(
        "f1_by_level", GROUP, f"{title} by level, exact CDS", f"{title} by level for {genome}. {seen}.",
        axes.figure, shown[["predictor", "level", "subset", "value", "n"]],
    )  # fmt: skip


def precision_recall(genome: str, loci: pd.DataFrame, predicted: pd.DataFrame, near: bool = False) -> Drawing | None:
    """Precision and recall of exact loci as the score cutoff for predicted genes varies.

    A predictor without probabilities is one point.  The result is None without reference loci or predicted genes.
    ``near``: only predictions near scored loci count (:func:`phytoscribe.tables.counts_near_loci`).
    """
    measure = "precision near loci" if near else "precision"
    predictors = [name for name in dict.fromkeys(predicted["predictor"]) if (loci["predictor"] == name).any()]
    if not predictors:
        return None
    of_predictor = {
        name: cut_curve(loci[loci["predictor"] == name], predicted[predicted["predictor"] == name])
        for name in predictors
    }
    curves = pd.concat([rows.assign(predictor=name) for name, rows in of_predictor.items()])
    with axes_of((5.4, 4.3), grid="both") as axes:
        for name, rows in of_predictor.items():
            color = color_of(name)
            if len(rows) > 1:
                axes.plot(rows["recall"], rows["precision"], color=color, linewidth=1.8, label=name_of(name))
                # The last gene of the curve whose score is at least each marked cut.
                marked = rows.iloc[[max(0, int((rows["cut"] >= cut).sum()) - 1) for cut in MARKED_CUTS]]
                axes.plot(marked["recall"], marked["precision"], marker_of(name), color=color, markersize=5)
                # Labels of several curves would lie on each other.
                for cut, row in zip(MARKED_CUTS, marked.itertuples()) if name == OURS else ():
                    place = (row.recall, row.precision)
                    axes.annotate(f"≥ {cut:g}", place, xytext=(5, 3), textcoords="offset points", fontsize=8)
            else:
                look = {"color": color, "markersize": 8, "label": name_of(name)}
                axes.plot(rows["recall"], rows["precision"], marker_of(name), **look)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="recall of loci, exact CDS", ylabel=measure)
        _legend_above(axes)
    seen = "; ".join(
        f"{name_of(name)}, all genes: {measure} {rows['precision'].iloc[-1]:.3f}, recall {rows['recall'].iloc[-1]:.3f}"
        for name, rows in of_predictor.items()
    )
    return Drawing(
        "precision_recall", GROUP, f"{measure.capitalize()} and recall over the score cut",
        f"{measure.capitalize()} against recall of exact loci of {genome} over the gene score cut. {seen}.",
        axes.figure, curves[["predictor", "cut", "genes", "right_genes", "found_loci", "precision", "recall"]].rename(
            columns={"precision": near_loci("precision")} if near else {}
        ),
    )  # fmt: skip


def cut_curve(loci: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Precision and recall of one predictor at each score cutoff, from the highest to one that keeps all genes.

    Columns: cut, genes (that reach it), right_genes, found_loci, precision, recall.  Genes with the same score count
    together.  Without probabilities there is one row, with an empty cut.  There are at most :data:`MOST_POINTS` rows,
    evenly spread.
    """
    score = predicted["probability"].to_numpy(float)
    right = (predicted["right"] == "yes").to_numpy()
    of_gene = dict(zip(predicted["gene"], score))
    found = loci.loc[loci["class"] == RIGHT, "predicted"].map(of_gene).to_numpy(float)
    if np.isnan(score).any():
        cuts = np.array([np.nan])
        genes, right_genes, found_loci = (np.array([number]) for number in (len(score), right.sum(), len(found)))
    else:
        cuts = np.unique(score)[::-1]
        if len(cuts) > MOST_POINTS:
            cuts = cuts[np.linspace(0, len(cuts) - 1, MOST_POINTS).round().astype(int)]
        genes, right_genes, found_loci = (
            len(values) - np.searchsorted(np.sort(values), cuts) for values in (score, score[right], found)
        )
    table = pd.DataFrame({"cut": cuts, "genes": genes, "right_genes": right_genes, "found_loci": found_loci})
    return table.assign(
        precision=table["right_genes"] / table["genes"].where(table["genes"] > 0),
        recall=table["found_loci"] / len(loci) if len(loci) else np.nan,
    )


def calibration(genome: str, predicted: pd.DataFrame) -> Drawing | None:
    """Share of correct genes by probability, and the number of genes; None without probabilities."""
    known = predicted[predicted["probability"].notna()]
    if known.empty:
        return None
    tables, errors = {}, {}
    for predictor, genes in known.groupby("predictor", sort=False):
        tables[str(predictor)] = bins = equal_width_bins(genes["probability"], genes["right"] == "yes")
        errors[str(predictor)] = expected_calibration_error(bins), chance_error(genes["probability"], equal_width_bins)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.4, 4.9), layout="constrained")
        axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle="--", label="perfect calibration")
        for predictor, (error, chance) in errors.items():
            rows, color = tables[predictor], color_of(predictor)
            label = f"{name_of(predictor)}: error {error:.3f} (by chance alone {chance:.3f})"
            axes.plot(rows["mean_probability"], rows["share_right"], color=color, linewidth=1.4)
            axes.scatter(
                rows["mean_probability"], rows["share_right"], s=10 + 90 * rows["n"] / rows["n"].max(), color=color,
                marker=marker_of(predictor), label=label, zorder=3,
            )  # fmt: skip
            look = {"color": color, "alpha": 0.6} if predictor == OURS else {"fill": False, "edgecolor": color}
            counts.bar(rows["low"], rows["n"], width=rows["high"] - rows["low"], align="edge", **look)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.05), ylabel="share that is right")
        counts.set(xlabel="probability that the GFF3 gives the gene", ylabel="genes")
        for panel in (axes, counts):
            draw_grid(panel, "both")
        axes.legend(loc="upper left")
    seen = "; ".join(f"{name_of(name)}: expected calibration error {error:.3f}" for name, (error, _) in errors.items())
    return Drawing(
        "calibration", GROUP, "Calibration: do genes with a score of 0.8 prove right in eight of ten cases?",
        f"Share of exactly right genes of {genome} by their probability, in ten bins. {seen}.", figure,
        pd.concat([bins.assign(predictor=name) for name, bins in tables.items()])[["predictor", *BIN_COLUMNS]],
    )  # fmt: skip


def error_classes(genome: str, side: str, genes: pd.DataFrame) -> Drawing | None:
    """Number of wrong ``loci`` or ``predicted`` genes by class; ``side`` is their name.  None if there are none."""
    wrong = genes[genes["class"] != RIGHT]
    counts = wrong.groupby(["predictor", "class"], sort=False).size().rename("count").reset_index()
    if counts.empty:
        return None
    predictors = list(dict.fromkeys(counts["predictor"]))
    total = counts.groupby("class")["count"].sum()
    classes = sorted(total.index, key=lambda name: (-total[name], name))
    number = counts.set_index(["predictor", "class"])["count"]
    with axes_of((5.4, 0.9 + (0.1 + 0.13 * len(predictors)) * max(3, len(classes))), grid="x") as axes:
        height = 0.82 / len(predictors)
        for place, predictor in enumerate(predictors):
            values = [int(number.get((predictor, name), 0)) for name in classes]
            heights = np.arange(len(classes)) + (place - (len(predictors) - 1) / 2) * height
            drawn = axes.barh(heights, values, height=height, color=color_of(predictor), label=name_of(predictor))
            axes.bar_label(drawn, [f"{value:,}" if value else "" for value in values], padding=2, fontsize=7.5)
        axes.set_yticks(range(len(classes)), [name.replace("_", " ") for name in classes])
        axes.margins(x=0.1)
        axes.set(ylim=(len(classes) - 0.4, -0.6), xlabel=side)
        axes.tick_params(axis="y", length=0)
        axes.legend(loc="lower right")
    said = []
    for predictor in predictors:
        found = number[predictor]
        each = ", ".join(f"{name.replace('_', ' ')} {found[name]}" for name in classes if name in found)
        said.append(f"{name_of(predictor)}: {each}")
    return Drawing(
        f"errors_{side.replace(' ', '_')}", GROUP, f"{side.capitalize()} that are not exactly right, by class",
        f"Numbers of {side} of {genome} that are wrong, by class. {'; '.join(said)}.",
        axes.figure, counts,
    )  # fmt: skip


def exon_confusion(genome: str, loci: pd.DataFrame) -> Drawing | None:
    """CDS exon counts of reference loci against those of the overlapping predicted gene; None without loci.

    Column 0 holds loci without a predicted gene; the last row and column hold :data:`MOST_EXONS` and more.
    """
    rows = loci[loci["predictor"] == OURS]
    if rows.empty:
        return None
    reference = np.clip(rows["cds_exons"].to_numpy(int), 1, MOST_EXONS)
    guess = np.clip(rows["predicted_cds_exons"].fillna(0).to_numpy(int), 0, MOST_EXONS)
    counts = np.zeros((MOST_EXONS, MOST_EXONS + 1), dtype=np.int64)
    np.add.at(counts, (reference - 1, guess), 1)
    names = ["none", *map(str, range(1, MOST_EXONS)), f"{MOST_EXONS}+"]
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    with axes_of((5.4, 4.9), layout="constrained") as axes:
        shade = axes.pcolormesh(shares, cmap="Greens", vmin=0, vmax=1, edgecolors="white", linewidth=0.6)
        for row, column in zip(*np.nonzero(counts)):
            axes.text(
                column + 0.5, row + 0.5, f"{counts[row, column]}", ha="center", va="center", fontsize=7.5,
                color="white" if shares[row, column] > 0.55 else INK,
            )  # fmt: skip
        axes.set_xticks(np.arange(MOST_EXONS + 1) + 0.5, names)
        axes.set_yticks(np.arange(MOST_EXONS) + 0.5, names[1:])
        axes.invert_yaxis()
        axes.tick_params(length=0, labelsize=8.5)
        axes.set(xlabel="CDS exons of the predicted gene", ylabel="CDS exons of the reference locus")
        axes.figure.colorbar(shade, ax=axes, label="share of the row", fraction=0.04)
    equal = int((reference == guess).sum())
    columns = ["reference_cds_exons", "predicted_cds_exons", "loci"]
    cells = [(names[row + 1], names[column], counts[row, column]) for row, column in zip(*np.nonzero(counts))]
    return Drawing(
        "exon_confusion", GROUP, f"CDS exons: reference against {name_of(OURS)}",
        f"Heat map of CDS exon counts, {genome}: {equal:,} of {len(rows):,} loci have as many predicted as annotated.",
        axes.figure, pd.DataFrame(cells, columns=columns),
    )  # fmt: skip


def _legend_above(axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, borderaxespad=0.2)
