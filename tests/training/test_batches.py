"""Mini-batches in machine code are torch's: binary_cross_entropy_with_logits and SGD, batch after batch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fedras_ray.kernels import descending
from fedras_ray.streams import Purpose, stream
from fedras_ray.training.steps import BatchedSamples, placed


def by_torch(rows, private, place, label, batch_size, epochs, loss, rates):
    """Autograd on the whole table; the last value is the mean of the first epoch's losses per sample."""
    table = torch.from_numpy(rows.copy()).requires_grad_()
    own = torch.from_numpy(private.copy()).requires_grad_()
    optimizer = torch.optim.SGD([{"params": [table], "lr": rates[0]}, {"params": [own], "lr": rates[1]}])
    samples, losses = len(place) // epochs, []
    for epoch in range(epochs):
        for start in range(epoch * samples, (epoch + 1) * samples, batch_size):
            part = slice(start, min(start + batch_size, (epoch + 1) * samples))
            wanted = torch.from_numpy(label[part])
            logits = table[torch.from_numpy(place[part]).long()] @ own
            value = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction=loss)
            if epoch == 0:
                losses.append(value.item() / (len(wanted) if loss == "sum" else 1))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
    return table.detach().numpy() - rows, own.detach().numpy(), np.mean(losses)


CASE = st.fixed_dictionaries(
    {
        "rows": st.integers(1, 9),
        "samples": st.integers(1, 40),
        "batch_size": st.integers(1, 45),
        "epochs": st.integers(1, 3),
        "seed": st.integers(0, 99),
        "loss": st.sampled_from(["sum", "mean"]),
    }
)


@settings(max_examples=60)
@given(CASE)
def test_the_kernel_is_torch_in_the_same_order(case):
    """Few rows and many samples: rows repeat within a batch, and add up."""
    rng = stream(case["seed"], Purpose.LOCAL_SAMPLING)
    rows = (0.5 * rng.standard_normal((case["rows"], 4))).astype(np.float32)
    private = (0.5 * rng.standard_normal(4)).astype(np.float32)
    total = case["samples"] * case["epochs"]
    place = rng.integers(0, case["rows"], total).astype(np.int32)
    label = (rng.random(total) < 0.3).astype(np.float32)
    rates = (0.5, 0.25) if case["loss"] == "mean" else (0.05, 0.02)
    expected = by_torch(rows, private, place, label, case["batch_size"], case["epochs"], case["loss"], rates)
    each = np.float32(rates[0]), np.float32(rates[1]), np.float32(0)
    found = descending.fit(
        rows, private, place, label, case["samples"], case["batch_size"], case["loss"] == "mean", *each
    )
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=2e-5)


@pytest.mark.parametrize("logit", [-200.0, 0.0, 200.0])
def test_logits_of_any_size_are_survived(logit):
    rows = np.array([[logit, 0.0]], np.float32)
    rates = np.float32(1), np.float32(1), np.float32(0)
    change, own, loss = descending.fit(
        rows,
        np.array([1, 0], np.float32),
        np.zeros(2, np.int32),
        np.array([1, 0], np.float32),
        2,
        2,
        True,
        *rates,
    )
    assert loss == pytest.approx(np.mean([np.logaddexp(0, -logit), np.logaddexp(0, logit)]), rel=1e-6)
    error = 1 / (1 + np.exp(-logit)) - 0.5  # the mean of σ − 1 and σ
    np.testing.assert_allclose(change, [[-error, 0]], atol=1e-6)
    np.testing.assert_allclose(own, [1 - error * logit, 0], rtol=1e-6)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=50), st.sampled_from([31, 100_000]))
def test_places_are_those_of_the_sorted_distinct_items(items, item_count):
    distinct, place = placed(np.array(items, np.int32), item_count)
    assert distinct.dtype == place.dtype == np.int32
    assert distinct.tolist() == sorted(set(items))
    assert distinct[place].tolist() == items


def test_batches_keep_the_order_and_count_what_repeats():
    samples = BatchedSamples(
        item_ids=np.array([4, 7, 9], np.int32),
        place=np.array([2, 0, 2, 1, 1], np.int32),
        label=np.array([1, 0, 0, 1, 1], np.float32),
        epoch_samples=5,
        batch_size=3,
    )
    first, second = samples.steps
    assert (first.rows.tolist(), first.weight.tolist(), first.positive.tolist()) == ([0, 2], [1, 2], [0, 1])
    assert (second.rows.tolist(), second.weight.tolist(), second.positive.tolist()) == ([1], [2], [2])
    assert (samples.sample_count, samples.epoch_steps) == (5, 2)
