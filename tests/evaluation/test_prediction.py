"""The error of predicted times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.evaluation.prediction import prediction_error

LIST = st.lists(st.tuples(st.integers(1, 10**15), st.integers(1, 10**15)), min_size=1, max_size=50)


def error(predicted, actual, left=None):
    left = np.zeros(len(predicted), np.bool_) if left is None else np.array(left)
    return prediction_error(np.array(predicted, np.int64), np.array(actual, np.int64), left)


def test_it_is_relative_to_what_it_took_and_counts_both_ways():
    found = error([5, 15, 10], [10, 10, 10])
    assert (found.turns, found.median, found.quantiles[0]) == (3, 0.5, 0.0)


def test_quantiles_are_those_of_the_errors():
    found = error(range(1, 102), [1] * 101)  # errors 0, 1, … 100
    assert found.median == pytest.approx(50)
    assert found.p95 == pytest.approx(95)


def test_turns_without_a_prediction_and_turns_that_were_left_do_not_count():
    found = error([0, 8, 1, 9], [10, 10, 10, 0], [False, False, True, False])
    assert (found.turns, found.median) == (1, pytest.approx(0.2))
    assert error([0, 0], [3, 4]) is None
    assert error([2], [3], [True]) is None
    assert error([], []) is None


@given(LIST, st.integers(1, 1000))
def test_the_unit_does_not_matter(pairs, unit):
    predicted, actual = zip(*pairs, strict=True)
    one = error(predicted, actual)
    other = error([unit * value for value in predicted], [unit * value for value in actual])
    assert other.quantiles == pytest.approx(one.quantiles)
    assert (np.diff(one.quantiles) >= 0).all()
