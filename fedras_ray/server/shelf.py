"""What arrived and waits until a version is made of it, or never.

What is kept of a batch is what it decodes to while there is room for it, and its blobs beyond that, to be
decoded again when they are added up; never both. A turn is kept until it is taken or forgotten: at most the
clients at work and the updates that wait for the next version.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from typing import TypeAlias, cast

from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.codecs.ragged import RaggedUpdates
from fedras_ray.server.folding import Shares

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

    def taken(self, shares: Shares) -> Iterator[tuple[Together, tuple[int, ...], list[float]]]:
        """Those in a row that came together at a time, their places and weights; they are kept no longer."""
        clients, turns, weights = (column.tolist() for column in shares)
        found = [*map(self._kept.pop, zip(clients, turns, strict=True))]
        batches, places = zip(*found, strict=True) if found else ((), ())
        begin = 0
        for _, some in groupby(batches, key=id):
            together, end = batches[begin], begin + sum(1 for _ in some)
            yield together, places[begin:end], weights[begin:end]
            self._leave(together, end - begin)
            begin = end

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
