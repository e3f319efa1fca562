"""Room for pools is reserved for all of them or for none, spread as asked, wished for, and given back."""

import json
import os
import subprocess
import sys
import time

import pytest
import ray

from actors.cluster import bundle, cores_per_pool, pool_count, pool_room
from actors.executor import RayExecutor
from actors.placing import Placement
from actors.reserving import Reservation, give_back, new_run
from fedras_ray.config import build
from tests.actors import joining
from tests.checkpoints.stopped import begun, told

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def seen():
    """On a cluster of its own, in a process of its own, as another one is open here."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    said = subprocess.run(
        [sys.executable, "-m", "tests.actors.reserved"], env=ours, capture_output=True, text=True, timeout=600
    )
    assert said.returncode == 0, said.stderr[-3_000:]
    return json.loads(said.stdout.splitlines()[-1])


def test_pools_are_spread_or_packed_as_asked(seen):
    assert seen["nodes"] == {"spread": 3, "pack": 1, "strict-spread": 3}


def test_who_does_not_fit_holds_nothing_and_is_told_what_is_free(seen):
    """Two of three pools would fit, each on a node of two cores; the fifth core is of no use to them."""
    assert (
        "3 of 3 pools did not start within 3 s: each asks for 2 cores (spread), and 5 cores" in seen["said"]
    )
    assert "on 3 nodes are free" in seen["said"]
    assert seen["cores"] == [5.0, 5.0]


def test_who_wishes_for_more_gets_it_with_a_node_and_gives_it_back(seen):
    experiment, dataset = joining.world()
    assert seen["asked"] == 2, "groups that the autoscaler sees waiting"
    assert seen["grown"] == [1, 3]
    assert seen["digest"] == told(begun(experiment, dataset)[0])[-1].trace_digest
    assert (seen["held"], seen["after"]) == (0.0, 3.0)


def test_what_a_dead_actor_reserved_is_found_by_the_name_of_the_run(cluster):
    run, free = new_run(), cluster.available_resources()["CPU"]
    execution = build({}, ["execution.cpus=0.5"]).execution

    class Reserving:
        def reserve(self):
            self.reservation = Reservation(run, bundle(execution, 1), 1, execution)
            return self.reservation.is_there(0)

    actor = cluster.remote(Reserving).options(num_cpus=0).remote()
    assert cluster.get(actor.reserve.remote(), timeout=60)
    cluster.kill(actor)
    give_back(run + "0")
    assert _free(cluster) == free - 0.5, "of another run"
    give_back(run)
    assert _free(cluster, free) == free


def _free(cluster, awaited=None):
    until_s = time.monotonic() + (10 if awaited else 1)
    while (free := cluster.available_resources().get("CPU", 0.0)) != awaited and time.monotonic() < until_s:
        time.sleep(0.05)
    return free


def test_a_node_without_room_for_a_pool_is_not_there(cluster):
    execution = build({}, ["execution.cpus=1000"]).execution
    reservation = Reservation(new_run(), bundle(execution, 1), 1, execution)
    assert not reservation.is_there(0)
    reservation.give_back()


SHARES, WAITS = {"num_cpus": 0, "scheduling_strategy": "elsewhere"}, "reserved"


@pytest.mark.parametrize(
    ("settings", "is_there", "placed"),
    [
        (["execution.memory_bytes=1000"], False, SHARES),
        ([], True, WAITS),
        (["execution.pools=2"], False, WAITS),
        (["execution.device=cuda", "execution.gpus=0.5"], False, WAITS),
    ],
)
def test_a_pool_whose_room_is_gone_shares_or_waits(monkeypatch, settings, is_there, placed):
    class Room:
        def is_there(self, number):
            return is_there

        def place_of(self, number):
            return WAITS

    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 2.0, "GPU": 1.0})
    monkeypatch.setattr("actors.placing.elsewhere", lambda number: "elsewhere")
    placement = Placement(build({}, settings), None, object, 2, "run", Room())
    monkeypatch.setattr(placement, "_placed", lambda number, options: options)
    found = placement.anew(1)
    assert found == placed or found["scheduling_strategy"] == placed


def test_an_executor_that_is_closed_holds_nothing(cluster):
    experiment, dataset = joining.world()
    free = _free(cluster)
    executor = RayExecutor(experiment, cluster.put(dataset), pools=2)
    assert _free(cluster) < free
    executor.close()
    assert _free(cluster, free) == free


@pytest.mark.parametrize(
    ("settings", "pools", "asked"),
    [
        ([], 2, {"CPU": 1.0}),
        ([], 16, {"CPU": 0.5}),
        (["execution.cpus=2"], 16, {"CPU": 2.0}),
        (["execution.memory_bytes=1000"], 16, {"CPU": 0.5, "memory": 1000}),
        (["execution.device=cuda"], 2, {"CPU": 1.0, "GPU": 2.0}),
        (["execution.gpus=0.5"], None, {"CPU": 1.0, "GPU": 0.5}),
        (["execution.device=cuda"], None, {"CPU": 1.0, "GPU": 1.0}),
        (["execution.cpus=3"], None, {"CPU": 3.0}),
        (["execution.threads=2"], 2, {"CPU": 2.0}),
        (["execution.threads=2"], 16, {"CPU": 0.5}),
        (["execution.threads=2"], None, {"CPU": 2.0}),
        (["execution.threads=2", "execution.cpus=1"], 2, {"CPU": 1.0}),
    ],
)
def test_a_pool_asks_for_what_is_configured_else_for_its_share(monkeypatch, settings, pools, asked):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0, "GPU": 4.0})
    assert bundle(build({}, settings).execution, pools) == asked


def test_where_no_two_share_a_node_there_is_one_a_node(monkeypatch):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0})
    monkeypatch.setattr(ray, "available_resources", lambda: {"CPU": 6.0})
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True}, {"Alive": True}, {"Alive": False}])
    execution = build({}, ["execution.placement=strict-spread"]).execution
    assert (pool_count(execution), pool_room(execution, 1)) == (2, 2)
    asked = build({}, ["execution.placement=strict-spread", "execution.pools=3"]).execution
    assert pool_count(asked) == 3, "who asks for more waits for a node"


@pytest.mark.parametrize("setting", ["execution.cpus=2", "execution.threads=2"])
def test_pools_that_ask_for_two_cores_are_half_as_many(monkeypatch, setting):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0})
    monkeypatch.setattr(ray, "available_resources", lambda: {"CPU": 2.0})
    execution = build({}, [setting]).execution
    assert pool_count(execution) == 4
    assert cores_per_pool(execution, 3) == 2.0
    assert pool_room(execution, 2) == 3
    assert pool_room(execution, 1, held=2) == 4
