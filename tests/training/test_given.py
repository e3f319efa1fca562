"""Turns on samples that the data bring: nothing is drawn, and the order is kept where that is asked."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config.client import TrainingConfig
from fedras_ray.streams import Purpose, stream
from fedras_ray.training.given import given_samples
from fedras_ray.training.steps import BatchedSamples, LocalSamples

SAMPLES = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40)


def config(**more):
    return TrainingConfig(samples="given", **more)


def refuse():
    raise AssertionError("nothing is to be drawn")


def turn(samples, settings, draw=refuse):
    items = np.array([item for item, _ in samples], np.int32)
    labels = np.array([label for _, label in samples], np.bool_)
    return given_samples(items, labels, 21, settings, draw)


def told(local):
    """Every sample of a turn in mini-batches, in order."""
    return list(zip(local.item_ids[local.place].tolist(), (local.label == 1).tolist(), strict=True))


@given(SAMPLES, st.integers(1, 3))
def test_a_step_over_everything_counts_each_item_and_its_positives(samples, epochs):
    local = turn(samples, config(epochs=epochs))
    assert isinstance(local, LocalSamples)
    assert local.sample_count == epochs * len(samples)
    assert len(local.steps) == epochs
    shown, taken = Counter(item for item, _ in samples), Counter(item for item, label in samples if label)
    for step in local.steps:
        assert local.item_ids.tolist() == sorted(shown)
        assert step.weight.tolist() == [shown[item] for item in local.item_ids.tolist()]
        assert step.positive.tolist() == [taken[item] for item in local.item_ids.tolist()]


@given(SAMPLES, st.integers(1, 3), st.integers(1, 39))
def test_mini_batches_keep_the_given_order_in_every_epoch(samples, epochs, batch_size):
    local = turn(samples, config(epochs=epochs, batch_size=batch_size, order="given"))
    if batch_size >= len(samples):
        assert isinstance(local, LocalSamples)
        return
    assert isinstance(local, BatchedSamples)
    assert told(local) == samples * epochs
    assert (local.epoch_samples, local.batch_size) == (len(samples), batch_size)


def test_shuffled_mini_batches_have_every_sample_once_in_each_epoch():
    samples = [(item % 21, item % 3 == 0) for item in range(60)]
    settings = config(epochs=2, batch_size=16)
    first, again, other = (
        turn(samples, settings, lambda n=number: stream(1, Purpose.LOCAL_SAMPLING, 0, n))
        for number in (0, 0, 1)
    )
    assert told(first) == told(again) != told(other)
    halves = told(first)[:60], told(first)[60:]
    assert halves[0] != halves[1]
    assert all(Counter(half) == Counter(samples) for half in halves)


@pytest.mark.parametrize("batch_size", [0, 8])
def test_a_client_that_was_given_nothing_has_nothing_to_train_on(batch_size):
    local = turn([], config(batch_size=batch_size))
    assert (len(local.item_ids), local.sample_count) == (0, 0)
