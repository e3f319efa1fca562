"""What a client trains on: its positives, fresh negatives, and every sample once per epoch."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config.client import TrainingConfig
from fedras_ray.kernels import counting
from fedras_ray.streams import Purpose, stream
from fedras_ray.training.sampling import local_samples, negative_ranks


def negatives(positives, item_count, count, rng):
    return counting.outside(positives, negative_ranks(positives, item_count, count, rng))


def draw(positives, item_count, turn=0, **config):
    rng = stream(1, Purpose.LOCAL_SAMPLING, 0, turn)
    return local_samples(np.array(positives, dtype=np.int32), item_count, TrainingConfig(**config), rng)


def recount(local, steps):
    """(samples, positives) per item over some steps, one sample at a time."""
    samples, positives = Counter(), Counter()
    for step in steps:
        rows = range(len(local.item_ids)) if step.rows is None else step.rows
        for row, weight, positive in zip(rows, step.weight, step.positive, strict=True):
            samples[int(local.item_ids[row])] += int(weight)
            positives[int(local.item_ids[row])] += int(positive)
    return +samples, +positives


@st.composite
def clients(draw):
    """Positives in a small catalogue, or in one that dwarfs the samples."""
    item_count = draw(st.integers(1, 30) | st.just(3_000))
    positives = draw(st.sets(st.integers(0, item_count - 1), min_size=1, max_size=min(item_count, 30)))
    return sorted(positives), item_count


CONFIGS = {
    "epochs": st.integers(1, 3),
    "batch_size": st.integers(0, 20),
    "negatives": st.integers(1, 4),
    "turn": st.integers(0, 9),
}


@given(clients(), st.fixed_dictionaries(CONFIGS))
def test_counts_are_those_of_a_naive_recount(client, config):
    positives, item_count = client
    local = draw(positives, item_count, **config)
    rng = stream(1, Purpose.LOCAL_SAMPLING, 0, config["turn"])  # what the client draws, drawn again
    drawn = negatives(np.array(positives, np.int32), item_count, config["negatives"] * len(positives), rng)
    expected = Counter(positives) + Counter(drawn.tolist())
    assert local.item_ids.tolist() == sorted(expected)
    assert local.item_ids.dtype == np.int32
    assert local.sample_count == config["epochs"] * expected.total()
    per_epoch = len(local.steps) // config["epochs"]
    for epoch in range(config["epochs"]):  # every sample once in every epoch
        steps = local.steps[epoch * per_epoch : (epoch + 1) * per_epoch]
        assert recount(local, steps) == (expected, Counter(positives))


@given(clients(), st.fixed_dictionaries(CONFIGS))
def test_steps_are_full_batches_of_distinct_rows_and_a_rest(client, config):
    local = draw(*client, **config)
    size = config["batch_size"]
    total = local.sample_count // config["epochs"]
    if size == 0 or size >= total:
        assert len(local.steps) == config["epochs"]
        assert all(step is local.steps[0] for step in local.steps)
        return
    per_epoch = -(-total // size)
    assert len(local.steps) == config["epochs"] * per_epoch
    for number, step in enumerate(local.steps):
        last = number % per_epoch == per_epoch - 1
        assert step.weight.sum() == (total - size * (per_epoch - 1) if last else size)
        assert len(step.weight) == len(step.positive) == len(step.rows)
        assert (np.diff(step.rows) > 0).all()
        assert (step.weight > 0).all()


@given(clients(), st.integers(0, 60))
def test_a_negative_is_never_a_train_positive(client, count):
    positives, item_count = client
    drawn = negatives(np.array(positives, np.int32), item_count, count, stream(1, Purpose.LOCAL_SAMPLING))
    assert len(drawn) == (0 if len(positives) == item_count else count)
    assert not set(drawn.tolist()) & set(positives)
    assert all(0 <= item < item_count for item in drawn)


@pytest.mark.parametrize("positives", [[2, 5, 7], [0, 1, 2], [9, 10, 11], [0, 6, 11]])
def test_negatives_are_uniform_over_all_other_items_the_held_out_one_included(positives):
    drawn = negatives(np.array(positives, np.int32), 12, 9_000, stream(1, Purpose.LOCAL_SAMPLING))
    counts = np.bincount(drawn, minlength=12)
    assert counts[positives].tolist() == [0, 0, 0]
    others = np.delete(counts, positives)  # whichever of these is held out is as likely as the rest
    assert np.square(others - 1_000).sum() / 1_000 < 26.1  # chi-square, 8 degrees of freedom, p = 0.001


def test_a_client_that_has_every_item_trains_on_positives_alone():
    local = draw(range(4), 4, epochs=2)
    assert local.item_ids.tolist() == [0, 1, 2, 3]
    assert local.sample_count == 8
    assert recount(local, local.steps[:1]) == (Counter(range(4)), Counter(range(4)))


def test_a_client_without_positives_has_nothing_to_train_on():
    local = draw([], 9, epochs=2)
    assert (len(local.item_ids), local.sample_count) == (0, 0)


def test_epochs_of_mini_batches_are_shuffled_anew():
    local = draw(range(0, 40, 2), 60, epochs=2, batch_size=10)
    half = len(local.steps) // 2
    first, second = (
        [step.rows.tolist() for step in part] for part in (local.steps[:half], local.steps[half:])
    )
    assert first != second


def test_turns_draw_other_negatives_and_the_same_turn_the_same():
    first, again, other = (draw([1, 50], 10_000, turn=turn).item_ids.tolist() for turn in (0, 0, 1))
    assert first == again != other
