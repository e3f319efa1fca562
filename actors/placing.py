"""How pools are placed on a cluster: what they ask for, and where a pool goes whose node is gone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.cluster import cores_per_pool, free_cores, gpus_per_pool
from fedras_ray.config import Experiment


def beside_driver() -> NodeAffinitySchedulingStrategy:
    """On the driver's own node, for a coordinator: a run ends with that node anyway, and with no other one.

    Left to itself Ray puts it where the least is going on, which is any node once pools are placed; with a
    soft affinity, too. It asks for no core, so there is room for it.
    """
    return NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)


class Placement:
    """Of so many pools.

    A pool has adjoining shards: `homes`, the first and the last of each.

    Args:
        experiment: what they compute, and what each asks for.
        dataset: an object reference to a `Dataset`.
        pool: what they are.
        pools: how many.

    Raises:
        ExecutorError: they need a GPU, and there is none.
    """

    def __init__(self, experiment: Experiment, dataset: Any, pool: type, pools: int) -> None:
        execution = experiment.execution
        self._experiment, self._dataset = experiment, dataset
        self._actor: Any = ray.remote(pool)  # once: every time it is sent to the cluster
        edges = [number * execution.shards // pools for number in range(pools + 1)]
        self.homes = [range(first, last) for first, last in pairwise(edges)]
        self._follows = execution.pools_follow
        self._asked: dict[str, Any] = {
            "num_cpus": cores_per_pool(pools),
            "num_gpus": gpus_per_pool(execution, pools),
            "memory": execution.memory_bytes or None,
        }

    def first(self) -> list[Any]:
        """An actor for each pool, with its shards as they begin; none is waited for."""
        return [self._placed(shards, self._asked) for shards in self.homes]

    def anew(self, shards: range) -> Any:
        """Another one in its place.

        Where nobody asked for a number of pools and no core is free, it does not wait for one, but shares
        those that there are: the number of pools follows soon.
        """
        crowded = self._follows and free_cores() < self._asked["num_cpus"]
        return self._placed(shards, self._asked | {"num_cpus": 0} if crowded else self._asked)

    def _placed(self, shards: range, asked: dict[str, Any]) -> Any:
        options: dict[str, Any] = {**asked, "scheduling_strategy": "SPREAD", "enable_task_events": False}
        return self._actor.options(**options).remote(self._experiment, self._dataset, shards)
