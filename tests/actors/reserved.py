"""What is reserved on a cluster of several nodes: ``python -m tests.actors.reserved`` tells what was seen."""

import time

import pytest
import ray
from ray.util.placement_group import placement_group_table

from actors.coordinator import Coordinator
from actors.executor import RayExecutor
from actors.reserving import PREFIX, give_back
from actors.stop_sign import StopSign
from fedras_ray.config import build
from fedras_ray.errors import ExecutorError
from fedras_ray.population import population_of
from tests.actors.conftest import freed
from tests.actors.joining import PATIENCE_S, awaited_cores, tell, world

JOINS = 10  # version


def changed(*settings):
    """What is run, but for where."""
    return build(world()[0].model_dump(mode="json"), settings)


def free():
    """The cores that nobody holds, once what was let go of is back."""
    time.sleep(0.5)
    return ray.available_resources().get("CPU", 0.0)


def groups(state):
    """The bundles of groups in a state, by group."""
    found = [one for one in placement_group_table().values() if one["state"] == state]
    return [one for one in found if one["name"].startswith(PREFIX)]


def spread(stored):
    """By placement: how many nodes three pools are on."""
    nodes = {}
    for placement in ("spread", "pack", "strict-spread"):
        asked = changed(f"execution.placement={placement}", "execution.cpus=0.5")
        executor = RayExecutor(asked, stored, pools=3)
        (group,) = groups("CREATED")
        nodes[placement] = len(set(group["bundles_to_node_id"].values()))
        assert {_node(pool.actor) for pool in executor._pools} == set(group["bundles_to_node_id"].values())
        freed(executor)
    return nodes


def _node(actor):
    return ray._private.state.actors(actor._actor_id.hex())["Address"]["NodeID"]


def refused(stored):
    """What a run without room says, and how many cores are free before, meanwhile and after."""
    asked = changed("execution.cpus=2", "execution.start_limit_s=3")
    seen = [free()]
    with pytest.raises(ExecutorError) as error:
        RayExecutor(asked, stored, pools=3)
    return {"said": str(error.value), "cores": [*seen, free()]}


def growing(cluster, stored):
    """A run that wishes for three pools where there is room for one, until a node joins."""
    experiment, dataset = changed("execution.grow_to=3"), world()[1]
    sign = StopSign()
    coordinator = Coordinator(experiment, population_of(dataset), [stored], 1, sign)
    pools, digest, version, asked, second = [1], "", 0, 0, None
    for told in coordinator.run():
        for record in told:
            digest = getattr(record, "trace_digest", digest)
            version = max(version, getattr(record, "version", 0))
        if version >= JOINS and second is None:
            asked = len(groups("PENDING"))
            second = cluster.add_node(num_cpus=2)
            _awaited(lambda: len(groups("PENDING")) == 0)
        if coordinator._executor.pools != pools[-1]:
            pools.append(coordinator._executor.pools)
    sign.take_down()
    held = free()
    give_back(coordinator._executor.run)
    return {"grown": pools, "asked": asked, "digest": digest, "held": held, "after": free()}


def _awaited(holds):
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.1)


def seen(cluster):
    """All of it."""
    stored = ray.put(world()[1])
    grown = growing(cluster, stored)
    cluster.add_node(num_cpus=2)
    awaited_cores(5)
    return grown | {"nodes": spread(stored)} | refused(stored)


if __name__ == "__main__":
    tell(seen)
