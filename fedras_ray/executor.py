"""Who computes: the contract, and the reference that computes everything here and now.

The clock decides when things happen, the executor who computes them. Work is handed over early and
awaited at its virtual end, so a machine may be as parallel as it likes; the result is the same.
Calls about one shard are carried out in the order in which they were made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config import Experiment
from fedras_ray.crew import thread_count
from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.shards import ShardQuality
from fedras_ray.server.folding import Partial, Shares
from fedras_ray.site import Rounded, ShardState, Site
from fedras_ray.snapshots.sealed import sealed
from fedras_ray.work import Assignments, Receipts, Round

Result = TypeVar("Result")
Covariant = TypeVar("Covariant", covariant=True)
Ids = NDArray[np.int32]


class Pending(Protocol[Covariant]):
    """Work that was handed over."""

    def result(self) -> Covariant:
        """Wait for it; every wait has a limit.

        Raises:
            ExecutorError: it did not come, or the machine that had it is gone.
        """
        ...

    def together(self, others: Sequence[Pending[Any]]) -> None:
        """Wait for all of these, this one among them, if that is quicker than one after the other."""
        ...

    def apart(self) -> Pending[Covariant]:
        """The same, to be awaited by another thread: as it is, and once."""
        ...


Parts = Sequence[Pending[Covariant]]


def results(parts: Parts[Result]) -> list[Result]:
    """What all of them come to."""
    if len(parts) > 1:
        parts[0].together(parts)
    return [one.result() for one in parts]


class Executor(Protocol):
    """Carries the client side out, somewhere, and adds up what it sends.

    Work is given for several shards at once, shard -> work. It comes back in one part per machine that has
    some of these shards, in the order of shards.
    """

    def publish(self, view: int, table: NDArray[np.float32]) -> None:
        """Make a state of the item table known to everyone who trains or ranks with it."""
        ...

    def retire(self, view: int) -> None:
        """No work submitted from now on refers to this view."""
        ...

    def requests(self, turns: Mapping[int, Sequence[tuple[int, int]]]) -> Parts[dict[int, Ids]]:
        """The rows that the turns of clients will touch (client -> rows), see `Site.requests`."""
        ...

    def train(self, work: Mapping[int, Assignments]) -> Parts[Receipts]:
        """Turns of some clients, see `Site.train`."""
        ...

    def round(self, work: Mapping[int, Round]) -> Parts[Rounded]:
        """Turns of which a version is made, trained and added up, see `Site.round`."""
        ...

    def fold(
        self, shares: Mapping[int, Shares], gone: Mapping[int, Sequence[tuple[int, int]]]
    ) -> Parts[list[Partial]]:
        """Sums of what turns sent whose receipts are here, and others forgotten, see `Site.fold`."""
        ...

    def evaluate(
        self, shard: int, views: NDArray[np.int64], training: Sequence[int]
    ) -> Pending[ShardQuality]:
        """The quality of one shard's clients, see `ClientHost.evaluate`."""
        ...


class KeepingExecutor(Executor, Protocol):
    """An executor that can be gone on with later, elsewhere."""

    def tell_states(self, often: bool) -> None:
        """Whether `states` will be asked after every round: they may come along with what it came to."""
        ...

    def states(self, at_work: Collection[int] | None = None) -> Parts[bytes]:
        """Every shard after all work that was submitted so far, in parts as in `Executor`.

        Each part is a sealed list of `ShardState`: most often it is kept, and nobody looks into it.

        Args:
            at_work: see `ClientHost.state`.
        """
        ...

    def views(self) -> dict[int, Pending[NDArray[np.float32]]]:
        """The states of the item table that work from now on may refer to."""
        ...

    def put_back(self, states: Sequence[ShardState], views: Mapping[int, NDArray[np.float32]]) -> None:
        """Go on from there; comes before everything else."""
        ...


class Done(Generic[Result]):
    """A result that is there already."""

    def __init__(self, value: Result) -> None:
        self._value = value

    def result(self) -> Result:
        """See `Pending.result`."""
        return self._value

    def together(self, others: Sequence[Pending[Any]]) -> None:
        """See `Pending.together`."""

    def apart(self) -> Done[Result]:
        """See `Pending.apart`."""
        return self


class SerialExecutor:
    """One site with all shards, in this process: the reference that every other executor equals."""

    def __init__(self, experiment: Experiment, dataset: Dataset) -> None:
        execution = experiment.execution
        self.site = Site(experiment, dataset, range(execution.shards), thread_count(execution.threads))

    def publish(self, view: int, table: NDArray[np.float32]) -> None:
        """See `Executor.publish`."""
        self.site.publish(view, table)

    def retire(self, view: int) -> None:
        """See `Executor.retire`."""
        self.site.retire(view)

    def requests(self, turns: Mapping[int, Sequence[tuple[int, int]]]) -> list[Done[dict[int, Ids]]]:
        """See `Executor.requests`."""
        return [Done(self.site.requests(turns))]

    def train(self, work: Mapping[int, Assignments]) -> list[Done[Receipts]]:
        """See `Executor.train`."""
        return [Done(self.site.train(work))]

    def round(self, work: Mapping[int, Round]) -> list[Done[Rounded]]:
        """See `Executor.round`."""
        return [Done(self.site.round(work))]

    def fold(
        self, shares: Mapping[int, Shares], gone: Mapping[int, Sequence[tuple[int, int]]]
    ) -> list[Done[list[Partial]]]:
        """See `Executor.fold`."""
        return [Done(self.site.fold(shares, gone))]

    def evaluate(self, shard: int, views: NDArray[np.int64], training: Sequence[int]) -> Done[ShardQuality]:
        """See `Executor.evaluate`."""
        return Done(self.site.evaluate(shard, views, training))

    def tell_states(self, often: bool) -> None:
        """See `KeepingExecutor.tell_states`; here they are at hand."""

    def states(self, at_work: Collection[int] | None = None) -> list[Done[bytes]]:
        """See `KeepingExecutor.states`."""
        return [Done(sealed(self.site.states(at_work)))]

    def views(self) -> dict[int, Pending[NDArray[np.float32]]]:
        """See `KeepingExecutor.views`."""
        return {view: Done(table) for view, table in self.site.clients.views().items()}

    def put_back(self, states: Sequence[ShardState], views: Mapping[int, NDArray[np.float32]]) -> None:
        """See `KeepingExecutor.put_back`."""
        self.site.put_back(states)
        for view, table in views.items():
            self.site.publish(view, table)
