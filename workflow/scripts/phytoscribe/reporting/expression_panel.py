"""The report's section on expression: scores beside simple models, predicted genes, and figures of the test genes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd

from phytoscribe.reporting.blocks import Block, Heading, Items, Paragraph, Section, Table, figures_of, number, score
from phytoscribe.reporting.drawing import INK, OURS, SOFT, Drawing, axes_of, color_of
from phytoscribe.reporting.inputs import PredictedLevels, ReportInputs
from phytoscribe.reporting.process_figures import running_mean

#: Group of the figures.
LEVELS, PROFILES = "expression", "expression profile"
#: Models of the table of scores (``evaluation/expression.py``) in words, in the order of the report.
MODELS = {
    "head": "head",
    "structure": "gene structure alone",
    "window_kmers": "k-mers of the window",
    "promoter_kmers": "k-mers of the promoter",
    "gc": "GC content",
    "mean": "mean of training",
    "family_mean": "training homologues",
}
SUBSETS = {"all": "all", "no_homologue": "no homologue", "both_utrs": "both UTRs"}
MEASURES = {"r2": "R2", "pearson": "Pearson", "spearman": "Spearman"}
_DEVIATION, _MEAN = "deviation_", "mean"
#: Tissues that have a scatter of their own, and that a heat map has room for.
MOST_SCATTERS, MOST_TISSUES = 6, 40
#: Genes without which a correlation says nothing.
_LEAST = 10
#: Correlations that are written into the cells of a heat map of so many tissues.
_WRITTEN = 12
#: Why a gene has no prediction.
_REASONS = {"beyond_contig": "beyond the contig", "unknown_bases": "mostly N"}


def expression_section(inputs: ReportInputs) -> list[Section]:
    """What the expression heads predicted and how well; nothing without heads."""
    if not inputs.levels:
        return []
    blocks: list[Block] = []
    details: list[Block] = []
    if inputs.expression is not None:
        blocks += [Paragraph(what_structure_reaches(inputs.expression)), *score_tables(inputs.expression)]
        details = tissue_table(inputs.expression)
    else:
        text = "The heads were trained elsewhere, and nothing scores them here; their card says what they reach."
        if inputs.measured:
            text = "No gene with a measured level is held out for the test, so nothing scores the heads."
        blocks.append(Paragraph(text, quiet=True))
    blocks += figures_of(inputs.own_figures, LEVELS)
    if inputs.expression_attribution is not None:
        blocks += _attribution(inputs.expression_attribution)
        blocks += figures_of(inputs.own_figures, PROFILES)
    blocks += [Heading("Predicted genes"), predicted_table(inputs.levels)]
    notes = {name: levels.facts["note"] for name, levels in inputs.levels.items() if "note" in levels.facts}
    if notes:
        blocks.append(Items("Before you use these values", [f"{name}: {note}." for name, note in notes.items()], True))
    return [Section("expression", "Expression", blocks, details)]


def what_structure_reaches(scores: pd.DataFrame) -> str:
    """What of the score needs no regulation, in a sentence, so that nobody reads too much into it."""
    r2 = scores[(scores["label"] == _MEAN) & (scores["measure"] == "r2")].set_index(["model", "subset"])["value"]
    told = f"Gene structure alone (exons, lengths and GC, no motif) reaches an R2 of {r2['structure', 'all']:.2f}"
    told += f" on the test genes, where the head reaches {r2['head', 'all']:.2f}"
    if ("head", "both_utrs") in r2.index:
        told += f", and {r2['structure', 'both_utrs']:.2f} against {r2['head', 'both_utrs']:.2f}"
        told += " on those with both UTRs annotated"
    told += ": only what a head has above it can be regulation that it read from the sequence"
    return f"{told}." if r2["head", "all"] > r2["structure", "all"] else f"{told}, and this head has nothing above it."


def score_tables(scores: pd.DataFrame) -> list[Block]:
    """Scores of the level and of the deviations of tissues from it, a model a row."""
    of_level = scores[scores["label"] == _MEAN].set_index(["model", "subset", "measure"])["value"]
    apart = scores[scores["measure"].str.startswith(_DEVIATION)].copy()
    apart["measure"] = apart["measure"].str.removeprefix(_DEVIATION)
    of_deviation = apart.groupby(["model", "subset", "measure"])["value"].mean()
    genes = scores[(scores["label"] == _MEAN) & (scores["measure"] == "r2")].drop_duplicates("subset")
    counted = ", ".join(f"{SUBSETS[row.subset]} {row.n:,.0f}" for row in genes.itertuples() if row.subset in SUBSETS)
    blocks: list[Block] = [_score_table(of_level, f"Level, mean over the tissues; test genes: {counted}")]
    if len(of_deviation):
        blocks.append(_score_table(of_deviation, "Deviation of a tissue from the gene's mean, mean over the tissues"))
        blocks.append(
            Paragraph(
                "The level tells how active a gene is at all. A head can tell it well and know nothing of tissues: "
                "look at the deviations for that."
            )
        )
    return blocks


def _score_table(values: pd.Series, caption: str) -> Table:
    subsets = [subset for subset in SUBSETS if subset in values.index.get_level_values("subset")]
    columns = [(measure, subset) for measure in MEASURES for subset in subsets]
    models = [model for model in MODELS if model in values.index.get_level_values("model")]
    found = np.array(
        [[values.get((model, subset, measure), np.nan) for measure, subset in columns] for model in models]
    )
    best = {(int(np.nanargmax(column)), k + 1) for k, column in enumerate(found.T) if np.isfinite(column).any()}
    rows = [(MODELS[model], *map(score, row)) for model, row in zip(models, found, strict=True)]
    titles = ("model", *(SUBSETS[subset] for _, subset in columns))
    groups = [("", 1), *((title, len(subsets)) for title in MEASURES.values())]
    return Table(titles, rows, caption, groups, frozenset(best))


def tissue_table(scores: pd.DataFrame) -> list[Block]:
    """The head and what stands beside it, tissue by tissue; nothing for a single one."""
    own = scores[scores["subset"] == "all"].set_index(["model", "label", "measure"])["value"]
    tissues = list(dict.fromkeys(scores["label"][scores["measure"] == f"{_DEVIATION}pearson"]))
    if not tissues:
        return []
    columns = [
        ("r2", "head"),
        ("r2", "structure"),
        *((f"{_DEVIATION}pearson", x) for x in ("head", "structure", "window_kmers")),
    ]
    rows = [
        (tissue, *(score(own.get((model, tissue, measure), np.nan)) for measure, model in columns))
        for tissue in tissues
    ]
    titles = ("tissue", *(MODELS[model] for _, model in columns))
    return [
        Table(
            titles,
            rows,
            "Each tissue, all test genes",
            [("", 1), ("R2 of the level", 2), ("Pearson of the deviation", 3)],
        )
    ]


def predicted_table(levels: Mapping[str, PredictedLevels]) -> Table:
    """Genes with and without a prediction, a genome a row."""
    rows = []
    for name, found in levels.items():
        reasons = found.table["reason"].value_counts()
        rows.append(
            (name, *(number(int(reasons.get(reason, 0))) for reason in ("", *_REASONS)), found.facts.get("genes", ""))
        )
    columns = ("genome", "genes predicted", *(f"left out, {words}" for words in _REASONS.values()), "genes of")
    return Table(columns, rows)


def _attribution(trust: pd.DataFrame) -> list[Block]:
    """Whether the importance of bases can be trusted, and how to read the profile."""
    own = trust.set_index("measure")
    agreement, share, gap = (own.loc[name] for name in ("mutagenesis_spearman", "share_explained", "completeness_gap"))
    past = ""
    if share["value"] < 1:
        past = (
            f" The motifs alone make {share['value']:.2f} of the change that a shuffled window makes; the rest comes "
            "by the features of the structure model, which no importance of bases shows."
        )
    blocks: list[Block] = [
        Heading("What the heads look at"),
        Paragraph(
            f"At {agreement['n']:,.0f} genes each base of the 200 before the transcription start was changed, and the "
            f"whole model read the gene again. The rank correlation of the importance of bases with this is "
            f"{agreement['value']:.2f} (quartiles {agreement['low']:.2f} to {agreement['high']:.2f}); completeness gap "
            f"{gap['value']:.3f}.{past}"
        ),
    ]
    if not own.loc["reliable", "value"]:
        text = "Do not read the track of importance as what the heads look at."
        blocks.append(Items("The importance of bases is not reliable", [text], warns=True))
    blocks.append(
        Paragraph(
            "Below, the bases of each word of six are put in another order. Structure and GC stay as they are, so a "
            "model that reads structure alone does not move at all. The regression on k-mers, where it is drawn, tells "
            "places apart by quarters of a piece only: compare the shapes of the curves, not their heights."
        )
    )
    return blocks


class HeldOut(NamedTuple):
    """log2(1 + TPM) of test genes, measured and predicted, float64 (genes, tissues)."""

    tissues: list[str]
    measured: np.ndarray
    predicted: np.ndarray


def held_out(inputs: ReportInputs) -> HeldOut | None:
    """The genes that the scores are of; None if nothing was measured or nothing is held out."""
    pairs = []
    for name, levels in inputs.levels.items():
        if name not in inputs.measured:
            continue
        known = inputs.measured[name].set_index("gene")
        own = levels.table[(levels.table["part"] == "test") & (levels.table["reason"] == "")].set_index("gene")
        tissues = [tissue for tissue in known.columns if tissue in own.columns]
        genes = own.index.intersection(known.index)
        pairs.append(pd.concat([known.loc[genes, tissues], own.loc[genes, tissues]], keys=["x", "y"], axis=1))
    if not sum(map(len, pairs)):
        return None
    both = np.log2(1 + pd.concat(pairs).astype(np.float64))
    tissues = list(dict.fromkeys(both.columns.get_level_values(1)))
    return HeldOut(tissues, *(both[side].reindex(columns=tissues).to_numpy() for side in ("x", "y")))


def expression_figures(inputs: ReportInputs) -> Iterator[Drawing]:
    """Draw levels of test genes, how deviations of tissues go together, and profiles along the window."""
    if inputs.expression_profile is not None:
        yield from _profiles(inputs.expression_profile)
    genes = held_out(inputs)
    if genes is None:
        return
    for column, tissue in enumerate(genes.tissues[:MOST_SCATTERS]):
        there = np.isfinite(genes.measured[:, column])
        if there.sum() >= _LEAST:
            name = f"expression_levels_{column + 1}"
            yield _scatter(name, tissue, genes.measured[there, column], genes.predicted[there, column])
    if len(genes.tissues) == 2:
        yield from _difference(genes)
    elif 2 < len(genes.tissues) <= MOST_TISSUES:
        yield _deviations(genes)


def _profiles(profile: pd.DataFrame) -> Iterator[Drawing]:
    """Change of the prediction by distance to either end of a gene."""
    top = 1.05 * float(profile["value"].max())
    for end, rows in profile.groupby("end", sort=False):
        with axes_of((5.2, 3.0), grid="y") as axes:
            for model, own in rows.groupby("model", sort=False):
                color = color_of(OURS) if model == "head" else SOFT
                axes.plot(own["distance"], own["value"], ".", color=color, alpha=0.25, markersize=3)
                line = running_mean(own["value"].to_numpy(float))
                axes.plot(own["distance"], line, color=color, linewidth=1.6, label=MODELS.get(str(model), str(model)))
            axes.axvline(0, color=INK, linewidth=0.8)
            axes.set(xlabel=f"bases from the {end}", ylabel="mean change, log2(1 + TPM)", ylim=(0, top))
            axes.legend()
        own = rows[rows["model"] == "head"]
        at = int(own["distance"].iloc[int(np.argmax(running_mean(own["value"].to_numpy(float))))])
        side = "transcribed bases are on the right" if end == "TSS" else "transcribed bases are on the left"
        title = f"Six bases shuffled, by distance to the {end}; {side}; mean over {int(own['n'].max()):,} genes"
        seen = f"Mean change of the prediction by distance to the {end}; most near {at} bases."
        yield Drawing(f"expression_profile_{end}", PROFILES, title, seen, axes.figure, rows)


def _difference(genes: HeldOut) -> Iterator[Drawing]:
    """Of two tissues, whose deviations are one number, the difference."""
    there = np.isfinite(genes.measured).all(axis=1)
    if there.sum() >= _LEAST:
        measured, predicted = (side[there, 0] - side[there, 1] for side in (genes.measured, genes.predicted))
        yield _scatter("expression_difference", " minus ".join(genes.tissues), measured, predicted)


def _scatter(name: str, tissue: str, measured: np.ndarray, predicted: np.ndarray) -> Drawing:
    """Predicted against measured log levels, or differences of them.

    Args:
        tissue: which, or of which two the difference is.
    """
    r = float(np.corrcoef(measured, predicted)[0, 1]) if np.ptp(predicted) and np.ptp(measured) else 0.0
    both = np.concatenate([measured, predicted])
    low, high = 1.03 * min(0.0, float(both.min())), 1.03 * max(0.0, float(both.max()))
    with axes_of((3.6, 3.6)) as axes:
        axes.plot([low, high], [low, high], color=SOFT, linewidth=1, zorder=1)
        axes.hexbin(
            measured, predicted, gridsize=28, mincnt=1, bins="log", cmap=_greens(), linewidths=0.1, zorder=2,
            extent=(low, high, low, high),
        )  # fmt: skip
        axes.set(
            xlim=(low, high), ylim=(low, high), xlabel="measured, log2(1 + TPM)", ylabel="predicted", aspect="equal"
        )
    title = (
        f"{tissue}: predicted against measured, {len(measured):,} test genes (r {r:.2f}); the darker, the more genes"
    )
    seen = f"{tissue}: predicted against measured, {len(measured):,} test genes; correlation {r:.2f}."
    # A tissue is named by the user, a file is not.
    data = pd.DataFrame({"tissue": tissue, "measured": measured, "predicted": predicted})
    return Drawing(name, LEVELS, title, seen, axes.figure, data)


def _greens() -> mpl.colors.Colormap:
    return mpl.colors.LinearSegmentedColormap.from_list("phytoscribe", ["#cfe6da", "#009E73", "#003d2c"])


def deviation_correlations(genes: HeldOut) -> np.ndarray:
    """Correlation of the predicted deviation of each tissue (row) with the measured one of each (column)."""
    measured = np.isfinite(genes.measured)
    several = measured.sum(axis=1) > 1
    truth = genes.measured - np.nanmean(np.where(several[:, None], genes.measured, 0.0), axis=1, keepdims=True)
    told = np.where(measured, genes.predicted, np.nan)
    told -= np.nanmean(np.where(several[:, None], told, 0.0), axis=1, keepdims=True)
    found = np.full((len(genes.tissues), len(genes.tissues)), np.nan)
    for row, column in np.ndindex(found.shape):
        there = np.isfinite(told[:, row]) & np.isfinite(truth[:, column]) & several
        left, right = told[there, row], truth[there, column]
        if len(left) >= _LEAST and np.ptp(left) and np.ptp(right):
            found[row, column] = np.corrcoef(left, right)[0, 1]
    return found


def _deviations(genes: HeldOut) -> Drawing:
    found, count = deviation_correlations(genes), len(genes.tissues)
    limit = max(0.1, float(np.nanmax(np.abs(found), initial=0.1)))
    side = 2.2 + 0.32 * count
    with axes_of((side + 1.2, side)) as axes:
        cells = axes.imshow(found, cmap="PuOr_r", vmin=-limit, vmax=limit)
        axes.set_xticks(range(count), genes.tissues, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(count), genes.tissues)
        axes.set(xlabel="measured deviation", ylabel="predicted deviation")
        axes.figure.colorbar(cells, ax=axes, label="correlation", shrink=0.8)
        for spine in axes.spines.values():
            spine.set_visible(False)
        for row, column in np.ndindex(found.shape if count <= _WRITTEN else (0, 0)):
            if np.isfinite(found[row, column]):
                colour = "white" if abs(found[row, column]) > 0.55 * limit else INK
                axes.text(column, row, f"{found[row, column]:.2f}", ha="center", va="center", fontsize=8, color=colour)
    own = np.diagonal(found)
    best = int(np.nanargmax(own)) if np.isfinite(own).any() else 0
    title = (
        "Does a tissue's predicted difference from the gene's mean follow the measured one? The diagonal says so; "
        "a head that tells tissues apart has it above its rows and columns."
    )
    seen = f"Correlations of predicted with measured deviations; on the diagonal {np.nanmean(own):.2f} on average, "
    seen += f"most in {genes.tissues[best]} with {own[best]:.2f}."
    data = pd.DataFrame(found, index=pd.Index(genes.tissues, name="predicted"), columns=genes.tissues).reset_index()
    return Drawing("expression_deviations", LEVELS, title, seen, axes.figure, data)
