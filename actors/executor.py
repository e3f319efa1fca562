"""The executor that joins the simulation to pools on a Ray cluster.

A pool has adjoining shards for the whole run, so that it can add most of their sums up itself; a hand-over is
one call to each pool that has a part in it. A version of the item table goes into the object
store once and is read there by every pool of a node. Ray carries one caller's calls to an actor out
in order, which is all the ordering that `Executor` asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import ray
from numpy.typing import NDArray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError

from actors.cluster import cores_per_pool, free_cores
from actors.pool import ClientPool, News, plain, receipts
from fedras_ray.clients import Assignment
from fedras_ray.config import Experiment
from fedras_ray.errors import ExecutorError, FedrasError
from fedras_ray.evaluation.shards import ShardQuality
from fedras_ray.server.folding import Partial, Share
from fedras_ray.site import Receipt

Result = TypeVar("Result")
Work = TypeVar("Work")
Ids = NDArray[np.int32]


class RayPending(Generic[Result]):
    """A call to a pool; asked once, and remembered."""

    def __init__(
        self, reference: Any, what: str, limit_s: float, read: Callable[[Any], Result] = lambda sent: sent
    ) -> None:
        """`read` makes the result of what was sent."""
        self._reference = reference
        self._what = what
        self._limit_s = limit_s
        self._read = read
        self._value: list[Result] = []

    def result(self) -> Result:
        """See `Pending.result`."""
        if not self._value:
            self._value.append(self._read(fetch(self._reference, self._what, self._limit_s)))
            self._reference = None  # the object store may forget it
        return self._value[0]


def fetch(reference: Any, what: str, limit_s: float) -> Any:
    """`ray.get` with a limit, and with errors of ours.

    Raises:
        FedrasError: whatever of ours was raised over there, as it was raised.
        ExecutorError: the actor died, or did not answer in time.
    """
    try:
        return ray.get(reference, timeout=limit_s)
    except GetTimeoutError as error:
        raise ExecutorError(
            f"{what} did not answer within {limit_s:g} s; raise execution.work_limit_s, or look at "
            "'ray status' for a node that is gone"
        ) from error
    except RayTaskError as error:
        if isinstance(error.cause, FedrasError):
            raise error.cause from None
        raise ExecutorError(f"{what} failed: {error}") from error
    except RayActorError as error:
        raise ExecutorError(f"{what} died: {error}") from error
    except RayError as error:
        raise ExecutorError(f"{what} is out of reach: {error}") from error


class RayExecutor:
    """Pools on a cluster, as an `Executor`."""

    def __init__(self, experiment: Experiment, dataset: Any, pools: int, pool: type = ClientPool) -> None:
        """Place the pools and wait until they hold their clients.

        Args:
            experiment: what they compute.
            dataset: an object reference to a `Dataset`.
            pools: how many actors.
            pool: what they are.

        Raises:
            ExecutorError: the cluster has no room for them within ``execution.start_limit_s``.
        """
        self._work_limit_s = experiment.execution.work_limit_s
        self._views: dict[int, Any] = {}  # view -> the object of its table
        self._news = [News([], []) for _ in range(pools)]  # that a pool was not told yet
        shards = experiment.execution.shards
        place: Any = ray.remote(pool).options(
            num_cpus=cores_per_pool(pools), scheduling_strategy="SPREAD", enable_task_events=False
        )
        homes = [range(number * shards // pools, (number + 1) * shards // pools) for number in range(pools)]
        self._pools = [place.remote(experiment, dataset, home) for home in homes]
        self._pool_of = [number for number, home in enumerate(homes) for _ in home]  # (S,)
        self._await_start(experiment.execution.start_limit_s)

    def _await_start(self, limit_s: float) -> None:
        starting = [pool.ready.remote() for pool in self._pools]
        _, missing = ray.wait(starting, num_returns=len(starting), timeout=limit_s)
        if missing:
            raise ExecutorError(
                f"{len(missing)} of {len(starting)} pools did not start within {limit_s:g} s "
                f"({free_cores():g} cores are free); ask for fewer with --pools, or raise "
                "execution.start_limit_s"
            )
        for number, reference in enumerate(starting):
            fetch(reference, f"pool {number}", limit_s)

    def publish(self, view: int, table: NDArray[np.float32]) -> None:
        """See `Executor.publish`; a pool is told with the next work that may need it."""
        self._views[view] = ray.put(table)
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

    def requests(self, turns: Mapping[int, Sequence[tuple[int, int]]]) -> list[RayPending[dict[int, Ids]]]:
        """See `Executor.requests`."""
        return [
            self._pending(self._pools[pool].requests.remote(mine), pool, "asked for rows")
            for pool, mine in self._split(turns)
        ]

    def train(self, work: Mapping[int, Sequence[Assignment]]) -> list[RayPending[list[Receipt]]]:
        """See `Executor.train`."""
        return [
            self._pending(
                self._pools[pool].train.remote(plain(mine), *self._news_for(pool)),
                pool,
                f"at {sum(map(len, mine.values()))} turns",
                receipts,
            )
            for pool, mine in self._split(work)
        ]

    def fold(
        self, shares: Mapping[int, Sequence[Share]], gone: Mapping[int, Sequence[tuple[int, int]]]
    ) -> list[RayPending[list[Partial]]]:
        """See `Executor.fold`."""
        mine, theirs = dict(self._split(shares)), dict(self._split(gone))
        return [
            self._pending(
                self._pools[pool].fold.remote(plain(mine.get(pool, {})), theirs.get(pool, {})),
                pool,
                "at a sum of updates",
            )
            for pool in sorted(mine.keys() | theirs.keys())
        ]

    def evaluate(
        self, shard: int, views: NDArray[np.int64], training: Sequence[int]
    ) -> RayPending[ShardQuality]:
        """See `Executor.evaluate`."""
        pool = self._pool_of[shard]
        call = self._pools[pool].evaluate.remote(shard, views, list(training), *self._news_for(pool))
        return self._pending(call, pool, f"at an evaluation of shard {shard}")

    def peak_rss_bytes(self) -> int:
        """The most memory the pools held, added up."""
        calls = [pool.peak_rss_bytes.remote() for pool in self._pools]
        return sum(fetch(call, "a pool", self._work_limit_s) for call in calls)

    def _news_for(self, pool: int) -> tuple[Any, ...]:
        """What a pool is told, and the tables that belong to it."""
        news, self._news[pool] = self._news[pool], News([], [])
        return (news, *(self._views[view] for view in news.views))

    def _split(self, work: Mapping[int, Work]) -> list[tuple[int, dict[int, Work]]]:
        """Work of shards as work of pools, in the order of pools."""
        parts: dict[int, dict[int, Work]] = {}
        for shard, mine in work.items():
            parts.setdefault(self._pool_of[shard], {})[shard] = mine
        return sorted(parts.items())

    def _pending(
        self, call: Any, pool: int, doing: str, read: Callable[[Any], Any] = lambda sent: sent
    ) -> RayPending[Any]:
        return RayPending(call, f"pool {pool}, {doing},", self._work_limit_s, read)
