"""BLAST support: choice of the best target, tiers, and real BLAST on engineered sequences."""

import random

import pytest

from phytoscribe.errors import ToolError
from phytoscribe.evaluation.blast_support import BestHit, best_hits, choose_best, support_rows


def hsp(query, target, identical, length, start, end, bits, strand="plus"):
    return f"{query}\t{target}\t{identical}\t{length}\t{start}\t{end}\t{bits}\t{strand}\n"


def test_hsps_of_one_target_are_merged():
    lines = [hsp("q", "t", 48, 50, 1, 50, 90), hsp("q", "t", 20, 20, 41, 60, 40), hsp("q", "t", 30, 30, 71, 100, 50)]
    assert choose_best(lines, {"q": 100}) == {"q": BestHit("t", 98 / 100, 90 / 100)}


def test_highest_sum_of_bits_wins_and_strands_stay_apart():
    lines = [
        hsp("q", "one", 60, 60, 1, 60, 110),
        hsp("q", "two", 50, 50, 1, 50, 90),
        hsp("q", "two", 40, 40, 61, 100, 70),
        hsp("q", "three", 60, 60, 1, 60, 105),
        hsp("q", "three", 40, 40, 61, 100, 70, "minus"),
    ]
    assert choose_best(lines, {"q": 100})["q"].target == "two"


def test_tiers_need_identity_and_coverage():
    hits = {"a": BestHit("t", 0.96, 0.995), "b": BestHit("t", 0.995, 0.92)}
    rows = {row[4]: (row[5], row[6]) for row in support_rows("p", "transcript", {"all": ["a", "b", "c", "d"]}, hits)}
    assert rows["hit"] == (0.5, 4)
    assert rows["identity_0.90_coverage_0.90"] == (0.5, 4)
    assert rows["identity_0.95_coverage_0.95"] == (0.25, 4)
    assert rows["identity_0.99_coverage_0.90"] == (0.25, 4)
    assert rows["identity_0.99_coverage_0.99"] == (0, 4)


def test_real_blast_finds_the_true_origin():
    rng = random.Random(1)
    targets = {f"t|{i}": "".join(rng.choices("ACGT", k=900)) for i in range(4)}
    queries = {"whole": targets["t|1"], "half": targets["t|2"][:450] + "".join(rng.choices("ACGT", k=450))}
    queries["worn"] = "".join(
        "ACGT"["ACGT".index(b) - 1] if i % 100 in (1, 5, 9, 13, 17) else b for i, b in enumerate(targets["t|3"])
    )
    queries["none"] = "".join(rng.choices("ACGT", k=900))
    found = best_hits(queries, targets, threads=1)
    assert found["whole"] == BestHit("t|1", 1.0, 1.0)
    assert found["half"].target == "t|2"
    assert found["half"].coverage == pytest.approx(0.5, abs=0.02)
    assert found["worn"].target == "t|3"
    assert found["worn"].identity == pytest.approx(0.95, abs=0.01)
    assert "none" not in found
    assert best_hits(queries, {}, threads=1) == {}


def test_a_missing_program_says_how_to_install_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match=r"blastn is not on PATH.*ncbi-blast"):
        best_hits({"q": "ACGT"}, {"t": "ACGT"}, threads=1)
