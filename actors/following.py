"""As many pools as the cluster has room for: looked at between versions, where nobody asked for a number.

A node that joins, be it by hand or by Ray's autoscaler, brings pools; one that leaves takes them along.
With ``execution.grow_to`` the autoscaler is asked for nodes; when the run is over they idle, and it lets them
go. Clients live in shards, whose number stays, so results are the same to the bit.
"""

from __future__ import annotations

import time

from actors.cluster import bundle, pool_room
from actors.executor import RayExecutor
from actors.reserving import Wish
from fedras_ray.config import Experiment

LOOK_S = 5.0  # between two looks; a change counts when it was seen twice


class Following:
    """Of one run; see the module."""

    def __init__(self, experiment: Experiment, executor: RayExecutor) -> None:
        self._execution, self._executor = experiment.execution, executor
        self._looked_s = time.monotonic()
        self._seen = executor.pools
        self._wish = Wish(executor.run, bundle(self._execution))

    def begin(self) -> None:
        """Say what is wished for."""
        if self._execution.pools_follow:
            wished = min(self._execution.grow_to, self._execution.shards)
            self._wish.ask(max(0, wished - self._executor.pools))

    def look(self) -> None:
        """Change the number of pools, if it is time and there is reason to.

        Raises:
            ExecutorError: there is no room any more for what there was room for.
        """
        if not self._execution.pools_follow or time.monotonic() - self._looked_s < LOOK_S:
            return
        self._looked_s = time.monotonic()
        before, self._seen = self._seen, self._room()
        if self._seen == before != self._executor.pools:
            self._wish.give_back()
            self._executor.resize(self._seen)
            self.begin()
            self._looked_s = time.monotonic()

    def _room(self) -> int:
        return pool_room(self._execution, self._executor.pools, self._wish.granted())
