"""Scores of labels: as counted one by one, with ties, and with blocks that count several times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.evaluation.accuracy.splice_sites import score_candidates
from phytoscribe.evaluation.label_scores import (
    LEAST_HITS,
    auprc_of_labels,
    block_weights,
    precision_cut,
    score_label,
)

BINS = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 2)), min_size=2, max_size=60).filter(
    lambda rows: any(row[1] for row in rows) and not all(row[1] for row in rows)
)


def arrays(rows):
    scores, positive, block = (np.array(column) for column in zip(*rows, strict=True))
    return scores / 6, positive.astype(bool), block.astype(np.int64)


def once(scores, positive):
    return score_label(scores, positive, np.zeros(scores.size, dtype=np.int64), np.ones((1, 1)))


@given(BINS)
def test_scores_are_those_counted_by_hand(rows):
    scores, positive, _ = arrays(rows)
    found = once(scores, positive)
    assert found.base_rate[0] == pytest.approx(positive.mean())
    # Average precision as scikit-learn defines it: over distinct scores.
    assert found.auprc[0] == pytest.approx(score_candidates(scores, positive).average_precision)
    pairs = scores[positive][:, None] - scores[~positive]
    assert found.auroc[0] == pytest.approx((np.sign(pairs).mean() + 1) / 2)
    for recall, value in ((0.1, found.precision_10[0]), (0.5, found.precision_50[0])):
        limits = sorted(set(scores), reverse=True)
        limit = next(x for x in limits if positive[scores >= x].sum() >= recall * positive.sum() - 1e-9)
        assert value == pytest.approx(positive[scores >= limit].mean())
    part = np.minimum((scores * 10).astype(int), 9)
    gaps = [abs(scores[part == k].sum() - positive[part == k].sum()) for k in range(10)]
    assert found.ece[0] == pytest.approx(sum(gaps) / scores.size)


@given(BINS, st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_a_block_that_counts_twice_is_there_twice(rows, times):
    scores, positive, block = arrays(rows)
    again = np.repeat(np.arange(scores.size), np.array(times)[block])
    if not positive[again].any() or positive[again].all():
        return
    found = score_label(scores, positive, block, np.array(times, dtype=float)[:, None])
    wanted = once(scores[again], positive[again])
    for name in found._fields:
        assert getattr(found, name)[0] == pytest.approx(getattr(wanted, name)[0]), name


def test_weights_count_each_block_once_at_first():
    weights = block_weights(7, 50, 3)
    assert weights.shape == (7, 51)
    assert (weights[:, 0] == 1).all()
    assert (weights.sum(axis=0) == 7).all()
    assert weights[:, 1:].std() > 0


def test_labels_without_positives_have_no_precision():
    labels = np.array([[True, False], [False, False], [True, False]])
    scores, has = np.array([[0.9, 0.1], [0.5, 0.2], [0.4, 0.3]]), np.ones((3, 2), dtype=bool)
    found = auprc_of_labels(scores, labels, has)
    assert found[0] == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(found[1])
    has[2, 0] = False
    assert auprc_of_labels(scores, labels, has)[0] == 1


def test_a_cut_holds_its_precision_and_needs_some_hits():
    scores = np.linspace(1, 0, 100)
    positive = np.zeros(100, dtype=bool)
    positive[:20] = True
    cut = precision_cut(scores, positive, 0.5)
    assert positive[scores >= cut].mean() >= 0.5
    assert (scores >= cut).sum() == 40
    assert np.isnan(precision_cut(scores, ~positive[::-1] & False, 0.5))
    few = np.zeros(100, dtype=bool)
    few[: LEAST_HITS - 1] = True
    assert np.isnan(precision_cut(scores, few, 0.1))
