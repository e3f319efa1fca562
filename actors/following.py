"""As many pools as the cluster has room for: looked at between versions, where nobody asked for a number.

A node that joins, be it by hand or by Ray's autoscaler, brings pools; one that leaves takes them along.
Clients live in shards, whose number stays, so results are the same to the bit.
"""

from __future__ import annotations

import time

from actors.cluster import pool_room
from actors.executor import RayExecutor
from fedras_ray.config import Experiment

LOOK_S = 5.0  # between two looks; a change counts when it was seen twice


class Following:
    """Of one run; see the module."""

    def __init__(self, experiment: Experiment, executor: RayExecutor) -> None:
        self._execution, self._executor = experiment.execution, executor
        self._looked_s = time.monotonic()
        self._seen = executor.pools

    def look(self) -> None:
        """Change the number of pools, if it is time and there is reason to.

        Raises:
            ExecutorError: there is no room any more for what there was room for.
        """
        if not self._execution.pools_follow or time.monotonic() - self._looked_s < LOOK_S:
            return
        self._looked_s = time.monotonic()
        before, self._seen = self._seen, pool_room(self._execution, self._executor.pools)
        if self._seen == before != self._executor.pools:
            self._executor.resize(self._seen)
            self._looked_s = time.monotonic()
