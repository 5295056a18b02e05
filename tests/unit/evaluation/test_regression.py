"""Measures of predicted expression against scipy and by hand, and their intervals."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, pearsonr, spearmanr

from phytoscribe.evaluation.regression import (
    HighLow,
    area,
    bootstrap_weights,
    correlation,
    measures,
    r_squared,
)


@pytest.fixture
def tissues():
    """Truth of 200 genes in three tissues, one cell in ten not measured, and a noisy prediction."""
    generator = np.random.default_rng(2)
    truth = generator.normal(5, 2, size=(200, 1)) + generator.normal(size=(200, 3))
    predicted = truth + generator.normal(0, 1, size=truth.shape)
    truth[generator.random(truth.shape) < 0.1] = np.nan
    return truth, predicted


def test_values_are_those_of_scipy(tissues):
    truth, predicted = tissues
    weights = bootstrap_weights(range(200), 1, 50)
    table = measures("m", truth, predicted, ["a", "b", "c"], {"all": np.ones(200, bool)}, weights)
    values = table.set_index(["label", "measure"])["value"]
    there = np.isfinite(truth[:, 1])
    left, right = truth[there, 1], predicted[there, 1]
    assert values["b", "pearson"] == pytest.approx(pearsonr(left, right)[0])
    assert values["b", "spearman"] == pytest.approx(spearmanr(left, right)[0])
    assert values["b", "r2"] == pytest.approx(1 - ((left - right) ** 2).sum() / ((left - left.mean()) ** 2).sum())
    seen = np.where(np.isfinite(truth), predicted, np.nan)
    deviations = (x[:, 1] - np.nanmean(x, axis=1) for x in (truth, seen))
    assert values["b", "deviation_pearson"] == pytest.approx(pearsonr(*(x[there] for x in deviations))[0])
    both = np.isfinite(truth[:, [0, 2]]).all(axis=1)
    signs = np.sign(truth[both, 0] - truth[both, 2]) == np.sign(predicted[both, 0] - predicted[both, 2])
    assert values["a-c", "sign_accuracy"] == pytest.approx(signs.mean())
    assert (table["low"] <= table["value"]).mean() > 0.95
    assert (table["value"] <= table["high"]).mean() > 0.95


def test_area_with_ties_and_weights():
    generator = np.random.default_rng(4)
    scores, positive = generator.integers(0, 8, 60).astype(float), generator.random(60) < 0.4
    counts = generator.integers(0, 3, 60)
    found = area(scores, positive, np.stack([np.ones(60), counts]))
    expected = mannwhitneyu(scores[positive], scores[~positive]).statistic / positive.sum() / (~positive).sum()
    assert found[0] == pytest.approx(expected)
    again, classes = np.repeat(scores, counts), np.repeat(positive, counts)
    expected = mannwhitneyu(again[classes], again[~classes]).statistic / classes.sum() / (~classes).sum()
    assert found[1] == pytest.approx(expected)


def test_weighted_draws_are_samples_with_repeats():
    generator = np.random.default_rng(5)
    truth, predicted, counts = generator.normal(size=40), generator.normal(size=40), generator.integers(0, 4, 40)
    weights = counts[None].astype(float)
    left, right = np.repeat(truth, counts), np.repeat(predicted, counts)
    assert correlation(truth, predicted, weights)[0] == pytest.approx(pearsonr(left, right)[0])
    expected = 1 - ((left - right) ** 2).sum() / ((left - left.mean()) ** 2).sum()
    assert r_squared(truth, predicted, weights)[0] == pytest.approx(expected)
    assert correlation(np.ones(40), predicted, weights)[0] == 0


def test_homologues_are_drawn_together():
    weights = bootstrap_weights([7, 7, float("nan"), 3, None], 1, 300)
    assert (weights[0] == 1).all()
    assert (weights[:, 0] == weights[:, 1]).all()
    assert not (weights[:, 2] == weights[:, 4]).all()
    assert (weights[1:, [0, 2, 3, 4]].sum(axis=1) == 4).all()
    np.testing.assert_array_equal(weights, bootstrap_weights([7, 7, float("nan"), 3, None], 1, 300))


def test_high_and_low_genes_by_the_quartiles_of_training():
    training = np.arange(100.0)[:, None] * [1.0, 0.5]
    classes = HighLow.of(training)
    assert classes == pytest.approx((24.75, 74.25, 49.5))
    truth = np.repeat(np.arange(0.0, 100.0, 2)[:, None], 2, axis=1)
    predicted = truth.copy()
    predicted[0] = 90
    table = measures("m", truth, predicted, ["a", "b"], {"all": np.ones(50, bool)}, np.ones((1, 50)), classes)
    values = table.set_index("measure")
    low, high = 13, 12
    assert values["n"]["high_low_accuracy"] == low + high
    assert values["value"]["high_low_accuracy"] == pytest.approx(24 / 25)
    assert values["base_rate"]["high_low_accuracy"] == pytest.approx(high / (low + high))
