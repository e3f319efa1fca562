"""A run on a cluster that a node joins and leaves: ``python -m tests.actors.joining`` tells what was seen."""

import json
import sys
import time

import pytest
import ray
from ray.cluster_utils import Cluster

from actors import following
from actors.coordinator import Coordinator
from actors.session import RaySession
from actors.stop_sign import StopSign
from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.population import population_of
from tests.actors.conftest import freed
from tests.conftest import SMALL

ENVIRONMENT = {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
JOINS, GOES = 10, 25  # versions
PATIENCE_S = 60


def world():
    """What is run."""
    experiment = build({}, [*SMALL, "schedule.versions=40", "schedule.clients_per_version=20"])
    return experiment, load(experiment.data, experiment.seed)


def awaited_cores(count):
    """Until the cluster has so many."""
    until_s = time.monotonic() + PATIENCE_S
    while ray.cluster_resources().get("CPU") != count:
        assert time.monotonic() < until_s, f"no {count} cores, but {ray.cluster_resources()}"
        time.sleep(0.1)


def run(cluster):
    """What was seen: numbers of pools, client updates by version, the digest of the trace."""
    experiment, dataset = world()
    sign = StopSign()
    coordinator = Coordinator(experiment, population_of(dataset), [ray.put(dataset)], 1, sign)
    pools, updates, digest, version, second = [1], [], "", 0, None
    for told in coordinator.run():
        for record in told:
            digest = getattr(record, "trace_digest", digest)
            if not hasattr(record, "client_updates"):
                continue
            updates.append(record.client_updates)
            version = max(version, getattr(record, "version", 0))
            if version == JOINS and second is None:
                second = cluster.add_node(num_cpus=2)
                awaited_cores(3)
            if version == GOES and second:
                cluster.remove_node(second, allow_graceful=True)  # one that dies is in `outliving`
                awaited_cores(1)
                second = False
        if coordinator._executor.pools != pools[-1]:
            pools.append(coordinator._executor.pools)
    sign.take_down()
    freed(coordinator._executor)
    return {"pools": pools, "updates": updates, "digest": digest}


def outliving(cluster):
    """The digest of a session whose other node, with most of its cores, is gone in the middle."""
    second = cluster.add_node(num_cpus=3)
    awaited_cores(4)
    digest, version = "", 0
    for told in RaySession(*world()).stretches():
        for record in told:
            digest = getattr(record, "trace_digest", digest)
            version = getattr(record, "version", version)
        if version >= JOINS and second:
            cluster.remove_node(second, allow_graceful=False)
            second = None
    assert second is None
    return digest


def tell(seen):
    """Print what `seen` finds on a cluster of one node with one core, where pools follow at every look."""
    following.LOOK_S = 0.0
    with pytest.MonkeyPatch.context() as patched:
        for name, value in ENVIRONMENT.items():
            patched.setenv(name, value)
        cluster = Cluster()
        try:
            cluster.add_node(num_cpus=1, include_dashboard=False)
            ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
            found = seen(cluster)
        finally:
            ray.shutdown()
            cluster.shutdown()
    sys.stdout.write(json.dumps(found) + "\n")  # after the last words of nodes


if __name__ == "__main__":
    tell(lambda cluster: run(cluster) | {"outlived": outliving(cluster)})
