"""The curve of precision and recall by score, against a plain count, and its figures by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.evaluation.isoforms.additions import ScoreCurve

additions = st.lists(st.tuples(st.integers(0, 9).map(lambda n: n / 9), st.booleans()), max_size=60)


@given(additions, st.integers(0, 5), st.randoms())
def test_the_curve_is_what_counting_gives(scored, missed, random):
    total = sum(right for _, right in scored) + missed
    curve = ScoreCurve.of([score for score, _ in scored], [right for _, right in scored], total)
    assert curve.least.tolist() == sorted({score for score, _ in scored}, reverse=True)
    for least, taken, precision, recall in zip(curve.least, curve.taken, curve.precision, curve.recall):
        kept = [right for score, right in scored if score >= least]
        assert (taken, precision) == (len(kept), sum(kept) / len(kept))
        assert np.isnan(recall) if not total else recall == sum(kept) / total
    random.shuffle(scored)
    again = ScoreCurve.of([score for score, _ in scored], [right for _, right in scored], total)
    assert np.array_equal(again.precision, curve.precision)
    cuts = curve.cuts()
    assert len(cuts) <= 20
    assert not scored or curve.taken[cuts[-1]] == len(scored)


def test_figures_by_hand():
    curve = ScoreCurve.of([0.9, 0.8, 0.7, 0.7, 0.1], [True, False, True, False, False], 4)
    assert curve.precision.tolist() == [1, 0.5, 0.5, 0.4]
    assert curve.recall.tolist() == [0.25, 0.25, 0.5, 0.5]
    assert curve.area == 0.25 * 1 + 0.25 * 0.5
    assert (curve.recall_at_precision(0.5), curve.recall_at_precision(0.6), curve.recall_at_precision(1.1)) == (
        0.5,
        0.25,
        0,
    )
    assert (curve.precision_at_recall(0.2), curve.precision_at_recall(0.3)) == (1, 0.5)
    assert np.isnan(curve.precision_at_recall(0.6))
    assert ScoreCurve.of([], [], 3).cuts().tolist() == []
    assert ScoreCurve.of([0.5], [True], 1).area == pytest.approx(1)
