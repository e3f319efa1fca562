"""Training cohorts as padded tensors is training them by machine code, up to rounding."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from fedras_ray import layouts
from fedras_ray.config import build
from fedras_ray.data.interactions import Dataset, from_pairs
from fedras_ray.data.samples import LabelledSamples
from fedras_ray.models.base import LossModel
from fedras_ray.models.build import build_model
from fedras_ray.streams import Purpose, stream
from fedras_ray.training.local import LocalTraining, Turns

ITEMS = 90
SIZES = [0, 1, 3, 20, ITEMS, 64, 65, 2]
SAMPLES = [
    {"batch_size": 0, "negatives": 2},
    {"batch_size": 8, "negatives": 2},
    {"batch_size": 500, "negatives": 2},
    {"samples": "given", "order": "given", "batch_size": 8},
    {"samples": "given", "batch_size": 0},
]
CASES = list(itertools.product(SAMPLES, ["sum", "mean"], [0.0, 0.1]))


@dataclass(frozen=True)
class Biased(LossModel):
    """Somebody else's model: nothing but a loss, with a bias in the last column."""

    private_width: int = 4

    def loss(self, rows, private, weight, positive):
        logits = torch.einsum("cnd,cd->cn", rows[:, :, :4], private) + rows[:, :, 4]
        return (weight * torch.nn.functional.softplus(logits) - positive * logits).sum(dim=1)

    def initial_items(self, item_count, rng):
        return (0.3 * rng.standard_normal((item_count, 5))).astype(np.float32)

    def initial_private(self, clients, rng):
        return (0.3 * rng.standard_normal((clients, 4))).astype(np.float32)


def world(chosen):
    """Clients with from none to all of the items, and samples of their own that repeat items."""
    draw = stream(1, Purpose.SYNTHETIC)
    users = np.repeat(np.arange(len(SIZES)), SIZES)
    train = from_pairs(
        users, np.concatenate([draw.permutation(ITEMS)[:size] for size in SIZES]), len(SIZES), ITEMS
    )
    items = draw.integers(0, ITEMS, sum(SIZES)).astype(np.int32)
    given = LabelledSamples(np.cumsum([0, *SIZES]), items, draw.random(sum(SIZES)) < 0.3)
    nothing = from_pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), len(SIZES), ITEMS)
    file = {"kind": "file", "path": "nowhere", "user": "user", "item": "item", "label": "label"}
    training = {"item_rate": 0.2, "private_rate": 0.1, **chosen}
    experiment = build({"data": file, "model": {"width": 5}, "training": training})
    return experiment, Dataset("made", train, nothing, "made here", given=given)


def turns_of(model):
    views = {view: model.initial_items(ITEMS, stream(view, Purpose.ITEM_TABLE)) for view in (0, 3)}
    clients = np.arange(len(SIZES))
    of = Turns(clients, clients + 2, np.where(clients % 2, 3, 0), np.array([1, 2, 3, 2, 1, 0, 3, 4]))
    return of, views, model.initial_private(len(SIZES), stream(3, Purpose.PRIVATE_STATE))


@pytest.mark.parametrize("model", ["compiled", "loss"])
@pytest.mark.parametrize(("samples", "loss", "decay"), CASES)
def test_it_is_the_training_of_the_processor(device, samples, loss, decay, model):
    experiment, dataset = world({**samples, "loss": loss, "weight_decay": decay})
    model = build_model(experiment.model) if model == "compiled" else Biased()
    of, views, private = turns_of(model)
    untouched = private.copy()
    expected = LocalTraining(experiment, dataset, model).train(of, views, private)
    elsewhere = LocalTraining(experiment, dataset, model, device)
    found = elsewhere.train(of, views, private)
    for name in ("offsets", "item_ids", "samples"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name in ("rows", "private", "losses"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=2e-4, atol=2e-6, err_msg=name
        )
    np.testing.assert_array_equal(private, untouched)
    assert np.abs(found.rows).max() > 1e-3, "the case says little"
    rows = elsewhere.rows(of.clients, of.turns)
    np.testing.assert_array_equal(np.concatenate(rows), found.item_ids)


def test_it_is_the_same_to_the_bit_every_time_and_in_any_company(device):
    """Twice the same call, and another one that cut its buckets otherwise would be allowed to round."""
    experiment, dataset = world({"batch_size": 8, "negatives": 2})
    model = build_model(experiment.model)
    of, views, private = turns_of(model)
    training = LocalTraining(experiment, dataset, model, device)
    first, again = (training.train(of, views, private) for _ in range(2))
    assert first.rows.tobytes() == again.rows.tobytes()
    assert first.private.tobytes() == again.private.tobytes()


def test_a_table_that_is_gone_is_not_kept(device):
    experiment, dataset = world({"batch_size": 0})
    model = build_model(experiment.model)
    of, views, private = turns_of(model)
    training = LocalTraining(experiment, dataset, model, device)
    training.train(of, views, private)
    other = {5: views[0] + 1, 3: views[3]}
    moved = of._replace(views=np.where(of.views == 0, 5, 3))
    found = training.train(moved, other, private)
    expected = LocalTraining(experiment, dataset, model).train(moved, other, private)
    np.testing.assert_allclose(found.rows, expected.rows, rtol=2e-4, atol=2e-6)
    assert sorted(training._elsewhere._tables) == [3, 5]


def test_buckets_cover_everybody_once_and_are_well_filled(device, monkeypatch):
    monkeypatch.setattr(layouts, "MOST_FLOATS", 500)
    lengths = stream(4, Purpose.SYNTHETIC).integers(0, 60, 40)
    offsets, clients = np.cumsum([0, *lengths]), np.arange(0, 40, 3)
    found = list(layouts.layouts(offsets, clients, 2, device))
    assert sorted(np.concatenate([one.members for one in found]).tolist()) == clients.tolist()
    values = torch.arange(int(offsets[-1]), dtype=torch.float32, device=device)
    back = torch.full_like(values, -1)
    for one in found:
        its = lengths[one.members]
        assert len(its) == 1 or one.longest * 2 * len(its) <= 500
        assert (its >= layouts.LEAST_FILLED * one.longest).all() or one.longest == 1
        spread = one.spread(values).cpu().numpy()
        for row, client in zip(spread, one.members, strict=True):
            own = np.arange(offsets[client], offsets[client + 1])
            np.testing.assert_array_equal(row, np.pad(own, (0, one.longest - len(own))))
        one.gather(one.spread(values), back)
    asked = np.isin(np.repeat(np.arange(40), lengths), clients)
    np.testing.assert_array_equal(back.cpu().numpy(), np.where(asked, np.arange(offsets[-1]), -1))
