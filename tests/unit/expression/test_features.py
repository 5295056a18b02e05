"""Features of simple models against counts by hand, and what these models find."""

import itertools

import numpy as np
import pytest

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.expression.baselines import PENALTIES, boosted_trees, chosen_ridge, family_means
from phytoscribe.expression.examples import level_and_deviation, log_levels
from phytoscribe.expression.features import gc_of, has_both_utrs, kmer_roots, structure_numbers
from phytoscribe.genome.sequence import decode, encode


def test_kmers_are_counted_by_region_and_not_across_n():
    generator = np.random.default_rng(3)
    windows = generator.integers(0, 5, size=(3, 2, 40)).astype(np.uint8)
    found = kmer_roots(windows, regions=4, longest=2)
    assert found.shape == (3, 2 * 4 * (4 + 16))
    for gene, piece, region in itertools.product(range(3), range(2), range(4)):
        text = decode(windows[gene, piece])
        starts = range(region * 10, region * 10 + 10)
        for number, base in enumerate("ACGT"):
            wanted = sum(text[at] == base for at in starts)
            assert found[gene, (piece * 4 + region) * 4 + number] == np.float32(np.sqrt(wanted))
        for number, pair in enumerate(itertools.product("ACGT", repeat=2)):
            wanted = sum(text[at : at + 2] == "".join(pair) for at in starts)
            assert found[gene, 32 + (piece * 4 + region) * 16 + number] == np.float32(np.sqrt(wanted))


def test_gc_and_structure_by_hand():
    windows = np.stack([encode("GGAANNNNNC"), encode("AAAAAATTGC")])[None]
    np.testing.assert_allclose(gc_of(windows, 4), [[0.5, 1.0, 0.0, 0.5]])
    np.testing.assert_allclose(gc_of(windows[:, :1, :4], 4), [[0.5]])
    coding = Transcript("t", ((10, 30), (50, 90)), ((20, 30), (50, 70)))
    gene = GeneModel("g", "c", "-", (Transcript("u", ((0, 95),)), coding))
    numbers = structure_numbers([gene], gc_of(windows, 4))
    np.testing.assert_allclose(np.expm1(numbers[0, :6]), [2, 30, 20, 10, 20, 95], rtol=1e-6)
    assert has_both_utrs(gene)
    assert not has_both_utrs(GeneModel("g", "c", "+", (Transcript("t", ((10, 30),), ((10, 20),)),)))


def test_level_and_deviation_without_what_was_not_measured():
    log = log_levels(np.array([[0.0, 3.0, np.nan], [1.0, 1.0, 7.0]]))
    level, deviation = level_and_deviation(log)
    np.testing.assert_allclose(level, [1.0, 5 / 3])
    np.testing.assert_allclose(deviation[0], [-1, 1, np.nan])
    np.testing.assert_allclose(np.nansum(deviation, axis=1), 0, atol=1e-12)


@pytest.fixture
def tissues():
    """Features of 400 genes, levels of three tissues, of which the last was measured in every second gene."""
    generator = np.random.default_rng(1)
    features = generator.normal(size=(400, 4)).astype(np.float32)
    log = 3 + features[:, :1] + np.outer(features[:, 1], [1, 0, -1]) + 0.1 * generator.normal(size=(400, 3))
    log[::2, 2] = np.nan
    return features, log, features[:, :1] + 3 + np.outer(features[:, 1], [1, 0, -1])


def test_ridge_and_trees_find_level_and_contrast(tissues):
    features, log, clean = tissues
    model, penalty = chosen_ridge((features[:300], log[:300]), (features[300:], log[300:]))
    assert penalty == min(PENALTIES)
    np.testing.assert_allclose(model(features[300:]), clean[300:], atol=0.2)
    trees = boosted_trees(features[:300], log[:300], 1)(features[300:])
    for column in range(3):
        assert np.corrcoef(trees[:, column], clean[300:, column])[0, 1] > 0.75
    assert np.corrcoef(trees[:, 0] - trees[:, 2], features[300:, 1])[0, 1] > 0.9
    np.testing.assert_array_equal(trees, boosted_trees(features[:300], log[:300], 1)(features[300:]))


def test_family_means_know_paralogues_alone():
    log = np.array([[1.0, np.nan], [3.0, np.nan], [8.0, 2.0]])
    found = family_means(log, [5.0, 5.0, np.nan], [5.0, 9.0, np.nan])
    np.testing.assert_allclose(found, [[2, 2], [4, 2], [4, 2]])
