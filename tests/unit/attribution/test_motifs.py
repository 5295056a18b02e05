"""Files of motifs, what is known of them, what the peaks say; discovery runs in tests/workflow/test_regulatory.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.attribution.attribute import HeadAtSites, Site
from phytoscribe.attribution.comparison import (
    NEIGHBOURS,
    aligned,
    benjamini_hochberg,
    logos,
    verdict,
    write_instances,
)
from phytoscribe.attribution.motifs import Motif, discover_motifs, information, read_meme, write_meme
from phytoscribe.errors import PhytoScribeError, ToolError
from phytoscribe.genome.sequence import encode
from phytoscribe.models.regulatory import RegulatoryConfig, RegulatoryHead
from phytoscribe.reporting.drawing import Drawing, read_figures, write_drawings
from phytoscribe.training.tasks.regulatory.windows import RegulatoryData

JASPAR = Path(__file__).parents[3] / "resources/motifs/jaspar_plants.meme"
CORE = np.eye(4)[[0, 1, 2, 3, 2]] * 0.94 + 0.015


def test_the_collection_that_ships_is_whole():
    known = read_meme(JASPAR)
    assert len(known) == 927
    assert all(np.allclose(motif.profile.sum(axis=1), 1) for motif in known)
    assert (known[0].name, known[0].alias, known[0].seqlets, known[0].consensus) == ("MA0021.1", "Dof3", 21, "AAAGnn")


def test_motifs_survive_their_file(tmp_path):
    motifs = [Motif("A.1", CORE, 120), Motif("B.1", CORE[::-1, ::-1], 40, "some thing")]
    write_meme(tmp_path / "m.meme", motifs)
    again = read_meme(tmp_path / "m.meme")
    assert [(m.name, m.alias, m.seqlets, m.label) for m in again] == [
        ("A.1", "", 120, "A"),
        ("B.1", "some thing", 40, "B"),
    ]
    assert np.allclose(again[1].profile, motifs[1].profile, atol=1e-5)
    write_meme(tmp_path / "none.meme", [])
    assert read_meme(tmp_path / "none.meme", least=0) == []
    with pytest.raises(PhytoScribeError, match=r"none\.meme: no motif in it"):
        read_meme(tmp_path / "none.meme")


@pytest.mark.parametrize(
    "text",
    [
        "MOTIF A\n",
        "MOTIF A\nletter-probability matrix: alength= 4 w= 1\n0.5 0.5 x 0\n",
        "MOTIF A\nletter-probability matrix: alength= 20 w= 1\n0.5 0.5 0 0 0\n",
        "MOTIF A\nletter-probability matrix: alength= 4 w= 1\n0 0 0 0\n",
    ],
)
def test_other_files_are_refused_with_their_line(tmp_path, text):
    (tmp_path / "bad.meme").write_text(f"MEME version 4\n\n{text}")
    with pytest.raises(PhytoScribeError, match=r"bad\.meme, line \d: motif A has no rows of four probabilities"):
        read_meme(tmp_path / "bad.meme")


def test_information_in_bits():
    assert np.allclose(information(np.array([[1.0, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]])), [2, 0, 1])


@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=30))
def test_q_values_are_the_smallest_rate_at_which_a_match_counts(values):
    p = np.array(values)
    q = benjamini_hochberg(p)
    for limit, own in zip(q, p, strict=True):
        rates = [min(1.0, other * p.size / (p <= other).sum()) for other in p if other >= own]
        assert limit == pytest.approx(min(rates))


def test_the_peaks_judge_a_motif():
    assert verdict(0.6, 0.1, 0.02) == "own"
    assert verdict(0.6, 0.4, 0.02) == NEIGHBOURS
    assert verdict(0.3, 0.1, 0.2) == "not enriched at this label's summits"
    assert verdict(0.6, float("nan"), 0.02) == "own"
    assert verdict(float("nan"), 0.1, 0.02) == "no held-out summit of this label"


class OneSiteInEachGenome(HeadAtSites):
    """Windows of A with the motif at another place in each of two genomes, whose contigs have one name."""

    def sites(self, parts):
        return {"A": [Site(number, "Chr1", 1000, 1000) for number in (0, 1)]}

    def pieces(self, sites, flank=0):
        made = np.zeros((len(sites), self.head.config.bin + 2 * self.head.config.margin), np.uint8)
        for row, site in zip(made, sites, strict=True):
            place = self.head.config.margin + 10 * (1 + site.genome)
            row[place : place + 8] = encode("ACGTGGCA")
        return made


def test_instances_of_genomes_with_contigs_of_one_name_are_told_apart(tmp_path):
    head = RegulatoryHead(RegulatoryConfig(("A",), bin=100, context=50, filters=4, motif=9, width=4, hidden=4))
    at = OneSiteInEachGenome(head, RegulatoryData([], ("A",)), ["A"], tmp_path, None)
    motif = Motif("A.1", np.eye(4)[encode("ACGTGGCA")] * 0.94 + 0.015)
    files = [tmp_path / "one.hits.bed", tmp_path / "two.hits.bed"]
    assert write_instances(at, [motif], 10, 1, files) == [1, 1]
    for number, file in enumerate(files):
        start = 1010 + 10 * number
        rows = [line.split("\t") for line in file.read_text().splitlines()]
        assert [(row[:4], row[5]) for row in rows] == [(["Chr1", str(start), str(start + 8), "A.1"], "+")]


def test_a_match_is_drawn_below_its_motif_in_the_same_direction(tmp_path):
    found = np.concatenate([np.full((3, 4), 0.25), CORE, np.full((2, 4), 0.25)])
    placed = aligned(found, CORE[::-1, ::-1])
    assert np.allclose(placed, found)
    motif, known = Motif("A.1", found, 50), Motif("M1", CORE[::-1, ::-1], 9, "ABF")
    row = {"motif": "A.1", "label": "A", "match": "M1", "match_name": "ABF", "q": 0.01, "verdict": "own", "seqlets": 50}
    table = pd.DataFrame([row, {**row, "motif": ""}])
    drawings = [Drawing(name, "motifs", *rest) for name, *rest in logos(table, [motif], [known])]
    assert [(drawing.name, drawing.title) for drawing in drawings] == [("A.1", "A.1: M1 ABF, q 0.01")]
    write_drawings(drawings, tmp_path / "logos")
    kept = read_figures(tmp_path / "logos")
    assert [figure.seen for figure in kept] == ["Logo of nnnACGTGnn; best match: M1 ABF, q 0.01; own."]


def test_too_few_sites_or_no_program_are_said(tmp_path, caplog, monkeypatch):
    arrays = {"A/bases": np.zeros((5, 300), np.uint8), "A/hypothetical": np.zeros((5, 300, 4), np.float16)}
    np.savez(tmp_path / "few.npz", **arrays)
    assert discover_motifs(tmp_path / "few.npz") == []
    assert "A: no motif found: 5 sites of the 100 needed" in caplog.text
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"modisco is not on PATH.*pip install modisco-lite"):
        discover_motifs(tmp_path / "few.npz")
