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
from fedras_ray.checkpoints import put_back, settled, take
from fedras_ray.errors import ExecutorError
from fedras_ray.executor import Done, SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import simulate
from fedras_ray.stretches import Stretch
from fedras_ray.trained import Notice
from tests.actors.conftest import freed
from tests.actors.test_session import changed, only_sync
from tests.checkpoints.stopped import begun, told
from tests.checkpoints.test_files import Full
from tests.conftest import DOWNLINKS
from tests.simulation.worlds import FAULTS, NETWORKS, SCHEDULES, world
from workloads.checkpoints import files
from workloads.checkpoints.files import about, checkpoints, newest
from workloads.checkpoints.keeper import InStore
from workloads.checkpoints.store import LocalStore

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]


def records_of(found):
    """All that had been said when a checkpoint was taken."""
    return [record for stretch in [*found.parted, *found.tail] for record in stretch]


def test_a_checkpoint_is_of_the_records_that_are_kept_with_it(cluster, small, tmp_path):
    settings = ["checkpoint.every_versions=1", "feedback.kind=residual", *DOWNLINKS["touched"]]
    experiment, dataset = changed(small[0], "execution.pools=2", *settings), small[1]
    expected = list(simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset)))
    store = LocalStore(tmp_path / "kept")
    keeping = InStore.of(store, about(experiment, dataset), 99, None)
    assert list(RaySession(experiment, dataset, keeping=keeping)) == expected
    names = checkpoints(store)
    assert len(names) > 1
    found = files.found(store, names[len(names) // 2], about(experiment, dataset))
    simulation, executor = begun(experiment, dataset)
    put_back(found.plain, simulation, executor)
    assert records_of(found) + told(simulation) == expected
    alone = changed(experiment, "execution.pools=1")
    found = files.found(store, names[len(names) // 2], about(experiment, dataset))
    keeping = InStore.of(store, about(experiment, dataset), 2, found)
    assert records_of(found) + list(RaySession(alone, dataset, None, found.plain, keeping)) == expected


def test_states_come_along_with_rounds_where_they_are_always_asked_for(cluster):
    """With one pool they are, to the byte, those of one process; other calls and other times are asked."""
    experiment, dataset = world(*SCHEDULES["sync"], "feedback.kind=residual", "execution.pool_restarts=9")
    executor, alone = RayExecutor(experiment, cluster.put(dataset), pools=1), begun(experiment, dataset)
    simulation, _ = begun(experiment, dataset, executor)
    executor.tell_states(True)
    (pool,), theirs, seen = executor._pools, alone[0].events(), []
    for _ in simulation.events():
        next(theirs)
        if simulation.version == len(seen) or simulation.is_computing:
            continue
        (found,) = executor.states(simulation.at_work())
        (expected,) = alone[1].states(alone[0].at_work())
        assert found.result() == expected.result()
        seen.append(isinstance(found, Done))
        if simulation.version == 2:  # another one has the same, though this one is gone
            victims()[0].kill()
    assert len(seen) == experiment.schedule.versions
    assert all(seen)
    assert not isinstance(executor.states()[0], Done), "where nobody knows who is at work"
    executor.tell_states(False)
    assert pool.generation == 1


@pytest.mark.parametrize("schedule", ["sync", "buffered"])
def test_states_are_asked_for_where_they_did_not_come_along(cluster, schedule):
    experiment, dataset = world(*SCHEDULES[schedule])
    executor = RayExecutor(experiment, cluster.put(dataset), pools=1)
    simulation, _ = begun(experiment, dataset, executor)
    executor.tell_states(schedule == "buffered")  # which has no rounds
    for _ in simulation.events():
        if simulation.version == 2:
            break
    assert not isinstance(executor.states(frozenset())[0], Done)


def test_a_session_that_is_told_to_stop_ends_with_a_checkpoint_to_go_on_from(cluster, small, tmp_path):
    experiment, dataset = changed(small[0], "execution.pools=1", "schedule.versions=200"), small[1]
    expected = list(simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset)))
    store, asked = LocalStore(tmp_path / "kept"), about(experiment, dataset)
    session = RaySession(experiment, dataset, keeping=InStore.of(store, asked, 2, None))
    said = []
    for one in session.stretches():
        session.stop()
        said += one
    found = newest(store, asked)
    assert 0 < found.plain.version < 200
    assert records_of(found) == said
    simulation, executor = begun(experiment, dataset)
    put_back(found.plain, simulation, executor)
    assert said + told(simulation) == expected


def test_checkpoints_that_cannot_be_kept_are_told_from_afar(cluster, small, tmp_path):
    experiment, dataset = changed(small[0], "execution.pools=2", "checkpoint.every_versions=1"), small[1]
    expected = list(simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset)))
    keeping = InStore.of(Full(LocalStore(tmp_path / "kept"), 0), about(experiment, dataset), 2, None)
    said = list(RaySession(experiment, dataset, keeping=keeping).stretches())
    texts = [one.text for one in said if isinstance(one, Notice)]
    assert "the checkpoint of version 1 cannot be kept: [Errno 28] No space left on device" in texts[0]
    assert [record for one in said if isinstance(one, Stretch) for record in one] == expected


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
            if number == 40:  # who waits apart learns it, and leaves it to the simulation to replace the pool
                before = [pool.generation for pool in executor._pools]
                with pytest.raises(ExecutorError, match="died"):
                    settled(take(simulation, executor))
                assert [pool.generation for pool in executor._pools] == before
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


@only_sync
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

    def round(self, work, tells, news, *tables):
        os._exit(1)
