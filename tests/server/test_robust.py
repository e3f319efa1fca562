"""Middles of what clients say, against the definition; and that it does not matter who has which shard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.config import build
from fedras_ray.config.defence import Median, TrimmedMean
from fedras_ray.errors import ConfigError
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.server.folding import Partial, joined
from fedras_ray.server.robust import Gathering, middle_step, side_by_side
from fedras_ray.simulation import Simulation, simulate
from tests.simulation.test_determinism import ScrambledExecutor
from tests.simulation.worlds import NETWORKS, SCHEDULES, world

ITEMS, WIDTH = 7, 3
VALUES = st.floats(-100, 100, width=32)
SAID = st.dictionaries(st.integers(0, ITEMS - 1), st.lists(VALUES, min_size=WIDTH, max_size=WIDTH))
MIDDLES = [Median(kind="median"), *(TrimmedMean(kind="trimmed-mean", share=one) for one in (0.0, 0.2, 0.49))]


def update_of(said):
    ids = np.array(sorted(said), np.int32)
    rows = np.array([said[item] for item in ids], np.float32).reshape(len(ids), WIDTH)
    return ItemUpdate(ids, rows, ITEMS)


def gathered(updates, weights):
    gathering = Gathering(WIDTH)
    for said, weight in zip(updates, weights, strict=True):
        gathering.add(update_of(said), weight)
    return gathering.drained()


def expected(values, how):
    if isinstance(how, Median):
        return np.median(values, axis=0)
    cut = int(how.share * len(values))
    return np.sort(values, axis=0)[cut : len(values) - cut].mean(axis=0)


@given(st.lists(SAID, max_size=9), st.sampled_from(MIDDLES), st.sampled_from([0.0, 0.5, 1.0]))
def test_a_step_is_that_of_the_definition(updates, how, power):
    weights = [1 / (1 + number) for number in range(len(updates))]
    ids, rows, _ = gathered(updates, weights)
    touched, steps = middle_step(ids, rows, how, power)
    said = {}
    for update, weight in zip(updates, weights, strict=True):
        for item, row in update.items():
            if any(row):
                said.setdefault(item, []).append(np.float32(weight) * np.array(row, np.float32))
    assert touched.tolist() == sorted(said)
    for item, step in zip(touched.tolist(), steps, strict=True):
        values = np.array(said[item], np.float64)
        np.testing.assert_allclose(
            step, len(values) ** (1 - power) * expected(values, how), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("how", MIDDLES[:1] + MIDDLES[2:])
def test_whatever_one_in_ten_says_the_step_stays_within_what_the_others_say(how):
    honest = [{0: [number / 10, 1.0, -1.0]} for number in range(9)]
    ids, rows, _ = gathered([*honest, {0: [1e30, -1e30, 1e30]}], [1.0] * 10)
    _, steps = middle_step(ids, rows, how, 1.0)
    assert 0 <= steps[0, 0] <= 0.8
    assert steps[0, 1:].tolist() == [1.0, -1.0]


def test_branches_lie_side_by_side_in_the_order_of_shards_whoever_has_them():
    leaves = [
        Partial(0, shard, *gathered([{shard: [1, 2, 3], 6: [shard + 1, 0, 0]}], [1.0])) for shard in range(5)
    ]
    (whole,) = joined(leaves, range(5), 5, side_by_side)
    parts = joined(leaves[:2], range(2), 5, side_by_side) + joined(leaves[2:], range(2, 5), 5, side_by_side)
    (both,) = joined(parts, range(5), 5, side_by_side)
    assert whole.ids.tolist() == both.ids.tolist() == [0, 6, 1, 6, 2, 6, 3, 6, 4, 6]
    assert whole.rows.tobytes() == both.rows.tobytes()


@pytest.mark.parametrize("schedule", ["sync", "tiered"])
def test_real_order_and_place_change_nothing(schedule):
    experiment, dataset = world(*SCHEDULES[schedule], *NETWORKS["shaky"], "server.aggregate.kind=median")
    population = population_of(dataset)
    records = list(simulate(experiment, population, SerialExecutor(experiment, dataset)))
    assert list(simulate(experiment, population, ScrambledExecutor(experiment, dataset, 1))) == records


def test_nothing_cut_off_is_the_mean_that_sums_give():
    tables = []
    for aggregate in ([], ["server.aggregate.kind=trimmed-mean", "server.aggregate.share=0.0"]):
        experiment, dataset = world(*SCHEDULES["sync"], *aggregate)
        simulation = Simulation(experiment, population_of(dataset), SerialExecutor(experiment, dataset))
        list(simulation.run())
        tables.append(simulation._server.table)
    np.testing.assert_allclose(*tables, rtol=1e-4, atol=1e-5)


def test_a_mean_over_all_clients_has_no_middle():
    with pytest.raises(ConfigError, match="take average 'items'"):
        build({}, ["server.average=clients", "server.aggregate.kind=median"])
