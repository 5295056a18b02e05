"""Reliability bins and their summary."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.evaluation.accuracy.calibration import (
    chance_error,
    equal_width_bins,
    expected_calibration_error,
)

outcomes = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def test_a_bin_holds_its_lower_edge_and_the_last_one_also_1():
    table = equal_width_bins([0.1, 0.19, 0.2, 1.0, 0.95], [True, False, True, True, False])
    assert table["n"].tolist() == [2, 1, 2]
    assert table["low"].tolist() == pytest.approx([0.1, 0.2, 0.9])
    assert table["mean_probability"].tolist() == pytest.approx([0.145, 0.2, 0.975])
    assert table["share_right"].tolist() == [0.5, 1.0, 0.5]
    expected = (2 * abs(0.145 - 0.5) + abs(0.2 - 1) + 2 * abs(0.975 - 0.5)) / 5
    assert expected_calibration_error(table) == pytest.approx(expected)


@given(outcomes)
def test_every_item_is_in_one_bin_and_the_error_is_at_least_the_overall_bias(drawn):
    probabilities, right = map(np.array, zip(*drawn))
    table = equal_width_bins(probabilities, right)
    assert table["n"].sum() == len(drawn)
    assert (table["mean_probability"] >= table["low"] - 1e-12).all()
    assert (table["mean_probability"] <= table["high"] + 1e-12).all()
    error = expected_calibration_error(table)
    assert abs(probabilities.mean() - right.mean()) - 1e-9 <= error <= 1


def test_certain_and_right_has_no_error():
    assert expected_calibration_error(equal_width_bins([1.0, 0.0], [True, False])) == 0
    assert math.isnan(expected_calibration_error(equal_width_bins([], [])))
    with pytest.raises(ValueError, match="outcomes"):
        equal_width_bins([0.5], [])


def test_the_error_by_chance_falls_with_the_number_of_items():
    few, many = (chance_error(np.linspace(0.1, 0.9, n), equal_width_bins) for n in (50, 5000))
    assert 0 < many < few / 5
    assert chance_error(np.array([0.0, 1.0]), equal_width_bins) == 0
