"""Scores of RNA genes by type: half of both on the same strand, and the same product."""

from __future__ import annotations

import math

import pytest

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.rna_genes import product_of, score_noncoding, type_of
from phytoscribe.noncoding.pieces import Rna


def gene(start, end, product="", kind="tRNA", strand="+", contig="c"):
    attributes = {"product": product} if product else {}
    return Rna(contig, start, end, strand, kind, attributes=attributes).gene(f"{kind}{start}{strand}", "x")


def scores(predicted, reference, tools=None):
    table = score_noncoding(predicted, reference, {"c"}, {"tRNA": "ARAGORN"} if tools is None else tools)
    return {(r["level"], r["ruler"], r["metric"]): (r["value"], r["n"]) for r in table.to_dict("records")}


def test_half_of_both_on_the_same_strand():
    reference = [gene(100, 200, "tRNA-Tyr"), gene(300, 400, "tRNA-Gln"), gene(500, 600, "tRNA-Gln")]
    predicted = [
        gene(150, 250, "tRNA-Tyr"),  # half of both
        gene(349, 449, "tRNA-Gln"),
        gene(351, 451, "tRNA-Gln"),  # less than half
        gene(500, 600, "tRNA-Gln", strand="-"),
        gene(100, 200, "tRNA-Tyr", contig="elsewhere"),
    ]
    found = scores(predicted, reference)
    assert found["tRNA", "place", "precision"] == (0.5, 4)
    assert found["tRNA", "place", "recall"] == (pytest.approx(2 / 3), 3)
    assert found["tRNA", "place", "f1"] == (pytest.approx(4 / 7), 3)


def test_the_product_counts_where_the_reference_tells_it():
    reference = [gene(0, 90, "tRNA-Met"), gene(100, 190, "tRNA-Gln (anticodon: CTG)"), gene(200, 290)]
    predicted = [gene(0, 90, "tRNA-Sec"), gene(100, 190, "tRNA-Gln"), gene(200, 290, "tRNA-Ala")]
    found = scores(predicted, reference)
    assert found["tRNA", "place", "precision"] == (1, 3)
    assert found["tRNA", "product", "precision"] == (0.5, 2)
    assert found["tRNA", "product", "recall"] == (0.5, 2)


def test_without_products_of_its_own_a_program_is_judged_by_place_alone():
    found = scores([gene(0, 90)], [gene(0, 90, "tRNA-Met")])
    assert {key[1] for key in found} == {"place"}


def test_only_types_of_the_reference_that_were_searched():
    coding = GeneModel("g", "c", "+", (Transcript("g.t1", ((0, 90),), ((0, 90),)),))
    micro = GeneModel("m", "c", "+", (Transcript("m.t1", ((0, 90),), type="primary_transcript"),), biotype="miRNA")
    reference = [coding, micro, gene(200, 290, kind="lnc_RNA"), gene(300, 390, "18S ribosomal RNA", "rRNA")]
    predicted = [gene(0, 80, kind="pre_miRNA"), gene(500, 590, "tRNA-Ala")]
    found = scores(predicted, reference, {"ncRNA": "Infernal", "tRNA": "ARAGORN"})
    assert {key[:2] for key in found} == {("pre_miRNA", "place")}, "no rRNA program, no tRNA in the reference"
    assert found["pre_miRNA", "place", "recall"] == (1, 1)
    missed = scores([], reference, {"rRNA": "pybarrnap"})
    assert missed["rRNA", "product", "recall"] == (0, 1)
    assert math.isnan(missed["rRNA", "place", "precision"][0])
    assert scores(predicted, [coding]) == {}


@pytest.mark.parametrize(
    ("kind", "attributes", "product"),
    [
        ("tRNA", {"product": "tRNA-Gln"}, "Gln"),
        ("tRNA", {"Note": "pre-tRNA-tRNA-Tyr (anticodon: GTA)"}, "Tyr"),
        ("tRNA", {"Name": "tRNA-iMet", "product": "transfer RNA"}, "Met"),
        ("rRNA", {"product": "18S ribosomal RNA"}, "18"),
        ("rRNA", {"product": "5.8S ribosomal RNA"}, "5.8"),
        ("rRNA", {"Name": "5_8S_rRNA"}, "5.8"),
        ("rRNA", {"product": "25S ribosomal RNA"}, "28"),
        ("rRNA", {"product": "26S rRNA"}, "28"),
        ("snoRNA", {"product": "small nucleolar RNA 18S"}, ""),
        ("tRNA", {}, ""),
    ],
)
def test_products(kind, attributes, product):
    assert product_of(kind, attributes) == product


def test_types():
    assert type_of("primary_transcript", "lncRNA") == "" == type_of("mRNA", "") == type_of("transcript", "")
    assert type_of("miRNA", "") == type_of("pre_miRNA", "") == "pre_miRNA"
    assert type_of("snoRNA", "") == "snoRNA"
