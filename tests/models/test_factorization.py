"""Matrix factorisation: the closed form is what autograd makes of the loss, decay included."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fedras_ray.config.client import MatrixFactorization
from fedras_ray.models.base import LossModel, Rates
from fedras_ray.models.build import build_model
from fedras_ray.streams import Purpose, stream

CLIENTS, ROWS, WIDTH = 3, 5, 4
MODEL = build_model(MatrixFactorization(width=WIDTH))
COUNTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=CLIENTS * ROWS, max_size=CLIENTS * ROWS
)


def tensors(seed=1, scale=1.0):
    """Rows (C, n, D) and private (C, D) in float64."""
    rng = stream(seed, Purpose.ITEM_TABLE)
    rows, private = rng.standard_normal((CLIENTS, ROWS, WIDTH)), rng.standard_normal((CLIENTS, WIDTH))
    return torch.from_numpy(scale * rows), torch.from_numpy(scale * private)


def samples(counts):
    """Weight and positive (C, n) from (negatives, positives) per row."""
    pairs = torch.tensor(counts, dtype=torch.float64).reshape(CLIENTS, ROWS, 2)
    return pairs.sum(dim=2), pairs[:, :, 1].clone()


@settings(max_examples=60)
@given(
    COUNTS,
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([Rates(0.1, 0.1, 0.0), Rates(0.5, 0.02, 0.2), Rates(0.02, 0.5, 0.2)]),
)
def test_the_closed_form_is_the_step_by_autograd(counts, share, rates):
    weight, positive = samples(counts)
    weight = weight * (1 - share)  # a mean has fractional weights
    positive = positive * (1 - share)
    rows, private = tensors()
    other_rows, other_private = tensors()
    loss = MODEL.step(rows, private, weight, positive, rates)
    other_loss = LossModel.step(MODEL, other_rows, other_private, weight, positive, rates)
    for found, expected in [(loss, other_loss), (rows, other_rows), (private, other_private)]:
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_the_loss_is_cross_entropy_over_the_samples_written_out():
    rows, private = tensors()
    counts = [(2, 1), (0, 1), (3, 0), (0, 0), (1, 2)] * CLIENTS
    weight, positive = samples(counts)
    expected = torch.zeros(CLIENTS, dtype=torch.float64)
    for place, (negatives, positives) in enumerate(counts):
        client, row = divmod(place, ROWS)
        chance = torch.sigmoid(rows[client, row] @ private[client])
        expected[client] -= positives * torch.log(chance) + negatives * torch.log(1 - chance)
    torch.testing.assert_close(MODEL.loss(rows, private, weight, positive), expected)
    torch.testing.assert_close(MODEL.step(rows, private, weight, positive, Rates(0.1, 0.1, 0.0)), expected)


def test_extreme_logits_give_finite_losses_and_steps():
    rows, private = tensors(scale=1e3)
    weight, positive = samples([(1, 1)] * CLIENTS * ROWS)
    loss = MODEL.step(rows, private, weight, positive, Rates(0.1, 0.1, 0.0))
    assert all(torch.isfinite(each).all() for each in (loss, rows, private))


@pytest.mark.parametrize("step", [type(MODEL).step, LossModel.step], ids=["closed form", "autograd"])
def test_padding_and_clients_without_samples_stay_as_they_are_with_and_without_decay(step):
    weight, positive = samples([(1, 1), (0, 0), (2, 0), (0, 0), (0, 1)] + [(0, 0)] * ROWS + [(1, 0)] * ROWS)
    for decay in (0.0, 0.3):
        rows, private = tensors()
        step(MODEL, rows, private, weight, positive, Rates(0.1, 0.1, decay))
        before_rows, before_private = tensors()
        moved = (rows != before_rows).any(dim=2)
        assert torch.equal(moved, weight > 0)
        assert (private != before_private).any(dim=1).tolist() == [True, False, True]


def test_a_step_goes_down():
    rows, private = tensors()
    weight, positive = samples([(2, 1)] * CLIENTS * ROWS)
    before = MODEL.step(rows, private, weight, positive, Rates(0.01, 0.01, 0.0))
    assert (MODEL.loss(rows, private, weight, positive) < before).all()


def test_scores_are_dot_products():
    rows, private = tensors()
    table = rows[0]
    scores = MODEL.scores(private, table)
    assert scores.shape == (CLIENTS, ROWS)
    assert scores[2, 3].item() == pytest.approx(sum((private[2] * table[3]).tolist()))


def test_initial_values_have_the_shapes_and_spreads_of_the_configuration():
    model = build_model(MatrixFactorization(width=32, item_std=0.5, private_std=0.02))
    items = model.initial_items(400, stream(1, Purpose.ITEM_TABLE))
    private = model.initial_private(300, stream(1, Purpose.PRIVATE_STATE))
    assert (items.shape, items.dtype) == ((400, 32), np.float32)
    assert (private.shape, private.dtype) == ((300, model.private_width), np.float32)
    assert model.private_width == 32
    for values, std in [(items, 0.5), (private, 0.02)]:
        assert values.std() == pytest.approx(std, rel=0.05)
        assert abs(values.mean()) < 0.05 * std
    np.testing.assert_array_equal(items, model.initial_items(400, stream(1, Purpose.ITEM_TABLE)))


def test_nothing_is_drawn_for_a_standard_deviation_of_zero_or_for_nobody():
    model = build_model(MatrixFactorization(width=3, item_std=0))
    assert not model.initial_items(5, stream(1, Purpose.ITEM_TABLE)).any()
    assert model.initial_private(0, stream(1, Purpose.PRIVATE_STATE)).shape == (0, 3)
