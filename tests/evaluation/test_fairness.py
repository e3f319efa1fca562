"""Gini and Jain against closed forms, and under their laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fedras_ray.evaluation.fairness import Fairness, class_fairness, fairness, gini, jain, per_class

amounts = arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1e6))


@pytest.mark.parametrize(
    ("values", "expected_gini", "expected_jain"),
    [
        ([], 0, 1),
        ([0, 0], 0, 1),
        ([5], 0, 1),
        ([3, 3, 3, 3], 0, 1),
        ([0, 0, 0, 8], 3 / 4, 1 / 4),
        ([0, 0, 1, 1], 1 / 2, 1 / 2),
        ([1, 3], 1 / 4, 16 / 20),
        ([1, 2, 3], 2 / 9, 36 / 42),
    ],
)
def test_by_hand(values, expected_gini, expected_jain):
    assert gini(np.array(values)) == pytest.approx(expected_gini)
    assert jain(np.array(values)) == pytest.approx(expected_jain)


@pytest.mark.parametrize("n", [2, 10, 1_000])
def test_closed_forms_of_one_to_n(n):
    """Of 1 … n: Gini (n² − 1) / (3 n (n + 1)), Jain 3 (n + 1) / (2 (2 n + 1))."""
    values = np.arange(1, n + 1)
    assert gini(values) == pytest.approx((n * n - 1) / (3 * n * (n + 1)))
    assert jain(values) == pytest.approx(3 * (n + 1) / (2 * (2 * n + 1)))


@given(amounts)
def test_gini_is_half_the_mean_difference_over_the_mean(values):
    if values.sum() > 0:
        shares = values / values.sum()
        assert gini(values) == pytest.approx(
            np.abs(shares[:, None] - shares).sum() / (2 * len(values)), abs=1e-9
        )


@given(amounts)
def test_both_stay_within_their_bounds(values):
    n = len(values)
    assert 0 <= gini(values) <= (n - 1) / n + 1e-9
    assert 1 / n - 1e-9 <= jain(values) <= 1


@given(amounts, st.floats(1e-3, 1e3))
def test_the_scale_does_not_matter_nor_the_order(values, factor):
    for index in (gini, jain):
        same = pytest.approx(index(values), abs=1e-9)
        assert index(values[::-1]) == same
        if values.min() > 1e-200 or values.max() == 0:
            assert index(values * factor) == same
        assert index(np.repeat(values, 3)) == same  # nor how many there are, in the same proportions


@given(st.floats(1e-3, 1e6), st.integers(1, 50))
def test_equal_amounts_are_perfectly_fair(value, n):
    assert fairness(np.full(n, value)) == pytest.approx(Fairness(0, 1), abs=1e-9)


@given(arrays(np.int64, st.integers(2, 30), elements=st.integers(0, 99)))
def test_a_gift_from_the_richest_to_the_poorest_is_fairer(counts):
    """The principle of Pigou and Dalton, for both."""
    richest, poorest = counts.argmax(), counts.argmin()
    if counts[richest] - counts[poorest] >= 2:
        after = counts.copy()
        after[richest] -= 1
        after[poorest] += 1
        assert gini(after) < gini(counts)
        assert jain(after) > jain(counts)


def test_classes_by_what_their_clients_have_on_average():
    counts = np.array([4, 4, 2, 0, 2, 9])
    classes = np.array([0, 0, 1, 1, 1, 3], np.int8)
    means = per_class(counts, classes, 4)
    assert means[[0, 1, 3]] == pytest.approx([4, 4 / 3, 9])
    assert np.isnan(means[2])
    assert class_fairness(counts, classes, 4) == pytest.approx(fairness(np.array([4, 4 / 3, 9])))
    assert class_fairness(np.array([0, 8, 4]), np.array([0, 0, 1], np.int8), 2) == (0, 1)
