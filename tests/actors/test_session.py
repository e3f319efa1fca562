"""Ray computes the same as one process does, whatever the number of pools, and its failures are ours."""

import gc
import threading
import time

import psutil
import pytest

from actors.executor import RayExecutor
from actors.pending import fetch
from actors.session import RaySession
from fedras_ray.config import build
from fedras_ray.errors import ClientError, ExecutorError
from fedras_ray.executor import SerialExecutor
from fedras_ray.records import EndRecord
from fedras_ray.trained import Trained, trained
from fedras_ray.work import Assignment, Assignments
from tests.checkpoints.stopped import begun, told
from tests.conftest import DOWNLINKS

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]

only_sync = pytest.mark.parametrize("small", ["sync"], indirect=True)


def changed(experiment, *overrides):
    return build(experiment.model_dump(mode="json", exclude_none=True), overrides)


@pytest.mark.parametrize(("pools", "downlink"), [(1, "whole"), (2, "lanes"), (3, "touched")])
def test_any_number_of_pools_gives_the_records_and_the_model_of_one_process(cluster, small, pools, downlink):
    settings = [f"execution.pools={pools}", "tracking.model=true", *DOWNLINKS.get(downlink, [])]
    experiment, dataset = changed(small[0], *settings), small[1]
    session = RaySession(experiment, dataset)
    *told_before, found = session.stretches()
    assert session.pools == pools
    assert session.peak_rss_bytes > pools * 50_000_000
    records = [record for one in told_before for record in one]
    assert isinstance(records[-1], EndRecord)
    simulation, executor = begun(experiment, dataset)
    assert records == told(simulation)
    assert isinstance(found, Trained)
    for ours, theirs in zip(found, trained(simulation, executor), strict=True):
        assert (ours == theirs).all()


@only_sync
def test_a_run_leaves_no_classes_behind(cluster, small):
    """Ray makes some for each kind of actor that it is told of, and never lets go of them."""
    classes = []
    for _ in range(3):
        assert list(RaySession(*small))
        gc.collect()
        classes.append(sum(issubclass(type(one), type) for one in gc.get_objects()))
    assert classes[1] == classes[2]


@only_sync
def test_an_error_in_a_pool_arrives_as_it_was_raised(cluster, small):
    experiment, dataset = small
    session = RaySession(
        changed(experiment, "training.item_rate=1e30", "training.private_rate=1e30"), dataset
    )
    with pytest.raises(ClientError, match=r"client \d+ on model version 0: its update is not finite; lower"):
        list(session)


@only_sync
def test_a_pool_that_dies_is_named(cluster, small):
    experiment, dataset = changed(small[0], "execution.pool_restarts=0"), small[1]
    executor = RayExecutor(experiment, cluster.put(dataset), pools=2)
    victims = [
        one
        for one in psutil.process_iter(["cmdline"])
        if "ray::ClientPool" in (one.info["cmdline"] or [""])[0]
    ]
    assert victims
    for victim in victims:
        victim.kill()
    with pytest.raises(ExecutorError, match=r"pool \d, at an evaluation of shard \d, died"):
        [executor.evaluate(shard, dataset.train.offsets[:1], []).result() for shard in range(2)]


@only_sync
def test_pools_that_do_not_fit_are_refused_in_time(cluster, small):
    experiment, dataset = small
    greedy = [
        cluster.remote(_Hog).options(num_cpus=1).remote()
        for _ in range(int(cluster.cluster_resources()["CPU"]))
    ]
    cluster.get([one.ready.remote() for one in greedy], timeout=300)
    try:
        with pytest.raises(ExecutorError, match="2 of 2 pools did not start within 2 s"):
            RayExecutor(changed(experiment, "execution.start_limit_s=2"), cluster.put(dataset), pools=2)
    finally:
        for one in greedy:
            cluster.kill(one)


def test_a_silent_actor_is_an_error_in_time(cluster):
    sleeper = cluster.remote(_Hog).options(num_cpus=0).remote()
    with pytest.raises(ExecutorError, match=r"the sleeper did not answer within 0\.5 s"):
        fetch(sleeper.sleep.remote(60), "the sleeper", 0.5)
    cluster.kill(sleeper)


@only_sync
def test_a_view_is_shared_memory_that_nobody_writes(cluster, small):
    experiment, dataset = small
    executor = RayExecutor(experiment, cluster.put(dataset), pools=1)
    table = SerialExecutor(experiment, dataset).site.clients._model.initial_items(dataset.item_count, _rng())
    executor.publish(0, table)
    first = int((dataset.train.counts() > 0).argmax())
    shard = first % experiment.execution.shards
    (part,) = executor.train({shard: Assignments.of([Assignment(first, 0, 0, 0, None)])})
    assert part.result()[0].client == first
    executor.retire(0)


def _rng():
    from fedras_ray.streams import Purpose, stream

    return stream(1, Purpose.ITEM_TABLE)


class _Hog:
    def ready(self):
        return True

    def sleep(self, duration_s):
        threading.Event().wait(duration_s)
        return time.monotonic()
