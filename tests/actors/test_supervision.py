"""What a watched pool keeps of what it was asked."""

import gc

import pytest

from actors.calls import Call
from actors.executor import RayExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import Simulation
from tests.actors.conftest import freed
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
