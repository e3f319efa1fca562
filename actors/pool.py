"""A pool: an actor that stands for all clients of some shards.

A plain class; it becomes an actor where the executor places it. It adds nothing to `ClientHost` but
a process of its own.
"""

from __future__ import annotations

import resource
from collections.abc import Sequence

import numpy as np
import ray
from numpy.typing import NDArray

from fedras_ray.clients import Assignment, ClientHost, Turn
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.shards import ShardQuality


class ClientPool:
    """See the module."""

    def __init__(self, experiment: Experiment, dataset: Dataset, shards: Sequence[int]) -> None:
        self._host = ClientHost(experiment, dataset, shards)

    @ray.method
    def ready(self) -> bool:
        """Answers once the pool holds its clients."""
        return True

    @ray.method
    def publish(self, view: int, table: NDArray[np.float32]) -> None:
        """See `ClientHost.publish`; the table is shared memory, read-only."""
        self._host.publish(view, table)

    @ray.method
    def retire(self, view: int) -> None:
        """See `ClientHost.retire`."""
        self._host.retire(view)

    @ray.method
    def requests(self, turns: Sequence[tuple[int, int]]) -> list[NDArray[np.int32]]:
        """See `ClientHost.requests`."""
        return self._host.requests(turns)

    @ray.method
    def train(self, shard: int, assignments: Sequence[Assignment]) -> list[Turn]:
        """See `ClientHost.train`."""
        return self._host.train(shard, assignments)

    @ray.method
    def evaluate(self, shard: int, views: NDArray[np.int64], training: Sequence[int]) -> ShardQuality:
        """See `ClientHost.evaluate`."""
        return self._host.evaluate(shard, views, training)

    @ray.method
    def peak_rss_bytes(self) -> int:
        """The most memory this process held."""
        return peak_rss_bytes()


def peak_rss_bytes() -> int:
    """The most resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
