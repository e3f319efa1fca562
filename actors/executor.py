"""The executor that joins the simulation to pools on a Ray cluster.

A pool has adjoining shards, so that it can add most of their sums up itself; a hand-over is one call to each
pool that has a part in it. A version of the item table goes into the object store once and is read there by
every pool of a node, or with the call where it is small and pools are few. Ray carries out one caller's calls
to an actor in order, which is all the ordering that `Executor` asks for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import ray
from numpy.typing import NDArray

from actors import messages
from actors.calls import Call
from actors.cluster import free_resources
from actors.messages import Published
from actors.pending import fetch
from actors.placing import Begun, Placement
from actors.pool import ClientPool, News
from actors.reserving import new_run
from actors.supervision import WatchedPool
from fedras_ray.config import Experiment
from fedras_ray.errors import ExecutorError
from fedras_ray.evaluation.shards import ShardQuality
from fedras_ray.executor import Pending
from fedras_ray.server.folding import Partial, Shares
from fedras_ray.site import Rounded, ShardState
from fedras_ray.snapshots.sealed import opened
from fedras_ray.work import Assignments, Receipts, Round

Work = TypeVar("Work")
Ids = NDArray[np.int32]


class RayExecutor:
    """Pools on a cluster, as an `Executor`."""

    def __init__(
        self,
        experiment: Experiment,
        dataset: Any,
        pools: int,
        pool: type = ClientPool,
        begun: Begun | None = None,
    ) -> None:
        """Place the pools and wait until they hold their clients.

        Args:
            experiment: what they compute.
            dataset: an object reference to a `Dataset`.
            pools: how many actors.
            pool: what they are.
            begun: those that were placed already, all or none; their run's name is then that of all.

        Raises:
            ExecutorError: the cluster has no room for them within ``execution.start_limit_s``.
        """
        self._experiment, self._dataset, self._pool = experiment, dataset, pool
        self.run = begun.reservation.run if begun else new_run()
        self._views: dict[int, Published] = {}
        self._tells = False  # pools tell their state with what a round came to
        self._restarts, self._waited_s, self._peak_bytes = 0, 0.0, 0  # of pools that there are no more
        self._begin(pools, begun)

    def _begin(self, pools: int, begun: Begun | None = None) -> None:
        """Place so many, and wait until they are there."""
        self._news = [News(list(self._views), []) for _ in range(pools)]  # that a pool was not told yet
        execution = self._experiment.execution
        reserved = begun and begun.reservation
        self._placement = Placement(self._experiment, self._dataset, self._pool, pools, self.run, reserved)
        begun = begun or self._placement.first()
        self._pools = [
            WatchedPool(
                number,
                actor,
                self._placement,
                execution.start_limit_s,
                execution.work_limit_s,
                execution.pool_restarts,
            )
            for number, actor in enumerate(begun.actors)
        ]
        self._pool_of = [number for number, home in enumerate(self._placement.homes) for _ in home]  # (S,)
        try:
            self._await_start(execution.start_limit_s)
        except ExecutorError:
            self.close()
            raise

    def resize(self, pools: int) -> None:
        """Go on with another number of pools, which have from now on what these have.

        Whatever these were asked is answered first, so that none is needed any more.

        Raises:
            ExecutorError: there is no room for the new ones.
        """
        states = [one for call in self.states() for one in opened(call.result())]
        self._peak_bytes = self.peak_rss_bytes()
        self._restarts, self._waited_s = self.restarts_and_waits()
        for pool in self._pools:
            pool.let_go()
        self._placement.give_back()
        self._begin(pools)
        self.put_back(states, {})

    def close(self) -> None:
        """End all pools, and let go of their room."""
        for pool in self._pools:
            ray.kill(pool.actor)
        self._placement.give_back()

    def _await_start(self, limit_s: float) -> None:
        starting = [pool.actor.ready.remote() for pool in self._pools]
        _, missing = ray.wait(starting, num_returns=len(starting), timeout=limit_s)
        if missing:
            raise ExecutorError(
                f"{len(missing)} of {len(starting)} pools did not start within {limit_s:g} s: each asks for "
                f"{self._placement.asked} ({self._experiment.execution.placement}), and {free_resources()} "
                "are free; ask for fewer with --pools, or raise execution.start_limit_s"
            )
        for number, reference in enumerate(starting):
            fetch(reference, f"pool {number}", limit_s)

    def publish(self, view: int, table: NDArray[np.float32]) -> None:
        """See `Executor.publish`; a pool is told with the next work that may need it."""
        self._views[view] = Published(table)
        for news in self._news:
            news.views.append(view)

    def retire(self, view: int) -> None:
        """See `Executor.retire`; a pool that never heard of the view will not."""
        for news in self._news:
            if view in news.views:
                news.views.remove(view)
            else:
                news.retired.append(view)
        self._views.pop(view, None)

    def requests(self, turns: Mapping[int, Sequence[tuple[int, int]]]) -> list[Call[dict[int, Ids]]]:
        """See `Executor.requests`."""
        return [
            self._pools[pool].call("requests", (mine,), "asked for rows") for pool, mine in self._split(turns)
        ]

    def train(self, work: Mapping[int, Assignments]) -> list[Call[Receipts]]:
        """See `Executor.train`."""
        return [
            self._pools[pool].call(
                "train",
                (messages.orders(mine), *self._news_for(pool)),
                f"at {sum(map(len, mine.values()))} turns",
                messages.answered,
            )
            for pool, mine in self._split(work)
        ]

    def round(self, work: Mapping[int, Round]) -> list[Call[Rounded]]:
        """See `Executor.round`."""
        return [
            self._pools[pool].round(
                (messages.rounds(mine), self._tells, *self._news_for(pool)),
                f"at a round of {sum(len(one.assignments) for one in mine.values())} turns",
            )
            for pool, mine in self._split(work)
        ]

    def fold(
        self, shares: Mapping[int, Shares], gone: Mapping[int, Sequence[tuple[int, int]]]
    ) -> list[Call[list[Partial]]]:
        """See `Executor.fold`."""
        mine, theirs = dict(self._split(shares)), dict(self._split(gone))
        return [
            self._pools[pool].call(
                "fold",
                (messages.shares(mine.get(pool, {})), messages.gone(theirs.get(pool, {}))),
                "at a sum of updates",
                messages.summed,
            )
            for pool in sorted(mine.keys() | theirs.keys())
        ]

    def evaluate(self, shard: int, views: NDArray[np.int64], training: Sequence[int]) -> Call[ShardQuality]:
        """See `Executor.evaluate`."""
        pool = self._pool_of[shard]
        args = shard, views, list(training), *self._news_for(pool)
        call: Call[ShardQuality] = self._pools[pool].call(
            "evaluate", args, f"at an evaluation of shard {shard}"
        )
        return call

    def tell_states(self, often: bool) -> None:
        """See `KeepingExecutor.tell_states`."""
        self._tells = often

    def states(self, at_work: Collection[int] | None = None) -> list[Pending[bytes]]:
        """See `KeepingExecutor.states`."""
        return [pool.states(at_work) for pool in self._pools]

    def views(self) -> dict[int, Pending[NDArray[np.float32]]]:
        """See `KeepingExecutor.views`."""
        width, limit_s = self._experiment.model.width, self._experiment.execution.work_limit_s
        return {view: published.apart(width, limit_s) for view, published in self._views.items()}

    @property
    def pools(self) -> int:
        """How many there are."""
        return len(self._pools)

    def lose_pool(self, number: int) -> None:
        """Kill a pool, counted around, as if it had died; it is found dead when it is needed."""
        ray.kill(self._pools[number % len(self._pools)].actor)

    def put_back(self, states: Sequence[ShardState], views: Mapping[int, NDArray[np.float32]]) -> None:
        """See `KeepingExecutor.put_back`."""
        for pool, mine in self._split({one.shard: one for one in states}):
            self._pools[pool].put_back(list(mine.values()))
        for view, table in views.items():
            self.publish(view, table)

    def restarts_and_waits(self) -> tuple[int, float]:
        """How often pools were placed anew, and for how many seconds they were waited for, so far."""
        restarts = self._restarts + sum(pool.generation for pool in self._pools)
        return restarts, self._waited_s + sum(pool.waited_s for pool in self._pools)

    def peak_rss_bytes(self) -> int:
        """The most memory the pools held, added up: of those at any one time."""
        calls = [pool.call("peak_rss_bytes", (), "asked for its memory") for pool in self._pools]
        now: int = sum(call.result() for call in calls)
        return max(self._peak_bytes, now)

    def _news_for(self, pool: int) -> tuple[Any, ...]:
        """What a pool is told, and the tables that belong to it."""
        news, self._news[pool] = self._news[pool], News([], [])
        pools, beside = len(self._pools), len(news.views) - 1
        tables = tuple(self._views[view].given(pools, beside) for view in news.views)
        return self._pools[pool].tell(news, tables)

    def _split(self, work: Mapping[int, Work]) -> list[tuple[int, dict[int, Work]]]:
        """Work of shards as work of pools, in the order of pools."""
        parts: dict[int, dict[int, Work]] = {}
        for shard, mine in work.items():
            parts.setdefault(self._pool_of[shard], {})[shard] = mine
        return sorted(parts.items())
