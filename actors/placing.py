"""How pools are placed on a cluster: what they ask for, and where a pool goes whose node is gone."""

from __future__ import annotations

import functools
from itertools import pairwise
from typing import Any, NamedTuple

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.cluster import bundle, told
from actors.reserving import Reservation, elsewhere
from fedras_ray.config import Experiment


def beside_driver() -> NodeAffinitySchedulingStrategy:
    """On the driver's own node, for a coordinator: a run ends with that node anyway, and with no other one.

    Left to itself Ray puts it where the least is going on, which is any node once pools are placed; with a
    soft affinity, too. It asks for no core, so there is room for it.
    """
    return NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)


@functools.cache
def actor_class(kind: type) -> Any:
    """What actors of a kind are made of, once in a process: Ray makes classes for it, and keeps them."""
    return ray.remote(kind)


class Begun(NamedTuple):
    """Pools that were placed and not waited for."""

    actors: list[Any]
    reservation: Reservation


class Placement:
    """Of so many pools, in room that is reserved for all of them together.

    A pool has adjoining shards: `homes`, the first and the last of each.

    Args:
        experiment: what they compute, and what each asks for.
        dataset: an object reference to a `Dataset`.
        pool: what they are.
        pools: how many.
        run: under whose name their room is reserved.
        reservation: their room, if it is reserved already.

    Raises:
        ExecutorError: they need a GPU, and there is none.
    """

    def __init__(
        self,
        experiment: Experiment,
        dataset: Any,
        pool: type,
        pools: int,
        run: str,
        reservation: Reservation | None = None,
    ) -> None:
        execution = experiment.execution
        self._experiment, self._dataset = experiment, dataset
        self._actor: Any = actor_class(pool)
        edges = [number * execution.shards // pools for number in range(pools + 1)]
        self.homes = [range(first, last) for first, last in pairwise(edges)]
        self._follows = execution.pools_follow
        asked = bundle(execution, pools)
        self.asked = told(asked)  # by each of them
        self.reservation = reservation or Reservation(run, asked, pools, execution)
        self._asked: dict[str, Any] = {
            "num_cpus": asked["CPU"],
            "num_gpus": asked.get("GPU", 0),
            "memory": asked.get("memory"),
        }

    def first(self) -> Begun:
        """An actor for each pool, with its shards as they begin; none is waited for."""
        return Begun([self._reserved(number) for number in range(len(self.homes))], self.reservation)

    def anew(self, number: int) -> Any:
        """Another one in place of a pool.

        Where nobody asked for a number of pools and there is no room for this one, it does not wait for any,
        but shares the cores that there are: the number of pools follows soon. A GPU it waits for.
        """
        if self._follows and not self._asked["num_gpus"] and not self.reservation.is_there(number):
            return self._placed(number, {"num_cpus": 0, "scheduling_strategy": elsewhere(number)})
        return self._reserved(number)

    def give_back(self) -> None:
        """End the pools, but for those that share, and let go of their room."""
        self.reservation.give_back()

    def _reserved(self, number: int) -> Any:
        place = self.reservation.place_of(number)
        return self._placed(number, {**self._asked, "scheduling_strategy": place})

    def _placed(self, number: int, options: dict[str, Any]) -> Any:
        actor = self._actor.options(**options, enable_task_events=False)
        return actor.remote(self._experiment, self._dataset, self.homes[number])
