"""The number of pools may change during a run, and follows the cluster; the records stay the same."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import ray

from actors import following
from actors.cluster import pool_room
from actors.executor import RayExecutor
from actors.following import Following
from fedras_ray.config import build
from fedras_ray.data import load
from tests.actors import joining
from tests.actors.conftest import freed
from tests.checkpoints.stopped import begun, events_of, told
from tests.conftest import DOWNLINKS, SCHEDULES, SMALL

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]

SIZES = [3, 1, 2]  # pools from one event to another; three have one shard each


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
def test_pools_may_become_more_and_fewer_between_any_two_events(cluster, schedule):
    settings = ["execution.shards=3", "feedback.kind=residual", *DOWNLINKS["touched"]]
    experiment = build({}, [*SMALL, *SCHEDULES[schedule], *settings])
    dataset = load(experiment.data, experiment.seed)
    expected, events = told(begun(experiment, dataset)[0]), events_of(experiment, dataset)
    changes = dict(zip((events * np.array([0.1, 0.4, 0.7])).astype(int).tolist(), SIZES, strict=True))
    executor = RayExecutor(experiment, cluster.put(dataset), pools=1)
    simulation, _ = begun(experiment, dataset, executor)
    said, seen = [], []
    for number, _ in enumerate(simulation.events()):
        if simulation.said:
            said += list(simulation.tell())
        if number in changes:
            if changes[number] == 1:  # one of three is dead by then, and nobody knows it
                executor.lose_pool(1)
            executor.resize(changes[number])
            seen.append(executor.pools)
    freed(executor)
    assert said == expected
    assert seen == SIZES
    assert executor.restarts_and_waits()[0] >= 1, "what went before is counted too"


class Seen:
    """An executor that only has pools."""

    run = "seen"

    def __init__(self, pools):
        self.pools = pools

    def resize(self, pools):
        self.pools = pools


def test_a_change_counts_when_it_was_seen_twice(monkeypatch):
    rooms = iter([2, 3, 2, 4, 4, 4, 1, 1])
    monkeypatch.setattr(following, "LOOK_S", 0.0)
    monkeypatch.setattr(following, "pool_room", lambda execution, pools, held: next(rooms))
    executor = Seen(2)
    looks = Following(build({}), executor)
    found = []
    for _ in range(8):
        looks.look()
        found.append(executor.pools)
    assert found == [2, 2, 2, 2, 4, 4, 4, 1]


@pytest.mark.parametrize("settings", [["execution.pools=2"], ["execution.follows_cluster=false"]])
def test_who_asked_for_a_number_keeps_it(monkeypatch, settings):
    monkeypatch.setattr(following, "LOOK_S", 0.0)
    monkeypatch.setattr(following, "pool_room", lambda execution, pools, held: 9)
    executor = Seen(2)
    looks = Following(build({}, settings), executor)
    for _ in range(3):
        looks.look()
    assert executor.pools == 2


ROOMS = [(4, 2.0, 2, 4), (4, 0.0, 2, 2), (1, 0.0, 3, 1), (3, 2.0, 1, 3), (64, 60.0, 4, 8)]


@pytest.mark.parametrize(("cores", "free", "pools", "room"), ROOMS)
def test_room_is_what_is_free_and_what_one_has(monkeypatch, cores, free, pools, room):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": float(cores)})
    monkeypatch.setattr(ray, "available_resources", lambda: {"CPU": free})
    assert pool_room(build({}, ["execution.shards=8"]).execution, pools) == room


def test_a_node_that_joins_brings_pools_and_one_that_goes_takes_only_them_along():
    """A cluster of its own, in a process of its own, as another one is open here."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    said = subprocess.run(
        [sys.executable, "-m", "tests.actors.joining"], env=ours, capture_output=True, text=True, timeout=600
    )
    assert said.returncode == 0, said.stderr[-3_000:]
    found = json.loads(said.stdout.splitlines()[-1])
    experiment, dataset = joining.world()
    records = told(begun(experiment, dataset)[0])
    assert found["digest"] == found["outlived"] == records[-1].trace_digest
    assert found["updates"] == [one.client_updates for one in records if hasattr(one, "client_updates")]
    assert found["pools"] == [1, 3, 1]
