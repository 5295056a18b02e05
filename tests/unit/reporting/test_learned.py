"""The report's section on promoters as points: two sentences that say what the picture is worth, then the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from phytoscribe.reporting.blocks import Figures, Paragraph
from phytoscribe.reporting.drawing import read_figures, write_drawings
from phytoscribe.reporting.inputs import GenomeInfo, read_inputs
from phytoscribe.reporting.learned import promoter_figures, promoter_sections
from phytoscribe.tables import EMBEDDING

SCORES = ("model", "label", "subset", "measure", "value", "low", "high", "n", "base_rate")


def points(tau: bool) -> pd.DataFrame:
    random = np.random.default_rng(2)
    table = pd.DataFrame(
        {"genome": "g", "gene": [f"g{n}" for n in range(90)], "part": ["train", "validate", "test"] * 30}
    )
    numbers = {name: random.normal(size=90) for name in list(EMBEDDING)[3:]}
    return table.assign(**numbers)[list(EMBEDDING)].assign(**({} if tau else {"tau": np.nan}))


def scores(difference: tuple[float, float, float] | None) -> pd.DataFrame:
    rows = [
        (model, label, "all", "gc_r2", value, value - 0.01, value + 0.01, 90, None)
        for model, value in (("trunk", 0.62), ("4-mers", 0.71))
        for label in ("axis_1", "axis_2", "axes_1_2")
    ]
    if difference is not None:
        found = {
            "trunk": (0.05, -0.01 if difference[0] < -0.1 else 0.01, 0.09),
            "4-mers": (0.04, 0.0, 0.08),
            "trunk minus 4-mers": difference,
        }
        rows += [(model, "leaf", "test", "neighbour_r2", *values, 30, None) for model, values in found.items()]
    return pd.DataFrame(rows, columns=list(SCORES))


def inputs_of(folder, table: pd.DataFrame, found: pd.DataFrame):
    table.to_csv(folder / "points.tsv", sep="\t", index=False)
    found.to_csv(folder / "scores.tsv", sep="\t", index=False)
    files = {"promoters": str(folder / "points.tsv"), "promoter_scores": str(folder / "scores.tsv")}
    return read_inputs(files, [GenomeInfo("g", "train")], {})


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (
            (0.01, -0.02, 0.04),
            "The difference is 0.01 (95 % -0.02 to 0.04), so groups in the picture tell no more than",
        ),
        ((0.05, 0.02, 0.08), "so these features tell more than words of four bases do"),
        ((-0.05, -0.08, -0.02), "so words of four bases tell more than these features do"),
        (None, "not judged: too few genes are held out"),
        (
            (-0.2, -0.3, 0.0),
            "so near points are not shown to have alike levels (the mean of all training genes has an R2 of 0)",
        ),
    ],
)
def test_the_two_numbers_are_told_as_they_are(tmp_path, difference, said):
    (section,) = promoter_sections(inputs_of(tmp_path, points(True), scores(difference)))
    texts = [block.text for block in section.blocks if isinstance(block, Paragraph)]
    assert "GC content alone explains 0.62 (95 % 0.61 to 0.63) of the variance of the first two" in texts[0]
    assert said in texts[1]
    assert "one of 90 genes" in texts[2]
    assert promoter_sections(read_inputs({}, [GenomeInfo("g", "train")], {})) == []


def test_the_picture_has_a_panel_for_each_colour_and_the_same_bytes(tmp_path):
    both = [list(promoter_figures(points(tau))) for tau in (True, False)]
    titles = [[axes.get_title(loc="left") for axes in view[0].figure.axes[:4]] for view in both]
    assert titles[0] == ["level, log2(1 + TPM)", "tau, specific to tissues", "GC content", "part of the split"]
    assert titles[1][:3] == ["level, log2(1 + TPM)", "GC content", "part of the split"]
    for folder in ("a", "b"):
        write_drawings(promoter_figures(points(True)), tmp_path / folder)
    kept = read_figures(tmp_path / "a")
    assert [figure.name for figure in kept] == ["promoters_pca", "promoters_umap"]
    assert kept == read_figures(tmp_path / "b")
    assert list(promoter_figures(None)) == []
    inputs = replace(inputs_of(tmp_path, points(True), scores(None)), own_figures=kept)
    (shown,) = (block for block in promoter_sections(inputs)[0].blocks if isinstance(block, Figures))
    assert len(shown.items) == 2
