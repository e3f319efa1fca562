"""Who computes: the contract, and the reference that computes everything here and now.

The clock decides when things happen, the executor who computes them. Work is handed over early and
awaited at its virtual end, so a machine may be as parallel as it likes; the result is the same.
Calls about one shard are carried out in the order in which they were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clients import Assignment, ClientHost, Turn
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.shards import ShardQuality

Result = TypeVar("Result")
Covariant = TypeVar("Covariant", covariant=True)


class Pending(Protocol[Covariant]):
    """Work that was handed over."""

    def result(self) -> Covariant:
        """Wait for it; every wait has a limit.

        Raises:
            ExecutorError: it did not come, or the machine that had it is gone.
        """
        ...


class Executor(Protocol):
    """Carries the client side out, somewhere."""

    def publish(self, view: int, table: NDArray[np.float32]) -> None:
        """Make a state of the item table known to everyone who trains or ranks with it."""
        ...

    def retire(self, view: int) -> None:
        """No work submitted from now on refers to this view."""
        ...

    def requests(self, shard: int, turns: Sequence[tuple[int, int]]) -> Pending[list[NDArray[np.int32]]]:
        """The rows that turns of some clients of one shard will touch, see `ClientHost.requests`."""
        ...

    def train(self, shard: int, assignments: Sequence[Assignment]) -> Pending[list[Turn]]:
        """Turns of some clients of one shard."""
        ...

    def evaluate(
        self, shard: int, views: NDArray[np.int64], training: Sequence[int]
    ) -> Pending[ShardQuality]:
        """The quality of one shard's clients, see `ClientHost.evaluate`."""
        ...


class Done(Generic[Result]):
    """A result that is there already."""

    def __init__(self, value: Result) -> None:
        self._value = value

    def result(self) -> Result:
        """See `Pending.result`."""
        return self._value


class SerialExecutor:
    """One host with all shards, in this process: the reference that every other executor equals."""

    def __init__(self, experiment: Experiment, dataset: Dataset) -> None:
        self._host = ClientHost(experiment, dataset, range(experiment.execution.shards))

    def publish(self, view: int, table: NDArray[np.float32]) -> None:
        """See `Executor.publish`."""
        self._host.publish(view, table)

    def retire(self, view: int) -> None:
        """See `Executor.retire`."""
        self._host.retire(view)

    def requests(self, shard: int, turns: Sequence[tuple[int, int]]) -> Done[list[NDArray[np.int32]]]:
        """See `Executor.requests`."""
        return Done(self._host.requests(turns))

    def train(self, shard: int, assignments: Sequence[Assignment]) -> Done[list[Turn]]:
        """See `Executor.train`."""
        return Done(self._host.train(shard, assignments))

    def evaluate(self, shard: int, views: NDArray[np.int64], training: Sequence[int]) -> Done[ShardQuality]:
        """See `Executor.evaluate`."""
        return Done(self._host.evaluate(shard, views, training))
