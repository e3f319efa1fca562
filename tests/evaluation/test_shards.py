"""The users of a shard: each with its own state and view, by either way to its metrics."""

from dataclasses import dataclass

import numpy as np
import pytest

from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.evaluation import shards
from fedras_ray.evaluation.shards import Ranker
from fedras_ray.models.base import ProductModel
from fedras_ray.models.build import build_model
from fedras_ray.streams import Purpose, stream

SETTINGS = [
    "data.kind=synthetic",
    "data.users=90",
    "data.items=130",
    "data.mean_interactions=12",
    "model.width=8",
    "execution.shards=4",
]
SPLITS = {"one": [], "several": ["data.split.kind=ratio"]}


@dataclass(frozen=True)
class ScoresOnly:
    """A model of which no more is known than the contract says."""

    of: ProductModel

    def scores(self, private, table):
        return self.of.scores(private, table)


@pytest.fixture(scope="module", params=SPLITS)
def world(request):
    experiment = build({}, [*SETTINGS, *SPLITS[request.param]])
    data, model = load(experiment.data, experiment.seed), build_model(experiment.model)
    rng = stream(1, Purpose.ITEM_TABLE)
    tables = {7: model.initial_items(130, rng), 8: model.initial_items(130, rng)}
    return experiment, data, model, tables


def found(world, model, users=None, only=None):
    experiment, data, _, tables = world
    asked = build(experiment.model_dump(mode="json"), [f"evaluation.users={users}"] if users else [])
    ranker = Ranker(asked, data, model)
    mine = ranker.users(2)
    states = stream(2, Purpose.PRIVATE_STATE).standard_normal((data.user_count, 8)).astype(np.float32)
    views = np.where(mine % 3, 7, 8) if only is None else np.full(len(mine), only)
    return ranker.quality(2, states[mine], views, tables)


def test_a_model_that_only_scores_has_the_same_metrics(world, monkeypatch):
    monkeypatch.setattr(shards, "MATRIX_SCORES", 3 * 130)
    model = world[2]
    ours, theirs = found(world, model), found(world, ScoresOnly(model))
    assert isinstance(model, ProductModel)
    assert not isinstance(ScoresOnly(model), ProductModel)
    assert list(ours.metrics) == list(theirs.metrics)
    assert any(values.any() for values in ours.metrics.values())
    for name, values in ours.metrics.items():
        np.testing.assert_array_equal(values, theirs.metrics[name], err_msg=name)


def test_sampled_metrics_are_for_users_with_one_test_item(world):
    sampled = [name for name in found(world, world[2]).metrics if name.startswith("sampled")]
    assert bool(sampled) == bool((world[1].test.counts() <= 1).all())


def test_everyone_ranks_with_the_view_it_has(world):
    both = found(world, world[2])
    apart = {view: found(world, world[2], only=view) for view in (7, 8)}
    for name, values in both.metrics.items():
        expected = np.where(both.users % 3, apart[7].metrics[name], apart[8].metrics[name])
        np.testing.assert_array_equal(values, expected, err_msg=name)


def test_a_sample_of_users_has_the_numbers_that_they_have_among_all(world):
    everyone, some = found(world, world[2]), found(world, world[2], users=30)
    assert (some.users % 4 == 2).all()
    assert 0 < len(some.users) < len(everyone.users) == everyone.tested == some.tested
    places = np.searchsorted(everyone.users, some.users)
    for name, values in some.metrics.items():
        np.testing.assert_array_equal(values, everyone.metrics[name][places], err_msg=name)
