"""Sums of updates, made where the updates are, so that their rows cross no network one by one.

I items, D width, S shards. A shard is every S-th client, a property of the experiment. Within a shard updates
are added in the order in which they arrived; the sums of shards are added along a binary tree over the
numbers of shards: two neighbours, then two pairs of neighbours, and so on. Whoever has whole branches of the
tree adds these up and passes one sum on, so bits hang on the experiment, and not on where its shards are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fedras_ray.fleet.profiles import upload_ns_each
from fedras_ray.kernels import counting
from fedras_ray.snapshots.kinds import kept
from fedras_ray.work import PACE, Receipts, Round

Ids = NDArray[np.int32]
Rows = NDArray[np.float32]


@kept()
class Share(NamedTuple):
    """An update's part in a sum."""

    client: int
    turn: int  # how many it had before
    weight: float  # staleness × client


class Shares(NamedTuple):
    """Some of them, as columns, in the order in which they are added."""

    clients: NDArray[np.int64]  # (n,)
    turns: NDArray[np.int64]  # (n,)
    weights: NDArray[np.float64]  # (n,)

    def names(self) -> Iterator[tuple[int, int]]:
        """The client and the turn of each."""
        return zip(self.clients.tolist(), self.turns.tolist(), strict=True)

    @classmethod
    def of(cls, some: Sequence[Share]) -> Shares:
        """These."""
        clients, turns, weights = zip(*some, strict=True) if some else ((), (), ())
        return cls(np.array(clients, np.int64), np.array(turns, np.int64), np.array(weights, np.float64))


class Due(NamedTuple):
    """Some of what came together, in the order in which they are added."""

    places: NDArray[np.int64]  # (n,)
    weights: NDArray[np.float64]  # (n,)


def arriving(rounds: Sequence[Round], receipts: Receipts) -> list[Due]:
    """What is not refused of each of these, in the order of arrival: see `order_of_arrival`.

    Args:
        rounds: of shards.
        receipts: of all of them, one round after the other.
    """
    paces = [one.pace for one in rounds]
    pace = np.concatenate([one.view(np.uint64) for one in paces]).view(PACE)  # NumPy looks at fields
    clients, sizes = receipts.column("client"), receipts.column("byte_count")
    upload_ns = upload_ns_each(clients, sizes, pace["latency_s"], pace["uplink_bytes_per_s"])
    trained_at_ns, of = pace["trained_at_ns"], np.repeat(np.arange(len(rounds)), [*map(len, paces)])
    order = np.lexsort((trained_at_ns, trained_at_ns + upload_ns, of))
    used = order[receipts.column("refused")[order] == 0]
    weights, ends = pace["weight"][used], np.searchsorted(of[used], np.arange(len(rounds) + 1)).tolist()
    return [Due(used[begin:end], weights[begin:end]) for begin, end in pairwise(ends)]


def order_of_arrival(trained_at_ns: NDArray[np.int64], arrived_at_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) places by their instants of arrival; at one instant, by the order in which uploads begin."""
    return np.lexsort((trained_at_ns, arrived_at_ns))


@kept()
@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """The sum of one branch of the tree: shards ``index · 2**level`` to ``(index + 1) · 2**level - 1``."""

    level: int
    index: int
    ids: Ids  # (t,) touched items, increasing
    rows: Rows  # (t, D) Σ w Δ
    counts: Ids  # (t,) updates that have the row

    def __reduce__(self) -> tuple[type[Partial], tuple[int, int, Ids, Rows, Ids]]:
        """Half the time of the default way."""
        return Partial, (self.level, self.index, self.ids, self.rows, self.counts)


Together: TypeAlias = Callable[[Ids, Rows, Ids, Ids, Rows, Ids], tuple[Ids, Rows, Ids]]


def joined(
    partials: Iterable[Partial], mine: range, shards: int, together: Together = counting.merged
) -> list[Partial]:
    """Sums of branches, added up as far as whole branches go.

    Args:
        partials: sums of branches within `mine` that do not overlap; a shard without one has nothing to add.
        mine: the numbers of the shards whose sums are here, adjoining.
        shards: S.
        together: makes one of two neighbours.

    Returns:
        Branches that end within `mine`; at most one where `mine` is all of them.
    """
    waiting: dict[int, dict[int, Partial]] = {}
    for one in partials:
        waiting.setdefault(one.level, {})[one.index] = one
    found: list[Partial] = []
    level = 0
    while waiting:
        here = waiting.pop(level, {})
        for index in sorted(here):
            if _whole(level + 1, index // 2, mine, shards):
                above = waiting.setdefault(level + 1, {})
                above[index // 2] = _risen(here[index], above.get(index // 2), together)
            else:
                found.append(here[index])
        level += 1
    return found


class Climbs(NamedTuple):
    """How sums of shards become those of branches, one shard after the other: see `joined`."""

    joins: NDArray[np.int64]  # (s,) how often the newest sum is added to the one before, after each shard
    branches: list[tuple[int, int]]  # level and index of each sum that is left

    @classmethod
    def of(cls, some: Sequence[int], mine: range, shards: int) -> Climbs:
        """As far as whole branches go.

        Args:
            some: the numbers of shards that have something to add, increasing, within `mine`.
            mine: the numbers of the shards whose sums are here, adjoining.
            shards: S.
        """
        return _climbs(tuple(some), mine.start, mine.stop, shards)


@functools.lru_cache(maxsize=1_024)  # most rounds have the shards of the one before
def _climbs(some: tuple[int, ...], start: int, stop: int, shards: int) -> Climbs:
    mine = range(start, stop)
    joins, left = np.zeros(len(some), np.int64), list[tuple[int, int]]()
    for place, (shard, following) in enumerate(pairwise([*some, mine.stop])):
        level, index = 0, shard
        while (
            _whole(level + 1, index // 2, mine, shards) and _end(level + 1, index // 2, shards) <= following
        ):
            if index % 2 and left and left[-1] == (level, index - 1):
                left.pop()
                joins[place] += 1
            level, index = level + 1, index // 2
        left.append((level, index))
    return Climbs(joins, left)


def _whole(level: int, index: int, mine: range, shards: int) -> bool:
    """Whether all shards of a branch are here; not above the root."""
    begin, end = index << level, _end(level, index, shards)
    return begin >= mine.start and end <= mine.stop and 1 << (level - 1) < shards


def _end(level: int, index: int, shards: int) -> int:
    """The shard after a branch."""
    return min((index + 1) << level, shards)


def _risen(one: Partial, left: Partial | None, together: Together) -> Partial:
    """One level up: with its left neighbour, or alone where that has nothing."""
    level, index = one.level + 1, one.index // 2
    if left is None:
        return Partial(level, index, one.ids, one.rows, one.counts)
    return Partial(level, index, *together(left.ids, left.rows, left.counts, one.ids, one.rows, one.counts))
