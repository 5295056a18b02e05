"""The report's section on expression: what structure alone reaches, deviations by tissue, what a head leaves out."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from phytoscribe.evaluation.regression import bootstrap_weights, measures
from phytoscribe.reporting.blocks import Items, Paragraph, Table
from phytoscribe.reporting.expression_panel import deviation_correlations, expression_figures, held_out
from phytoscribe.reporting.inputs import GenomeInfo, read_inputs
from phytoscribe.reporting.page import render
from phytoscribe.reporting.process_sections import process_sections

TISSUES = ["leaf", "root", "bud"]
GENES = 120


@pytest.fixture
def files(tmp_path):
    """Levels of which the head tells the gene's mean and the deviation in root; in leaf and bud it tells nothing."""
    generator = np.random.default_rng(3)
    level, apart = generator.normal(4, 1, GENES), generator.normal(0, 1, (GENES, 3))
    truth = np.maximum(level[:, None] + apart - apart.mean(axis=1, keepdims=True), 0)
    told = np.maximum(
        level[:, None] + np.outer(apart[:, 1], [-0.4, 0.8, -0.4]) + generator.normal(0, 0.3, (GENES, 3)), 0
    )
    names = [f"g{n}" for n in range(GENES)]
    known = pd.DataFrame(np.exp2(truth) - 1, columns=TISSUES).assign(gene=names)[["gene", *TISSUES]]
    known.loc[3, "root"] = np.nan
    known.to_csv(tmp_path / "cress.measured.tsv", sep="\t", index=False)
    rows = pd.DataFrame(
        {"gene": names, "part": ["test"] * 100 + ["train"] * 20, "reason": [""] * 99 + ["beyond_contig"] + [""] * 20}
    )
    levels = pd.DataFrame(np.exp2(told) - 1, columns=TISSUES)
    levels.loc[99] = np.nan
    (tmp_path / "cress.tsv").write_text(
        "# genes: cress.gff3\n" + pd.concat([rows, levels], axis=1).to_csv(sep="\t", index=False)
    )
    note = "no plant of lineage Poales was trained on; take the values as ranks"
    (tmp_path / "rice.tsv").write_text(
        f"# genes: rice.gff3\n# note: {note}\ngene\tpart\treason\tlevel\nNA\tunseen\t\t3.5\n"
    )
    weights = bootstrap_weights(names[:99], 1, draws=20)
    subsets = {"all": np.ones(99, dtype=bool), "both_utrs": np.arange(99) < 40}
    models = {"head": told, "structure": level[:, None] + np.zeros(3), "mean": np.full((GENES, 3), 4.0)}
    scores = [measures(name, truth[:99], x[:99], TISSUES, subsets, weights) for name, x in models.items()]
    pd.concat(scores).to_csv(tmp_path / "expression.tsv", sep="\t", index=False)
    return {
        "levels": [str(tmp_path / "cress.tsv"), str(tmp_path / "rice.tsv")],
        "measured": [str(tmp_path / "cress.measured.tsv")],
        "expression": str(tmp_path / "expression.tsv"),
    }


def section_of(files):
    inputs = read_inputs(files, [GenomeInfo("cress", "train"), GenomeInfo("rice", "predict")], {})
    return inputs, next(section for section in process_sections(inputs) if section.name == "expression")


def test_scores_stand_beside_what_structure_alone_reaches(files):
    inputs, section = section_of(files)
    rows = inputs.expression.set_index(["model", "label", "subset", "measure"])["value"]
    text = next(block.text for block in section.blocks if isinstance(block, Paragraph))
    assert f"reaches an R2 of {rows['structure', 'mean', 'all', 'r2']:.2f} on the test genes, where the head" in text
    assert text.endswith("and this head has nothing above it."), "structure is the truth here"
    level, deviation, predicted = (block for block in section.blocks if isinstance(block, Table))
    assert [row[0] for row in level.rows] == ["head", "gene structure alone", "mean of training"]
    assert level.columns == ("model", *("all", "both UTRs") * 3)
    assert level.rows[0][3] == f"{rows['head', 'mean', 'all', 'pearson']:.3f}"
    assert level.caption.endswith("test genes: all 99, both UTRs 40")
    own = [rows["head", tissue, "all", "deviation_spearman"] for tissue in TISSUES]
    assert deviation.rows[0][5] == f"{np.mean(own):.3f}"
    assert (1, 1) in level.strong, "the best is bold"
    assert [row[0] for row in section.details[0].rows] == TISSUES
    assert predicted.rows[0] == ("cress", "119", "1", "0", "cress.gff3")
    assert "no homologue" not in render(["cress"], [section])


def test_deviations_of_a_tissue_are_compared_with_those_of_all(files):
    inputs, _ = section_of(files)
    genes = held_out(inputs)
    assert (genes.tissues, genes.measured.shape) == (TISSUES, (99, 3))
    found = deviation_correlations(genes)
    assert found[1, 1] > 0.7 > 0.5 > abs(found[0, 0])
    assert found[1, 0] < 0
    drawings = list(expression_figures(inputs))
    assert [drawing.name for drawing in drawings] == [
        *(f"expression_levels_{n}" for n in (1, 2, 3)),
        "expression_deviations",
    ]
    assert drawings[1].title.startswith("root: predicted against measured, 98 test genes"), (
        "one is not measured in root"
    )
    assert drawings[3].data.loc[1, "root"] == found[1, 1]


def test_two_tissues_have_one_difference(files, tmp_path):
    """Their deviations from the mean are one number with two signs."""
    for path in (tmp_path / "cress.measured.tsv", tmp_path / "cress.tsv"):
        lines = path.read_text().splitlines()
        path.write_text("".join(f"{line if line[0] == '#' else line.rpartition(chr(9))[0]}\n" for line in lines))
    inputs, _ = section_of(files)
    genes = held_out(inputs)
    assert genes.tissues == TISSUES[:2]
    drawings = list(expression_figures(inputs))
    assert [drawing.name for drawing in drawings][2:] == ["expression_difference"]
    assert drawings[2].title.startswith("leaf minus root: predicted against measured, 98 test genes")
    known = genes.measured[np.isfinite(genes.measured).all(axis=1)]
    np.testing.assert_allclose(drawings[2].data["measured"], known[:, 0] - known[:, 1])


def test_importance_is_shown_with_what_contradicts_it(files, tmp_path):
    measures = {"completeness_gap": 0.01, "share_explained": 0.4, "mutagenesis_spearman": 0.31, "reliable": 0}
    trust = [("expression", "mean", "test", name, x, x - 0.1, x + 0.1, 20, None) for name, x in measures.items()]
    columns = ["model", "label", "subset", "measure", "value", "low", "high", "n", "base_rate"]
    pd.DataFrame(trust, columns=columns).to_csv(tmp_path / "trust.tsv", sep="\t", index=False)
    rows = [
        (model, end, distance, 0.3 if (model, end, distance) == ("head", "TSS", -60) else 0.1, 0.05, 0.4, 20)
        for model in ("head", "window_kmers")
        for end in ("TSS", "TTS")
        for distance in range(-300, 180, 6)
    ]
    profile = pd.DataFrame(rows, columns=["model", "end", "distance", "value", "low", "high", "n"])
    profile.to_csv(tmp_path / "profile.tsv", sep="\t", index=False)
    explained = {
        "expression_attribution": str(tmp_path / "trust.tsv"),
        "expression_profile": str(tmp_path / "profile.tsv"),
    }
    inputs, section = section_of({**files, **explained})
    told = [block.text for block in section.blocks if isinstance(block, Paragraph)]
    assert any("is 0.31 (quartiles 0.21 to 0.41)" in text and "motifs alone make 0.40" in text for text in told)
    warned = [block.title for block in section.blocks if isinstance(block, Items)]
    assert warned[0] == "The importance of bases is not reliable"
    drawings = [drawing for drawing in expression_figures(inputs) if "profile" in drawing.name]
    assert [drawing.name for drawing in drawings] == ["expression_profile_TSS", "expression_profile_TTS"]
    assert re.search(r"most near -(4|5|6|7|8)\d bases", drawings[0].seen), drawings[0].seen
    assert drawings[0].figure.axes[0].get_legend_handles_labels()[1] == ["head", "k-mers of the window"]


def test_a_released_head_says_what_it_left_out_and_how_far_to_trust_it(files):
    inputs, section = section_of({"levels": files["levels"]})
    assert list(expression_figures(inputs)) == []
    assert "trained elsewhere" in section.blocks[0].text
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    assert table.rows[1][:2] == ("rice", "1")
    (warned,) = (block for block in section.blocks if isinstance(block, Items))
    assert warned.items == ["rice: no plant of lineage Poales was trained on; take the values as ranks."]
    _, section = section_of({"levels": files["levels"], "measured": files["measured"]})
    assert "held out for the test" in section.blocks[0].text
    assert all(section.name != "expression" for section in process_sections(read_inputs({}, [], {})))
