"""Which numbers of genes are too few, and which agreement with a reference is too little."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.evaluation.misfit import (
    ENOUGH_FOR_A_GENE,
    Agreement,
    Amount,
    agreement,
    are_few,
    few_genes,
    least_density,
    unlike_reference,
)
from phytoscribe.tables import ScoreRow, score_table

MB = 10**6


def amount(bases: int, genome: int | None = None, gaps: int = 0) -> Amount:
    return Amount(bases, gaps, genome or bases)


#: Genes, and where: numbers of published annotations, or of what the released model finds (R).
ENOUGH = [
    ("Arabidopsis thaliana", 27_655, amount(119 * MB)),
    ("300 kb of it (R)", 88, amount(300_000)),
    ("300 kb of its centromere (R)", 5, amount(300_000)),
    ("300 kb of rapeseed (R)", 51, amount(300_000)),
    ("castor bean (R)", 52, amount(413_383)),
    ("300 kb of rice (R)", 41, amount(300_000)),
    ("maize", 39_000, amount(2_180 * MB)),
    ("maize chromosome 10 alone", 2_700, amount(150 * MB)),
    ("pea", 44_000, amount(3_920 * MB)),
    ("barley", 35_000, amount(4_220 * MB)),
    ("wheat", 107_000, amount(14_500 * MB)),
    ("a wheat chromosome", 5_300, amount(774 * MB)),
    ("the sparse middle of it, of a whole wheat genome", 25, amount(20 * MB, 14_500 * MB)),
    ("rye", 34_000, amount(7_900 * MB)),
    ("loblolly pine", 34_000, amount(22_000 * MB)),
    ("sugar pine", 33_000, amount(31_000 * MB)),
    ("mistletoe", 39_000, amount(94_000 * MB)),
    ("maize, masked with N", 39_000, amount(2_180 * MB, gaps=1_700 * MB)),
    ("a contig shorter than a gene is apart", 0, amount(ENOUGH_FOR_A_GENE)),
    ("only N", 0, amount(8 * MB, gaps=8 * MB)),
    ("nothing", 0, amount(0, 1)),
]
TOO_FEW = [
    ("300 kb of Volvox (R)", 0, amount(300_000)),
    ("1 Mb of Volvox (R)", 0, amount(1_029_419)),
    ("12 genes on 8 Mb", 12, amount(8 * MB)),
    ("just over the least", 0, amount(ENOUGH_FOR_A_GENE + 1)),
    ("half of it N", 0, amount(200_000, gaps=120_000)),
    ("shuffled bases (R)", 1, amount(300_000)),
    ("an alga of 140 Mb", 500, amount(140 * MB)),
    ("a genome of 1 Gb", 900, amount(1_000 * MB)),
    ("a genome of wheat's size", 4_000, amount(14_500 * MB)),
    ("no gene on a part of a conifer", 0, amount(2 * MB, 22_000 * MB)),
    ("no gene on a conifer", 0, amount(22_000 * MB)),
]


@pytest.mark.parametrize(("genes", "where"), [case[1:] for case in ENOUGH], ids=[case[0] for case in ENOUGH])
def test_sparse_genomes_and_pieces_are_left_alone(genes, where):
    assert few_genes(genes, where) == ""


@pytest.mark.parametrize(("genes", "where"), [case[1:] for case in TOO_FEW], ids=[case[0] for case in TOO_FEW])
def test_hardly_any_genes_are_told_with_causes_and_advice(genes, where):
    text = few_genes(genes, where)
    for part in (
        "far from this species",
        "masked with N",
        "not a plant",
        "fine-tune",
        "finetune.from_model",
        "predict.model",
    ):
        assert part in text
    assert "\n" not in text, "it is a line of the GFF3"


def test_the_share_of_gaps_is_told_where_there_is_one():
    assert "(60% of the sequence is N)" in few_genes(0, amount(1_000_000, gaps=600_000))
    assert "of the sequence is N" not in few_genes(0, amount(1_000_000))
    assert few_genes(0, amount(300_000)).startswith("not one gene on 0.30 Mb of known bases, where")
    assert few_genes(12, amount(8 * MB)).startswith("hardly any genes: 12 on 8.00 Mb")


@given(st.integers(0, 10**6), st.integers(0, 10**11), st.integers(1, 10**11), st.floats(0, 1))
def test_more_genes_are_never_fewer_and_larger_genomes_may_be_sparser(genes, bases, genome, gaps):
    where = amount(bases, max(bases, genome), int(gaps * bases))
    assert are_few(genes + 1, where) <= are_few(genes, where)
    assert least_density(2 * genome) <= least_density(genome)
    assert not (are_few(genes, where) and not are_few(genes, where._replace(gap_bases=0))), "N are no reason to warn"


def scores(genes: int, loci: int, f1: float, suffix: str = "") -> list[ScoreRow]:
    values = {f"precision{suffix}": (0.5, genes), "recall": (0.5, loci), f"f1{suffix}": (f1, loci)}
    return [
        (predictor, "locus", "exact", "all", metric, value if predictor == "phytoscribe" else 0.9, n)
        for predictor in ("augustus", "phytoscribe")
        for metric, (value, n) in values.items()
    ]


@pytest.mark.parametrize("suffix", ["", "_near_loci"])
def test_a_score_table_gives_what_the_verdict_needs(suffix):
    assert agreement(score_table(scores(31, 30, 0.25, suffix))) == (31, 30, 0.25)
    assert agreement(score_table(scores(31, 30, 0.25, suffix)[:3]))[:2] == (0, 0), "another predictor's rows only"


@pytest.mark.parametrize(
    ("genes", "loci", "f1", "text"),
    [
        (0, 30, math.nan, "0 genes were predicted where the reference has 30"),
        (9, 30, 0.3, "9 genes were predicted where the reference has 30"),
        (30, 30, 0.05, "locus F1 is 0.050 over 30 reference loci"),
        (30, 30, 0.0, "locus F1 is 0.000"),
        (10, 30, 0.2, ""),
        (30, 30, 0.1, ""),
        (0, 9, math.nan, ""),
        (0, 0, math.nan, ""),
        (500, 100, 0.3, ""),
    ],
)
def test_little_agreement_with_a_reference_is_told(genes, loci, f1, text):
    found = unlike_reference(*Agreement(genes, loci, f1))
    assert text in found
    assert bool(text) == bool(found)
    assert not found or ("fine-tune" in found and "another assembly" in found)
