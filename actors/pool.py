"""A pool: an actor that stands for all clients of some shards.

A plain class; it becomes an actor where the executor places it. It adds nothing to `Site` but a process of
its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import ray
from numpy.typing import NDArray

from actors import messages
from actors.messages import Message, Table
from actors.process import peak_rss_bytes, settle
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.shards import ShardQuality
from fedras_ray.kernels.compiling import wake
from fedras_ray.site import Site
from fedras_ray.snapshots.sealed import opened, sealed

Tables = bytes | Table  # see `messages.published`


class News(NamedTuple):
    """What became of views since a pool got work that has to do with them."""

    views: list[int]  # published; their tables come along
    retired: list[int]  # of those that the pool has


class ClientPool:
    """See the module."""

    def __init__(self, experiment: Experiment, dataset: Dataset, shards: range) -> None:
        wake()  # while the others begin, instead of in the first round, for which all wait
        self._site = Site(experiment, dataset, shards, experiment.execution.threads or 1)
        self._width = experiment.model.width
        settle()

    @ray.method
    def ready(self) -> bool:
        """Answers once the pool holds its clients."""
        return True

    @ray.method
    def requests(self, turns: Mapping[int, Sequence[tuple[int, int]]]) -> dict[int, NDArray[np.int32]]:
        """See `Site.requests`."""
        return self._site.requests(turns)

    @ray.method
    def train(self, work: Message, news: Message, *tables: Tables) -> Message:
        """See `Site.train`."""
        self._hear(news, tables)
        return messages.answers(self._site.train(messages.ordered(work)))

    @ray.method
    def round(self, work: Message, tells: bool, news: Message, *tables: Tables) -> Message:
        """See `Site.round`; who `tells` says as well what `states` would say then, nobody being at work."""
        self._hear(news, tables)
        rounded = self._site.round(messages.told_rounds(work))
        return messages.round_answers(rounded, sealed(self._site.states(())) if tells else None)

    @ray.method
    def fold(self, shares: Message, gone: Message) -> Message:
        """See `Site.fold`."""
        return messages.sums(self._site.fold(messages.shared(shares), messages.went(gone)))

    @ray.method
    def evaluate(
        self, shard: int, views: NDArray[np.int64], training: Sequence[int], news: Message, *tables: Tables
    ) -> ShardQuality:
        """See `Site.evaluate`."""
        self._hear(news, tables)
        return self._site.evaluate(shard, views, training)

    def _hear(self, news: Message, tables: Sequence[Tables]) -> None:
        """What the work needs that comes with it; tables are read-only, and may be shared memory."""
        views, retired = news
        for view, table in zip(views, tables, strict=True):
            self._site.publish(view, messages.heard(table, self._width))
        for view in retired:
            self._site.retire(view)

    @ray.method
    def states(self, at_work: Collection[int] | None = None) -> bytes:
        """See `Site.states`; sealed."""
        return sealed(self._site.states(at_work))

    @ray.method
    def put_back(self, states: bytes, news: Message, *tables: Tables) -> None:
        """See `Site.put_back`; with the views that belong to the states."""
        self._hear(news, tables)
        self._site.put_back(opened(states))

    @ray.method
    def peak_rss_bytes(self) -> int:
        """The most memory this process held."""
        return peak_rss_bytes()
