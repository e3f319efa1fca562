"""What a watched pool keeps of what it was asked."""

import gc

import pytest

from actors import supervision
from actors.calls import Call
from actors.executor import RayExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import Simulation
from tests.actors.conftest import freed
from tests.checkpoints.stopped import begun, told
from tests.simulation.worlds import SCHEDULES, world

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]


@pytest.fixture
def _without_gc():
    """Memory goes when the last one lets go of it, or not at all."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("schedule", ["sync", "buffered"])
@pytest.mark.usefixtures("_without_gc")
def test_answers_that_were_given_are_not_kept(cluster, schedule):
    experiment, dataset = world(*SCHEDULES[schedule])
    before = sum(type(one) is Call for one in gc.get_objects())
    executor = RayExecutor(experiment, cluster.put(dataset), pools=2)
    simulation = Simulation(experiment, population_of(dataset), executor)
    for _ in simulation.events():
        simulation.tell()
    assert sum(len(pool._journal) for pool in executor._pools) > 10
    assert [one.method for pool in executor._pools for one in pool._journal if one.awaited] == []
    assert sum(type(one) is Call for one in gc.get_objects()) == before
    freed(executor)


def test_a_journal_is_cut_when_its_tables_are_worth_a_state(cluster, monkeypatch):
    monkeypatch.setattr(supervision, "JOURNAL_CALLS", 10**6)
    monkeypatch.setattr(supervision, "JOURNAL_BYTES", 1)
    experiment, dataset = world(*SCHEDULES["sync"], "schedule.versions=200", "execution.pool_restarts=9")
    expected = told(begun(experiment, dataset)[0])
    table_bytes = 4 * dataset.item_count * experiment.model.width
    executor = RayExecutor(experiment, cluster.put(dataset), pools=2)
    simulation, _ = begun(experiment, dataset, executor)
    said, longest, was_lost = [], 0, False
    for _ in simulation.events():
        said += list(simulation.tell()) if simulation.said else []
        pool = executor._pools[0]
        worth = supervision.STATE_WORTH * len(pool._state) // table_bytes
        longest = max(longest, len(pool._journal) - worth)
        if len(said) > 100 and not was_lost:
            executor.lose_pool(0)
            was_lost = True
    assert said == expected
    assert executor.restarts_and_waits()[0] == 1
    assert longest < 20, "calls beyond those whose tables are worth the state, which takes a while"
    freed(executor)
