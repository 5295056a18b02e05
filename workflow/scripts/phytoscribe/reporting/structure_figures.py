"""Figures of gene structure that need no scores: lengths and exon counts beside the reference, and gene scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from phytoscribe.annotation.model import GeneModel
from phytoscribe.reporting.drawing import Drawing
from phytoscribe.reporting.style import RULE, STYLE, color_of, name_of

GROUP = "structure"
#: Genes with at least so many CDS exons are counted together.
EXON_LIMIT = 20
#: Of each quantity the name of its figure, the label of its axis, and its title.
QUANTITIES = {
    "cds_length": ("cds_lengths", "CDS of a gene (bp)", "Lengths of coding sequences"),
    "cds_exon_length": ("exon_lengths", "CDS exon (bp)", "Lengths of CDS exons"),
    "intron_length": ("intron_lengths", "CDS intron (bp)", "Lengths of CDS introns"),
    "cds_exons": ("exon_counts", f"CDS exons of a gene ({EXON_LIMIT}: and more)", "CDS exons of genes"),
}


def length_distributions(genome: str, measured: Mapping[str, Mapping[str, np.ndarray]]) -> Iterator[Drawing]:
    """Distributions of the lengths of CDS, exons and introns, and of exon counts, by predictor; none without genes.

    Args:
        measured: for each predictor what :func:`phytoscribe.evaluation.quality.gene_shapes.measured` finds.
    """
    for kind, (name, label, title) in QUANTITIES.items():
        values = {predictor: found[kind] for predictor, found in measured.items() if found[kind].size}
        if values:
            yield _distribution(genome, values, name, label, title, is_count=kind == "cds_exons")


def _distribution(
    genome: str, values: Mapping[str, np.ndarray], name: str, label: str, title: str, is_count: bool
) -> Drawing:
    edges = np.arange(1, EXON_LIMIT + 2) - 0.5 if is_count else _log_edges(list(values.values()))
    rows: list[tuple] = []
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.0, 3.1))
        axes = figure.subplots()
        for predictor, found in values.items():
            counts, _ = np.histogram(np.clip(found, edges[0], edges[-1] * (1 - 1e-9)), edges)
            shares = counts / found.size
            is_reference = predictor == "reference"
            axes.stairs(
                shares, edges, color=color_of(predictor), fill=is_reference, alpha=0.3 if is_reference else 1.0,
                linewidth=1.5, linestyle="--" if predictor == "augustus" else "-", label=name_of(predictor),
            )  # fmt: skip
            rows += [(predictor, *row) for row in zip(edges, edges[1:], counts, shares)]
        if is_count:
            axes.set_xticks([1, 5, 10, 15, 20])
        else:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.tick_params(axis="x", labelsize=8)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.set_xlabel(label)
        axes.grid(axis="y", color=RULE, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.legend()
    medians = "; ".join(f"{name_of(predictor)} {np.median(found):,.0f}" for predictor, found in values.items())
    return Drawing(
        name, GROUP, title, f"Distribution: {title}, {genome}. Medians: {medians}.", figure,
        pd.DataFrame(rows, columns=["predictor", "low", "high", "count", "share"]),
    )  # fmt: skip


def score_distribution(genome: str, genes: Sequence[GeneModel]) -> Drawing | None:
    """How many predicted genes have which score; None if none has one."""
    scores = np.array([gene.score for gene in genes if gene.score is not None])
    if not scores.size:
        return None
    edges = np.linspace(0, 1, 21)
    counts, _ = np.histogram(np.clip(scores, 0, 1), edges)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.4, 2.9), layout="constrained")
        axes = figure.subplots()
        axes.stairs(counts, edges, fill=True, color=color_of("phytoscribe"))
        axes.set_xlim(0, 1)
        axes.set_xlabel("score: probability that exactly this CDS is right")
        axes.set_ylabel("predicted genes")
        axes.grid(axis="y", color=RULE, linewidth=0.7)
        axes.set_axisbelow(True)
    return Drawing(
        "score_distribution", GROUP, "Scores of the predicted genes",
        f"Histogram of the scores of {scores.size:,} genes of {genome}: {np.mean(scores >= 0.9):.0%} reach 0.9, "
        f"{np.mean(scores < 0.5):.0%} are below 0.5.",
        figure, pd.DataFrame({"low": edges[:-1], "high": edges[1:], "genes": counts}),
    )  # fmt: skip


def _log_edges(values: Sequence[np.ndarray], bins: int = 40) -> np.ndarray:
    filled = [part for part in values if part.size]
    if not filled:
        return np.array([1.0, 10.0])
    # All but one in a thousand on either side; the rest falls into the outer bins.
    low = min(np.quantile(part, 0.001) for part in filled)
    high = max(np.quantile(part, 0.999) for part in filled)
    return np.geomspace(max(1.0, low), max(low + 1, high) + 1, bins + 1)
