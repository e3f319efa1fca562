"""A pool: an actor that stands for all clients of some shards.

A plain class; it becomes an actor where the executor places it. It adds nothing to `Site` but a process of
its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import ray
from numpy.typing import NDArray

from actors.process import peak_rss_bytes, settle
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.shards import ShardQuality
from fedras_ray.server.folding import Partial, Shares
from fedras_ray.site import ShardState, Site
from fedras_ray.work import Assignments, Real, Receipts, Whole

Packed: TypeAlias = NDArray[np.void]  # (n,) of `_SHARE`
Table: TypeAlias = NDArray[np.float32]

_SHARE = np.dtype([("client", np.int64), ("turn", np.int64), ("weight", np.float64)])


class News(NamedTuple):
    """What became of views since a pool got work that has to do with them."""

    views: list[int]  # published; their tables come along
    retired: list[int]  # of those that the pool has


class ClientPool:
    """See the module."""

    def __init__(self, experiment: Experiment, dataset: Dataset, shards: range) -> None:
        self._site = Site(experiment, dataset, shards)
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
    def train(self, work: Mapping[int, Whole], news: News, *tables: Table) -> tuple[Whole, Real]:
        """See `Site.train`."""
        self._hear(news, tables)
        mine = {shard: Assignments(table) for shard, table in work.items()}
        told = self._site.train(mine)
        return told.whole, told.real

    @ray.method
    def fold(
        self, shares: Mapping[int, Packed], gone: Mapping[int, Sequence[tuple[int, int]]]
    ) -> list[Partial]:
        """See `Site.fold`."""
        columns = _SHARE.names or ()
        mine = {shard: Shares(*(some[name] for name in columns)) for shard, some in shares.items()}
        return self._site.fold(mine, gone)

    @ray.method
    def evaluate(
        self, shard: int, views: NDArray[np.int64], training: Sequence[int], news: News, *tables: Table
    ) -> ShardQuality:
        """See `Site.evaluate`."""
        self._hear(news, tables)
        return self._site.evaluate(shard, views, training)

    def _hear(self, news: News, tables: Sequence[Table]) -> None:
        """What the work needs that comes with it; tables are shared memory, read-only."""
        for view, table in zip(news.views, tables, strict=True):
            self._site.publish(view, table)
        for view in news.retired:
            self._site.retire(view)

    @ray.method
    def states(self, at_work: Collection[int] | None = None) -> list[ShardState]:
        """See `Site.states`."""
        return self._site.states(at_work)

    @ray.method
    def put_back(self, states: Sequence[ShardState], news: News, *tables: Table) -> None:
        """See `Site.put_back`; with the views that belong to the states."""
        self._hear(news, tables)
        self._site.put_back(states)

    @ray.method
    def peak_rss_bytes(self) -> int:
        """The most memory this process held."""
        return peak_rss_bytes()


def packed(shares: Mapping[int, Shares]) -> dict[int, Packed]:
    """One array of each shard: Ray pickles every one by itself."""
    return {shard: _packed(some) for shard, some in shares.items()}


def _packed(shares: Shares) -> Packed:
    table = np.empty(len(shares.clients), _SHARE)
    table["client"], table["turn"], table["weight"] = shares
    return table


def receipts(sent: tuple[Whole, Real]) -> Receipts:
    """What `ClientPool.train` sent."""
    return Receipts(*sent)
