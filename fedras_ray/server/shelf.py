"""What arrived and waits until a version is made of it, or never.

What is kept of a batch is what it decodes to while there is room for it, and its blobs beyond that, to be
decoded again when they are added up; never both. A turn is kept until it is taken or forgotten: at most the
clients at work and the updates that wait for the next version.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.codecs.ragged import RaggedUpdates

ROOM = 32_000_000  # floats kept decoded: 128 MB

Turns: TypeAlias = Sequence[tuple[int, int]]  # (client, how many it had before)
State: TypeAlias = Mapping[tuple[int, int], ItemUpdate | bytes]


@dataclass(slots=True, eq=False)
class Together:
    """What came together: if it was decoded, rows may be one array, which goes with the last of them."""

    updates: Sequence[ItemUpdate] | None  # None: there was no room for what is decoded
    blobs: Sequence[bytes] | None  # then
    size: int  # floats
    left: int  # updates

    def __getitem__(self, place: int) -> ItemUpdate | bytes:
        """What is kept of one."""
        if self.updates is not None:
            return self.updates[place]
        return cast(Sequence[bytes], self.blobs)[place]


class Taken(NamedTuple):
    """What was sent, by what it came together with."""

    batches: list[Together]
    of: NDArray[np.int64]  # (n,) which of them
    places: NDArray[np.int64]  # (n,) where in it

    def together(self) -> tuple[RaggedUpdates, NDArray[np.int64]] | None:
        """All of them as one, and where each of these is in it (n,); None: they were decoded one by one."""
        decoded = [one.updates for one in self.batches]
        if not decoded or not all(isinstance(one, RaggedUpdates) for one in decoded):
            return None
        order = np.argsort(self.of, kind="stable")
        where = np.empty_like(order)
        where[order] = np.arange(len(order))
        each = np.split(self.places[order], np.bincount(self.of).cumsum()[:-1])
        return RaggedUpdates.picked([*zip(cast(list[RaggedUpdates], decoded), each, strict=True)]), where

    def each(self, part: slice) -> Iterator[ItemUpdate | bytes]:
        """Some of them, one after the other."""
        for number, place in zip(self.of[part].tolist(), self.places[part].tolist(), strict=True):
            yield self.batches[number][place]


class Shelf:
    """See the module; several threads may put something there.

    Args:
        room: floats that may be kept decoded.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._kept: dict[tuple[int, int], tuple[Together, int]] = {}  # (client, turn) -> which of these
        self._room, self._counting = room, threading.Lock()

    def put(self, turns: Turns, blobs: Sequence[bytes], updates: Sequence[ItemUpdate]) -> None:
        """Keep what came together, as one or the other."""
        size = updates.held if isinstance(updates, RaggedUpdates) else sum(one.rows.size for one in updates)
        count = len(updates)
        with self._counting:
            has_room = size <= self._room
            together = Together(updates, None, size, count) if has_room else Together(None, blobs, 0, count)
            self._room -= together.size
        self._kept.update(zip(turns, zip(repeat(together), range(count)), strict=True))

    def taken(self, turns: Iterable[tuple[int, int]]) -> Taken:
        """What (client, turn) sent, in this order; it is kept no longer."""
        found = [*map(self._kept.pop, turns)]
        batches = {id(together): together for together, _ in found}
        numbers = {each: number for number, each in enumerate(batches)}
        of = np.array([numbers[id(together)] for together, _ in found], np.int64)
        for together, count in zip(batches.values(), np.bincount(of).tolist(), strict=True):
            self._leave(together, count)
        return Taken([*batches.values()], of, np.array([place for _, place in found], np.int64))

    def forget(self, turns: Iterable[tuple[int, int]]) -> None:
        """Let go of what (client, turn) sent: no version will be made of it."""
        for together, _ in map(self._kept.pop, turns):
            self._leave(together, 1)

    def _leave(self, together: Together, count: int) -> None:
        together.left -= count
        if not together.left:
            with self._counting:
                self._room += together.size

    def state(self, shard: int, shards: int) -> dict[tuple[int, int], ItemUpdate | bytes]:
        """What is kept of the turns of one shard's clients, in order."""
        return {
            turn: together[place]
            for turn, (together, place) in self._kept.items()
            if turn[0] % shards == shard
        }

    def put_back(self, shard: int, shards: int, state: State) -> None:
        """Have that kept of one shard, and nothing else."""
        self.forget([turn for turn in self._kept if turn[0] % shards == shard])
        for turn, one in state.items():
            together = _alone(one)
            self._room -= together.size  # below zero where more machines had room for it
            self._kept[turn] = together, 0

    def __len__(self) -> int:
        """The turns that are kept."""
        return len(self._kept)


def _alone(one: ItemUpdate | bytes) -> Together:
    if isinstance(one, bytes):
        return Together(None, [one], 0, 1)
    return Together([one], None, one.rows.size, 1)
