"""Ranks on a device are those of the processor."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.data.interactions import Dataset, from_pairs
from fedras_ray.evaluation import accelerated
from fedras_ray.evaluation.accelerated import product_hits_on_device
from fedras_ray.evaluation.products import product_hits
from fedras_ray.evaluation.shards import Ranker
from fedras_ray.models.build import build_model
from fedras_ray.streams import Purpose, stream

FEW = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0])  # many ties
SPECIAL = st.sampled_from([-1.0, 0.0, 1.0, 2.0, np.inf, -np.inf, np.nan])


@st.composite
def worlds(draw, entries):
    users, item_count, width = draw(st.integers(1, 5)), draw(st.integers(1, 40)), draw(st.integers(1, 3))
    items = st.integers(0, item_count - 1)
    pairs = st.lists(st.tuples(st.integers(0, users - 1), items), max_size=40)
    train, test = (
        from_pairs(*np.array(draw(pairs), np.int64).reshape(-1, 2).T, users, item_count) for _ in range(2)
    )

    def table(rows):
        flat = draw(st.lists(entries, min_size=rows * width, max_size=rows * width))
        return np.array(flat, np.float32).reshape(rows, width)

    return table(users), table(item_count), Dataset("made", train, test, "made here")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds(FEW) | worlds(SPECIAL), st.integers(1, 25), st.data())
def test_hits_are_those_of_counting(device, world, depth, data):
    queries, table, dataset = world
    users = np.array(data.draw(st.permutations(range(len(queries)))), np.int64)
    expected = product_hits(queries[users], table, users, dataset, depth)
    found = product_hits_on_device(queries[users], table, users, dataset, depth, device)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("at_once", [1, 700, 1 << 27])
def test_every_metric_is_that_of_the_processor(device, at_once, monkeypatch):
    monkeypatch.setattr(accelerated, "MOST_SCORES", at_once)
    experiment = build({"data": {"kind": "synthetic", "users": 90, "items": 200, "mean_interactions": 12}})
    dataset, model = load(experiment.data, experiment.seed), build_model(experiment.model)
    table = model.initial_items(200, stream(1, Purpose.ITEM_TABLE))
    here, there = Ranker(experiment, dataset, model), Ranker(experiment, dataset, model, device)
    users = here.users(3)
    private = model.initial_private(len(users), stream(2, Purpose.PRIVATE_STATE))
    views = np.arange(len(users)) % 2
    tables = {0: table, 1: table[::-1].copy()}
    expected, found = (one.quality(3, private, views, tables) for one in (here, there))
    assert len(users) > 5
    assert expected.metrics.keys() == found.metrics.keys()
    for name, values in expected.metrics.items():
        np.testing.assert_array_equal(found.metrics[name], values, err_msg=name)
