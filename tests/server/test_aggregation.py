"""Arrivals into one step, against the formula in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedras_ray.server.aggregation import Accumulator, step

ITEMS, WIDTH = 6, 2
ROW = st.lists(st.sampled_from([-2.5, -1.0, 0.0, 0.1, 1.0, 3.0]), min_size=WIDTH, max_size=WIDTH)
UPDATE = st.dictionaries(st.integers(0, ITEMS - 1), ROW, max_size=ITEMS)
ARRIVALS = st.lists(st.tuples(UPDATE, st.sampled_from([0.25, 0.7, 1.0, 2.0])), max_size=6)


def stepped(accumulator, power, weight=0):
    """The touched items and their steps; the accumulator is empty afterwards."""
    ids, rows, counts = accumulator.drained()
    return ids, step(rows, counts, weight, power)


def reference(arrivals, power):
    """{item: step} by the formula, in float64."""
    steps = {}
    for item in range(ITEMS):
        spoken = [(w, np.array(rows[item])) for rows, w in arrivals if item in rows and any(rows[item])]
        if spoken:
            steps[item] = sum(w * row for w, row in spoken) / len(spoken) ** power
    return steps


@pytest.mark.parametrize("power", [0, 0.5, 1])
@settings(max_examples=60)
@given(arrivals=ARRIVALS)
def test_the_step_is_the_weighted_sum_over_a_power_of_how_many_spoke(update_of, power, arrivals):
    accumulator = Accumulator(ITEMS, WIDTH)
    for rows, weight in arrivals:
        accumulator.add(update_of(rows, ITEMS), weight)
    touched, steps = stepped(accumulator, power)
    expected = reference(arrivals, power)
    assert touched.tolist() == sorted(expected)
    assert (steps.shape, steps.dtype) == ((len(expected), WIDTH), np.float32)
    for item, row in zip(touched, steps, strict=True):
        np.testing.assert_allclose(row, expected[item], rtol=1e-5, atol=1e-6)


@settings(max_examples=60)
@given(arrivals=ARRIVALS)
def test_the_mean_over_clients_counts_those_that_did_not_speak(update_of, arrivals):
    accumulator = Accumulator(ITEMS, WIDTH)
    for rows, weight in arrivals:
        accumulator.add(update_of(rows, ITEMS), weight)
    touched, steps = stepped(accumulator, None, sum(weight for _, weight in arrivals))
    expected = {item: row / sum(w for _, w in arrivals) for item, row in reference(arrivals, 0).items()}
    assert touched.tolist() == sorted(expected)
    for item, row in zip(touched, steps, strict=True):
        np.testing.assert_allclose(row, expected[item], rtol=1e-5, atol=1e-6)


def test_a_row_of_zeros_does_not_count(update_of):
    accumulator = Accumulator(ITEMS, WIDTH)
    accumulator.add(update_of({1: [4, 2], 3: [0, 0]}, ITEMS), 1)
    accumulator.add(update_of({1: [0, 0], 3: [0, 0]}, ITEMS), 1)
    touched, steps = stepped(accumulator, 1)
    assert (touched.tolist(), steps.tolist()) == ([1], [[4, 2]])


def test_a_dense_upload_is_aggregated_as_the_sparse_one_it_stands_for(update_of):
    rows = {1: [4, 2], 4: [-1, 0]}
    dense = {item: rows.get(item, [0, 0]) for item in range(ITEMS)}
    steps = []
    for update in (rows, dense):
        accumulator = Accumulator(ITEMS, WIDTH)
        accumulator.add(update_of(update, ITEMS), 1)
        accumulator.add(update_of({4: [3, 3]}, ITEMS), 1)
        steps.append([part.tolist() for part in stepped(accumulator, 0.5)])
    assert steps[0] == steps[1]


def test_rows_that_cancel_out_have_spoken(update_of):
    accumulator = Accumulator(ITEMS, WIDTH)
    accumulator.add(update_of({2: [1, -1]}, ITEMS), 1)
    accumulator.add(update_of({2: [-1, 1]}, ITEMS), 1)
    touched, steps = stepped(accumulator, 0)
    assert (touched.tolist(), steps.tolist()) == ([2], [[0, 0]])


def test_the_accumulator_is_empty_after_a_step(update_of):
    accumulator = Accumulator(ITEMS, WIDTH)
    accumulator.add(update_of({0: [1, 1], 5: [2, 2]}, ITEMS), 3)
    stepped(accumulator, 1)
    assert not accumulator.total.any()
    assert not accumulator.count.any()
    assert [len(part) for part in stepped(accumulator, 1)] == [0, 0]
    accumulator.add(update_of({5: [7, 7]}, ITEMS), 1)
    touched, steps = stepped(accumulator, 1)
    assert (touched.tolist(), steps.tolist()) == ([5], [[7, 7]])


def test_a_step_that_was_handed_out_stays_as_it_is(update_of):
    accumulator = Accumulator(ITEMS, WIDTH)
    accumulator.add(update_of({1: [1, 1]}, ITEMS), 1)
    _, steps = stepped(accumulator, 0)
    accumulator.add(update_of({1: [9, 9]}, ITEMS), 1)
    assert steps.tolist() == [[1, 1]]
