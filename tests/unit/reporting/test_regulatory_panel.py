"""The report's section on the regulatory head: scores beside a guess, motifs beside known ones, what not to trust."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from phytoscribe.reporting.blocks import Figures, Items, Paragraph, Table
from phytoscribe.reporting.drawing import Drawing, read_figures, write_drawings
from phytoscribe.reporting.inputs import GenomeInfo, read_inputs
from phytoscribe.reporting.page import render
from phytoscribe.reporting.process_figures import MOST_LABELS, label_figures
from phytoscribe.reporting.process_sections import process_sections

COLUMNS = ("model", "label", "subset", "measure", "value", "low", "high", "n", "base_rate")
HEAD = "head, encoder none"


def scores(labels: int) -> pd.DataFrame:
    rows = [("guess", "mean", "test", "auprc", 0.02, None, None, 900, 0.02)]
    for model, best in (("6-mer ridge", 0.3), (HEAD, 0.5)):
        rows.append((model, "mean", "test", "auprc", best, best - 0.1, best + 0.1, 900, 0.02))
        rows += [(model, f"L{n}", "test", "auprc", best - n / 200, None, None, 900, 0.02) for n in range(labels)]
        rows.append((model, "rare", "test", "auprc", None, None, None, 900, 0.0))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_labels_are_drawn_against_their_base_rate():
    (few,) = label_figures(scores(3))
    assert few.title == "AUPRC of each label"
    assert set(few.data["label"]) == {"L0", "L1", "L2"}
    assert few.figure.axes[0].get_legend_handles_labels()[1] == ["base rate (a guess)", "6-mer ridge", HEAD]
    (many,) = label_figures(scores(60))
    assert many.title == f"AUPRC of each label, the {MOST_LABELS} best of 60"
    names = [text.get_text() for text in many.figure.axes[0].get_yticklabels()]
    assert (len(names), names[-1]) == (MOST_LABELS, "L0")
    assert list(label_figures(scores(0))) == []


def test_the_section_names_motifs_and_what_not_to_trust(tmp_path):
    measures = ("completeness_gap", "share_explained", "mutagenesis_spearman", "gradcam_spearman", "reliable")
    told = {"A": (0.01, 1.0, 0.7, 0.3, 1), "B": (0.02, 0.4, 0.2, 0.1, 0)}
    trust = [
        (HEAD, label, "test", measure, value, value - 0.1, value + 0.1, 50, None)
        for label, values in told.items()
        for measure, value in zip(measures, values, strict=True)
    ]
    pd.DataFrame(trust, columns=list(COLUMNS)).to_csv(tmp_path / "attribution.tsv", sep="\t", index=False)
    scores(2).to_csv(tmp_path / "regulatory.tsv", sep="\t", index=False)
    motifs = pd.DataFrame(
        [
            ("A.1", "A", 500, "nACGTGn", "M1", "ABF4", 1e-6, 1e-4, 0.6, 0.1, 0.02, "own", "CACGTGTC"),
            ("B.1", "B", 90, "TTGACn", "none", "", None, None, 0.2, 0.2, 0.02, "belongs to neighbouring factors", ""),
        ],
        columns=[
            *("motif", "label", "seqlets", "consensus", "match", "match_name", "p", "q"),
            *("own_summits", "other_summits", "random", "verdict", "enriched_word"),
        ],
    )
    motifs.to_csv(tmp_path / "motifs.tsv", sep="\t", index=False, float_format="%.4g")
    drawings = [Drawing(name, "motifs", f"{name}: a match", "A logo.", Figure(), motifs) for name in ("A.1", "B.1")]
    write_drawings(drawings, tmp_path / "logos")
    files = {name: str(tmp_path / f"{name}.tsv") for name in ("regulatory", "attribution", "motifs")}
    inputs = read_inputs({**files, "logos": str(tmp_path / "logos")}, [GenomeInfo("g", "train")], {})
    section = process_sections(inputs)[0]
    assert (section.name, section.title) == ("regulatory", "Binding sites and open chromatin")
    texts = [block.text for block in section.blocks if isinstance(block, Paragraph)]
    assert f"guess 0.020; 6-mer ridge 0.300 (95 % 0.200 to 0.400); {HEAD} 0.500" in texts[0]
    warned = [block for block in section.blocks if isinstance(block, Items)]
    assert warned[0].title == "1 of 2 labels"
    assert "Attributions of B are not reliable" in warned[0].items[0]
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert [row[:2] for row in tables[0].rows] == [("A", "yes"), ("B", "no")]
    assert tables[1].rows[0][1:4] == ("ABF4", "own", "0.0001")
    assert tables[2].rows[0][1:3] == ("none", "belongs to neighbouring factors")
    shown = [block for block in section.blocks if isinstance(block, Figures)]
    assert shown[0].items == [(read_figures(tmp_path / "logos")[0].uri, "A logo.", "A.1: a match")]
    # The warning stands over the logos of its label, and nowhere else.
    places = [n for n, block in enumerate(section.blocks) if block in (warned[1], *shown)]
    assert [section.blocks[n] for n in places] == [shown[0], warned[1], shown[1]]
    assert "belongs to neighbouring factors" in render(["g"], [section])


def test_filters_are_counted_and_few_are_shown(tmp_path):
    rows = [
        ("filter_001", 300, "CACGTG", "M1", "ABF4", 1e-6, 1e-4, 2.5, "A,B"),
        ("filter_002", 40, "TTGACn", "none", "", None, None, 1.5, "B"),
        ("filter_003", 3, "", "too few places", "", None, None, 0.0, ""),
    ]
    columns = ("filter", "places", "consensus", "match", "match_name", "p", "q", "weight", "labels")
    table = pd.DataFrame(rows, columns=list(columns))
    table.to_csv(tmp_path / "filters.tsv", sep="\t", index=False)
    drawings = [Drawing("filter_001", "filters", "filter_001: M1 ABF4", "A logo.", Figure(), table)]
    write_drawings(drawings, tmp_path / "filters")
    files = {"filters": str(tmp_path / "filters.tsv"), "filter_logos": str(tmp_path / "filters")}
    section = process_sections(read_inputs(files, [GenomeInfo("g", "train")], {}))[0]
    assert section.name == "regulatory"
    (told,) = (block.text for block in section.blocks if isinstance(block, Paragraph))
    assert "3 filters. 2 of them match often enough to make a motif, and 1 of these match a known one" in told
    assert "Those that weigh most by themselves stand here" in told
    (shown,) = (block for block in section.blocks if isinstance(block, Figures))
    assert [item[1:] for item in shown.items] == [("A logo.", "filter_001: M1 ABF4")]


def test_without_a_head_there_is_no_section():
    names = [section.name for section in process_sections(read_inputs({}, [GenomeInfo("g", "predict")], {}))]
    assert "regulatory" not in names
