"""The executor that joins the simulation to pools on a Ray cluster.

Shard s lives in pool s mod P for the whole run. A version of the item table goes into the object
store once and is read there by every pool of a node. Ray carries one caller's calls to an actor out
in order, which is all the ordering that `Executor` asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import ray
from numpy.typing import NDArray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError

from actors.cluster import cores_per_pool, free_cores
from actors.pool import ClientPool
from fedras_ray.clients import Assignment, Turn
from fedras_ray.config import Experiment
from fedras_ray.errors import ExecutorError, FedrasError
from fedras_ray.evaluation.shards import ShardQuality

Result = TypeVar("Result")


class RayPending(Generic[Result]):
    """A call to a pool; asked once, remembered for every client of the batch."""

    def __init__(self, reference: Any, what: str, limit_s: float) -> None:
        self._reference = reference
        self._what = what
        self._limit_s = limit_s
        self._value: list[Result] = []

    def result(self) -> Result:
        """See `Pending.result`."""
        if not self._value:
            self._value.append(fetch(self._reference, self._what, self._limit_s))
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

    def __init__(self, experiment: Experiment, dataset: Any, pools: int) -> None:
        """Place the pools and wait until they hold their clients.

        Args:
            experiment: what they compute.
            dataset: an object reference to a `Dataset`.
            pools: how many actors.

        Raises:
            ExecutorError: the cluster has no room for them within ``execution.start_limit_s``.
        """
        self._work_limit_s = experiment.execution.work_limit_s
        self._views: dict[int, Any] = {}
        shards = experiment.execution.shards
        place = ray.remote(ClientPool).options(num_cpus=cores_per_pool(pools), scheduling_strategy="SPREAD")
        self._pools = [
            place.remote(experiment, dataset, list(range(number, shards, pools))) for number in range(pools)
        ]
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
        """See `Executor.publish`."""
        self._views[view] = reference = ray.put(table)
        for pool in self._pools:
            pool.publish.remote(view, reference)

    def retire(self, view: int) -> None:
        """See `Executor.retire`."""
        for pool in self._pools:
            pool.retire.remote(view)
        self._views.pop(view, None)

    def requests(self, shard: int, turns: Sequence[tuple[int, int]]) -> RayPending[list[NDArray[np.int32]]]:
        """See `Executor.requests`."""
        call = self._pool(shard).requests.remote(list(turns))
        return RayPending(call, f"the pool of shard {shard}, asked for rows,", self._work_limit_s)

    def train(self, shard: int, assignments: Sequence[Assignment]) -> RayPending[list[Turn]]:
        """See `Executor.train`."""
        call = self._pool(shard).train.remote(shard, list(assignments))
        return RayPending(
            call, f"the pool of shard {shard}, at {len(assignments)} turns,", self._work_limit_s
        )

    def evaluate(
        self, shard: int, views: NDArray[np.int64], training: Sequence[int]
    ) -> RayPending[ShardQuality]:
        """See `Executor.evaluate`."""
        call = self._pool(shard).evaluate.remote(shard, views, list(training))
        return RayPending(call, f"the pool of shard {shard}, at an evaluation,", self._work_limit_s)

    def peak_rss_bytes(self) -> int:
        """The most memory the pools held, added up."""
        calls = [pool.peak_rss_bytes.remote() for pool in self._pools]
        return sum(fetch(call, "a pool", self._work_limit_s) for call in calls)

    def _pool(self, shard: int) -> Any:
        return self._pools[shard % len(self._pools)]
