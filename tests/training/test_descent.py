"""Rows that do not move in training end where they would if they did."""

import numpy as np
import pytest

from fedras_ray.kernels import factorizing
from fedras_ray.streams import Purpose, stream


def stepped(rows, own, weight, positive, steps, item_rate, private_rate, decay):
    """The same in f64, row by row and step by step."""
    loss = 0.0
    for step in range(steps):
        logits = rows @ own
        if step == 0:
            loss = float((weight * np.logaddexp(0, logits) - positive * logits).sum())
        error = weight / (1 + np.exp(-logits)) - positive
        along = error @ rows
        rows = (1 - item_rate * decay) * rows - item_rate * np.outer(error, own)
        own = (1 - private_rate * decay) * own - private_rate * along
    return rows, own, loss


@pytest.mark.parametrize("decay", [0.0, 0.3, 20.0], ids=["no decay", "decay", "nothing kept"])
@pytest.mark.parametrize("steps", [1, 2, 3, factorizing.MOST_STEPS, factorizing.MOST_STEPS + 1, 40])
@pytest.mark.parametrize("size", [1, factorizing.BLOCK, 300])
def test_a_turn_is_its_steps_one_after_the_other(size, steps, decay):
    draw = stream(5, Purpose.SYNTHETIC)
    rows, own = draw.standard_normal((size, 9)), draw.standard_normal(9)
    weight = draw.integers(0, 4, size).astype(np.float64)
    weight[0] = 2.0
    positive = np.minimum(weight, draw.integers(0, 2, size))
    rates = 0.05, 0.01, decay
    expected, moved, loss = stepped(rows, own, weight, positive, steps, *rates)
    given = [one.astype(np.float32) for one in (rows, own, weight, positive)]
    delta, found, before = factorizing.fit(*given, steps, *map(np.float32, rates))
    np.testing.assert_allclose(delta, expected - rows, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(found, moved, rtol=2e-4, atol=2e-5)
    assert before == pytest.approx(loss, rel=1e-5)
    assert np.abs(delta).max() > 1e-3, "the case says little"


def test_a_client_without_samples_stays_as_it_is():
    rows, own, nothing = np.ones((3, 4), np.float32), np.ones(4, np.float32), np.zeros(3, np.float32)
    rates = np.float32(0.1), np.float32(0.1), np.float32(0.5)
    delta, found, loss = factorizing.fit(rows, own, nothing, nothing, 2, *rates)
    assert not delta.any()
    assert loss == 0.0
    np.testing.assert_array_equal(found, own)
