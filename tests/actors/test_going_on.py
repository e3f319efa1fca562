"""What is computed in pools goes on in any number of them, and in one process."""

import os
from contextlib import suppress

import psutil
import pytest

from actors import supervision
from actors.coordinator import Coordinator
from actors.executor import RayExecutor
from actors.pool import ClientPool
from actors.session import RaySession
from actors.stop_sign import StopSign
from fedras_ray.checkpoints import Taken, put_back, settled
from fedras_ray.errors import ExecutorError
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import simulate
from fedras_ray.stretches import Stretch
from tests.actors.conftest import freed
from tests.actors.test_session import changed
from tests.checkpoints.stopped import begun, through_json, told
from tests.conftest import DOWNLINKS
from tests.simulation.worlds import FAULTS, NETWORKS, SCHEDULES, world

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]


def test_checkpoints_come_between_the_records_they_belong_to(cluster, small):

    settings = ["checkpoint.every_versions=1", "feedback.kind=residual", *DOWNLINKS["touched"]]
    experiment, dataset = changed(small[0], "execution.pools=2", *settings), small[1]
    expected = list(simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset)))
    said, kept = [], []
    for one in RaySession(experiment, dataset).stretches():
        if isinstance(one, Taken):
            kept.append((len(said), through_json(settled(one))))
        elif isinstance(one, Stretch):
            said += list(one)
    assert said == expected
    assert len(kept) == experiment.schedule.versions - 1
    place, plain = kept[len(kept) // 2]
    simulation, executor = begun(experiment, dataset)
    put_back(plain, simulation, executor)
    assert said[:place] + told(simulation) == expected
    three = changed(experiment, "execution.pools=3")
    assert said[:place] + list(RaySession(three, dataset, start=plain)) == expected


def test_a_session_that_is_told_to_stop_ends_with_a_checkpoint_to_go_on_from(cluster, small):
    experiment, dataset = changed(small[0], "execution.pools=2", "schedule.versions=200"), small[1]
    expected = list(simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset)))
    session = RaySession(experiment, dataset)
    said, last = [], None
    for one in session.stretches():
        session.stop()
        said += list(one) if isinstance(one, Stretch) else []
        last = one
    assert isinstance(last, Taken)
    assert last.version < 200
    plain = through_json(settled(last))
    assert said + list(RaySession(experiment, dataset, start=plain)) == expected


def victims():
    """The processes of pools on this machine that are ours."""
    found = []
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it ended just now
            found += [one] if "ray::ClientPool" in (one.cmdline() or [""])[0] else []
    return found


def test_pools_that_are_killed_are_replaced_and_the_records_stay_the_same(cluster, small, monkeypatch):
    monkeypatch.setattr(supervision, "JOURNAL_CALLS", 6)  # cut on the way
    settings = ["feedback.kind=residual", "execution.pool_restarts=9", *DOWNLINKS["touched"]]
    experiment, dataset = changed(small[0], *settings), small[1]
    expected = told(begun(experiment, dataset)[0])
    executor = RayExecutor(experiment, cluster.put(dataset), pools=2)
    simulation, _ = begun(experiment, dataset, executor)
    said = []
    for number, _ in enumerate(simulation.events()):
        if simulation.said:
            said += list(simulation.tell())
        if number in (1, 40, 100):
            for victim in victims()[:1]:
                victim.kill()
    assert said == expected


def test_a_pool_that_hangs_is_replaced_within_its_limit(cluster):
    settings = ["execution.work_limit_s=10", "execution.pool_restarts=9"]
    experiment, dataset = world(*SCHEDULES["buffered"], *settings)
    expected = told(begun(experiment, dataset)[0])
    executor = RayExecutor(experiment, cluster.put(dataset), pools=2)
    simulation, _ = begun(experiment, dataset, executor)
    said = told(simulation, 40)
    stopped = victims()[0]
    stopped.suspend()  # SIGSTOP: it is there, and answers nothing
    said += told(simulation)
    assert said == expected
    assert sum(pool.generation for pool in executor._pools) >= 1
    _, alive = psutil.wait_procs([stopped], timeout=200)  # Ray gives it some seconds, it is not waited for
    assert alive == [], "nor does it keep its cores"


@pytest.mark.parametrize("schedule", ["sync", "buffered"])
def test_pools_killed_on_purpose_and_other_faults_change_nothing_of_the_records(
    cluster, schedule, monkeypatch
):
    monkeypatch.setattr("actors.coordinator.settle", lambda: None)  # for the lifetime of a process
    limits = ["execution.pool_restarts=9"]
    broken, dataset = world(*SCHEDULES[schedule], *FAULTS, *NETWORKS["narrow and shaky"], *limits)
    expected = told(begun(broken, dataset)[0])
    experiment = changed(broken, "faults.pool_kills=[1,2,3]")
    assert experiment.digest() == broken.digest()
    sign = StopSign()
    coordinator = Coordinator(experiment, population_of(dataset), [cluster.put(dataset)], 2, sign)
    try:
        said = [record for one in coordinator.run() for record in one]
    finally:
        sign.take_down()
        freed(coordinator._executor)
    assert said == expected
    assert [pool.generation for pool in coordinator._executor._pools] == [2, 1]


def test_work_that_kills_its_pool_again_and_again_is_named(cluster, small):
    experiment, dataset = changed(small[0], "execution.pool_restarts=1"), small[1]
    executor = RayExecutor(experiment, cluster.put(dataset), pools=1, pool=Poisoned)
    simulation, _ = begun(experiment, dataset, executor)
    with pytest.raises(
        ExecutorError, match=r"(?s)pool 0, .*died.*replaced 1 times, shards 0 to 4;.*clients: \d+"
    ):
        told(simulation)


class Poisoned(ClientPool):
    """Dies of any training."""

    def train(self, work, news, *tables):
        os._exit(1)
