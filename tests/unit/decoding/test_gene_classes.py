"""What the class of a gene is told by: means over regions, on either strand and at the ends of a contig."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.gene_classes import FLANK, NUMBERS, REGIONS, GeneClassifier, numbers_of, region_means

CHANNELS = 6


def made_gene(cds, strand="+", locus="0.900", score=0.8) -> GeneModel:
    first = Transcript("t", cds, cds, attributes={"locus_probability": locus})
    return GeneModel("g", "c", strand, (first,), score=score)


def tables(seed: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    plus, minus = generator.normal(0, 1, (2, length, CHANNELS)).astype(np.float16)
    return plus, minus


def test_regions_are_those_of_the_gene():
    plus, minus = tables(1, 3000)
    found = region_means(made_gene(((1000, 1100), (1300, 1350)), "-"), (plus, minus), 0)
    coding = np.r_[1000:1100, 1300:1350]
    wanted = (minus[coding], minus[1350 : 1350 + FLANK], minus[1000 - FLANK : 1000], plus[coding])
    assert np.allclose(found, [rows.astype(float).mean(axis=0) for rows in wanted])


@given(st.integers(0, 99), st.integers(0, 800), st.integers(0, 800))
def test_the_reverse_complement_has_the_same_means(seed, before, behind):
    cds = ((before, before + 90), (before + 200, before + 260))
    length = cds[-1][1] + behind
    plus, minus = tables(seed, length)
    mirrored = tuple((length - end, length - start) for start, end in reversed(cds))
    found = region_means(made_gene(cds), (plus, minus), 0)
    assert np.allclose(found, region_means(made_gene(mirrored, "-"), (minus[::-1], plus[::-1]), 0))
    assert found.shape == (len(REGIONS), CHANNELS)
    assert (found[1] == 0).all() == (before == 0)
    # What lies further away, and where the first row is, changes nothing.
    first = max(0, before - FLANK)
    assert np.array_equal(found, region_means(made_gene(cds), (plus[first:], minus[first:]), first))


def test_a_classifier_is_kept_as_it_was_and_needs_only_its_projection(tmp_path):
    generator = np.random.default_rng(3)
    weights = generator.normal(0, 1, (len(REGIONS), CHANNELS)).astype(np.float32).T
    facts = {"model": "m", "genes": "9", "elements": "4", "trained_on": "cress"}
    classifier = GeneClassifier(weights, generator.normal(0, 1, NUMBERS), -0.5, facts)
    classifier.save(tmp_path)
    again = GeneClassifier.load(tmp_path, "m")
    gene, (plus, minus) = made_gene(((700, 820), (900, 930))), tables(4, 2000)
    projected = plus @ weights, minus @ weights
    assert again(gene, projected, 0) == classifier(gene, projected, 0)
    odds = (region_means(gene, (plus, minus), 0) * weights.T).sum() + numbers_of(gene) @ classifier.numbers - 0.5
    assert math.isclose(again(gene, projected, 0), 1 / (1 + math.exp(-odds)), rel_tol=1e-3)
    told = [replace(classifier, bias=bias).classified(gene, projected, 0).attributes for bias in (-90.0, 90.0)]
    assert told == [{"gene_class": kind, "class_probability": "1.000"} for kind in ("coding", "element")]
