"""A simulation at one instant between two events, from which another one goes on to the same end.

Taking a checkpoint waits for nothing: what is still being computed comes with it as results that are awaited,
and so do the shards' states, which were asked for behind all work submitted before.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fedras_ray.executor import Done, KeepingExecutor, Parts, Pending
from fedras_ray.simulation import Simulation
from fedras_ray.snapshots.graph import Image, image, value_of
from fedras_ray.snapshots.sealed import opened
from fedras_ray.snapshots.writer import Array, Tree
from fedras_ray.stretches import Stretch


class Taken(NamedTuple):
    """A checkpoint on its way."""

    version: int
    simulation: Image
    shards: Parts[bytes]
    views: dict[int, Pending[NDArray[np.float32]]]


class Plain(NamedTuple):
    """A checkpoint that is there: JSON and arrays, nothing else."""

    version: int
    simulation: Tree
    results: Tree  # that the simulation waits for, in order
    views: Tree
    arrays: list[list[Array]]  # of these three
    shards: list[Array]  # their states, sealed: (B,) bytes each


class Keeper(Protocol):
    """Keeps the checkpoints of one run, beside which it goes on."""

    def said(self, stretch: Stretch) -> None:
        """Some more records."""
        ...

    def take(self, taken: Taken) -> None:
        """A checkpoint of after all that was said.

        Raises:
            RunError: checkpoints are kept no longer.
        """
        ...

    def wait(self, limit_s: float) -> bool:
        """Whether all that was taken is kept within a limit."""
        ...

    def troubles(self) -> list[str]:
        """What went wrong since this was last asked; the run goes on all the same."""
        ...

    def close(self, is_over: bool) -> None:
        """Keep what was taken last, unless the run came to its end."""
        ...


class Keeping(Protocol):
    """How the checkpoints of a run are kept; goes to where the run is."""

    def begin(self) -> Keeper:
        """Keep them from now on.

        Raises:
            RunError: nothing can be kept there.
        """
        ...


def take(simulation: Simulation, executor: KeepingExecutor) -> Taken:
    """Of a simulation that has told everything it said, between two of its `events`.

    Raises:
        SnapshotError: something in its state is not declared.
    """
    shards = [one.apart() for one in executor.states(simulation.at_work())]
    now = image(simulation)
    now = now._replace(later=[one.apart() for one in now.later])
    return Taken(simulation.version, now, shards, executor.views())


def settled(taken: Taken) -> Plain:
    """The same with nothing to wait for; what comes from the executor is not copied: nobody changes it.

    Raises:
        FedrasError: what is waited for does not come.
    """
    results = image([one.result() for one in taken.simulation.later], copies=False)
    shards = [np.frombuffer(part.result(), np.uint8) for part in taken.shards]
    views = image({view: table.result() for view, table in taken.views.items()}, copies=False)
    return Plain(
        taken.version,
        taken.simulation.tree,
        results.tree,
        views.tree,
        [taken.simulation.arrays, results.arrays, views.arrays],
        shards,
    )


def put_back(plain: Plain, simulation: Simulation, executor: KeepingExecutor) -> None:
    """Make a simulation that has not begun, of the same experiment and population, go on from there.

    Raises:
        SnapshotError: it is not one of this kind of simulation.
    """
    ours, theirs, tables = plain.arrays
    results: list[Any] = value_of(plain.results, theirs)
    views: dict[int, Array] = value_of(plain.views, tables)
    for table in views.values():
        table.flags.writeable = False
    executor.put_back([state for one in plain.shards for state in opened(one.tobytes())], views)
    value_of(plain.simulation, ours, simulation, lambda number: Done(results[number]))
