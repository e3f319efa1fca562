"""What a run comes to: the tables and private states that its last evaluation ranked with.

U clients, V states of the item table that they hold, I items, D and P widths. Private states are in the
clear here, which no server of a federation ever sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fedras_ray.executor import KeepingExecutor
from fedras_ray.simulation import Simulation
from fedras_ray.site import ShardState
from fedras_ray.snapshots.sealed import opened
from fedras_ray.stretches import Stretch

Tables: TypeAlias = NDArray[np.float32]


class Trained(NamedTuple):
    """See the module."""

    tables: Tables  # (V, I, D)
    table_of: NDArray[np.int64]  # (U,) the place of each client's table
    private: Tables  # (U, P)


class Notice(NamedTuple):
    """Something that whoever runs it should read; the run goes on."""

    text: str


Told: TypeAlias = Stretch | Trained | Notice  # what a session says


def trained(simulation: Simulation, executor: KeepingExecutor) -> Trained:
    """Of a simulation that is at its end.

    Raises:
        FedrasError: what the executor has does not come.
    """
    held = executor.views()
    views, table_of = np.unique(simulation.views(), return_inverse=True)
    states = [state for part in executor.states() for state in opened(part.result())]
    tables = np.stack([held[int(view)].result() for view in views])
    return Trained(tables, table_of.astype(np.int64), _private(states, len(table_of)))


def _private(states: Sequence[ShardState], clients: int) -> Tables:
    """(U, P) as the last evaluation took them: of a client at work, what it was before."""
    private = np.empty((clients, states[0].clients.private.shape[1]), np.float32)
    for one in states:
        private[one.shard :: len(states)] = one.clients.private
        private[one.clients.began] = one.clients.before
    return private
