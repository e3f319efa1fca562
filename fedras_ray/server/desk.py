"""The server's half of a pool: it takes bytes, keeps what they say, and adds it up when a version is due.

A desk is where blobs arrive. It never sees what a client had, only what it sent: everything here begins with
``decode(blob)``. It stands beside the clients for one reason, that rows would otherwise cross the network and
one process for nothing; the clients' side (`ClientHost`) does not know of it.

What is kept of a batch is what it decodes to while there is room for it, and its blobs beyond that, decoded
again when they are added up; never both. A turn is kept until it is folded or forgotten: at most the clients
at work and the updates that wait for the next version.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.base import Codec, ItemUpdate
from fedras_ray.codecs.ragged import RaggedUpdates, decode_each
from fedras_ray.errors import CodecError
from fedras_ray.kernels.measuring import length
from fedras_ray.server.aggregation import Accumulator
from fedras_ray.server.folding import Partial, Shares
from fedras_ray.server.robust import Gathering

ROOM = 32_000_000  # floats kept decoded: 128 MB


class Seen(NamedTuple):
    """What a desk says of C blobs that came."""

    actions: NDArray[np.int64]  # (C,) K as decoded; 0: the codec has none, or it does not open
    lengths: NDArray[np.float64]  # (C,) the norm of what was decoded, where anybody wants to know; or 0
    errors: Mapping[int, CodecError]  # by place: why one does not open

    @property
    def is_refused(self) -> NDArray[np.bool_]:
        """(C,) whether it is not kept."""
        refused = ~np.isfinite(self.lengths)
        refused[[*self.errors]] = True
        return refused


@dataclass(slots=True, eq=False)
class _Together:
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


def _arrays(updates: Sequence[ItemUpdate]) -> Sequence[ItemUpdate | RaggedUpdates]:
    """What holds their rows: all of them together, or each by itself."""
    return [updates] if isinstance(updates, RaggedUpdates) else updates


def _alone(one: ItemUpdate | bytes) -> _Together:
    if isinstance(one, bytes):
        return _Together(None, [one], 0, 1)
    return _Together([one], None, one.rows.size, 1)


class Desk:
    """See the module.

    Args:
        codec: of the uplink.
        item_count: I.
        width: D.
        room: floats that may be kept decoded.
        measures: whether updates are measured.
        checks: whether one is refused where a value is not finite.
        gathers: whether all rows of updates are wanted, and not their sums.
    """

    def __init__(
        self,
        codec: Codec,
        item_count: int,
        width: int,
        room: int = ROOM,
        measures: bool = True,
        checks: bool = True,
        gathers: bool = False,
    ) -> None:
        self._codec = codec
        self._shape = item_count, width
        self._sums: list[Accumulator | Gathering] = []  # empty ones, of which a thread takes one
        self._kept: dict[tuple[int, int], tuple[_Together, int]] = {}  # (client, turn) -> which of these
        self._room, self._counting = room, threading.Lock()
        self._measures, self._checks = measures, checks
        self._gathers = gathers

    def receive(self, turns: Sequence[tuple[int, int]], blobs: Sequence[bytes]) -> Seen:
        """Take what some (client, turn) sent, or refuse it: not of this codec and table, or not finite."""
        try:
            updates = decode_each(self._codec, blobs)
            for one in _arrays(updates):
                self._check(one)
        except CodecError:
            return self._one_by_one(turns, blobs)
        seen = self._looked_at(updates)
        if seen.is_refused.any():
            return self._one_by_one(turns, blobs)
        self._keep(turns, blobs, updates)
        return seen

    def _looked_at(self, updates: Sequence[ItemUpdate]) -> Seen:
        if isinstance(updates, RaggedUpdates):
            if self._measures:
                return Seen(updates.actions, updates.norms(), {})
            fine = not self._checks or updates.is_finite()
            return Seen(updates.actions, np.full(len(updates), 0.0 if fine else math.nan), {})
        actions = np.fromiter((one.actions for one in updates), np.int64, len(updates))
        norms = np.fromiter(map(self._length, updates), np.float64, len(updates))
        return Seen(actions, norms, {})

    def _length(self, update: ItemUpdate) -> float:
        """The norm where anybody wants to know; otherwise 0, unless it must be finite and is not."""
        found = length(update.rows) if self._measures or self._checks else 0.0
        return found if self._measures or not math.isfinite(found) else 0.0

    def _one_by_one(self, turns: Sequence[tuple[int, int]], blobs: Sequence[bytes]) -> Seen:
        actions, norms = np.zeros(len(turns), np.int64), np.zeros(len(turns))
        errors: dict[int, CodecError] = {}
        for place, (turn, blob) in enumerate(zip(turns, blobs, strict=True)):
            try:
                update = self.opened(blob)
            except CodecError as error:
                errors[place] = error
            else:
                actions[place], norms[place] = update.actions, self._length(update)
                if math.isfinite(norms[place]):
                    self._keep([turn], [blob], [update])
        return Seen(actions, norms, errors)

    def _keep(
        self, turns: Sequence[tuple[int, int]], blobs: Sequence[bytes], updates: Sequence[ItemUpdate]
    ) -> None:
        size = updates.held if isinstance(updates, RaggedUpdates) else sum(one.rows.size for one in updates)
        count = len(updates)
        with self._counting:
            has_room = size <= self._room
            together = _Together(updates, None, size, count) if has_room else _Together(None, blobs, 0, count)
            self._room -= together.size
        self._kept.update(zip(turns, zip(repeat(together), range(count)), strict=True))

    def fold(self, shard: int, shares: Shares) -> Partial:
        """The weighted sum of some updates of one shard, in this order; they are forgotten."""
        total = self._emptied()
        for together, places, weights in self._taken(shares):
            if together.updates is not None:
                total.add_each(together.updates, places, weights)
                continue
            for place, weight in zip(places, weights, strict=True):  # one in memory at a time
                total.add_each([self.opened(cast(bytes, together[place]))], [0], [weight])
        found = Partial(0, shard, *total.drained())
        self._sums.append(total)
        return found

    def _emptied(self) -> Accumulator | Gathering:
        with self._counting:
            if self._sums:
                return self._sums.pop()
        return Gathering(self._shape[1]) if self._gathers else Accumulator(*self._shape)

    def _taken(self, shares: Shares) -> Iterator[tuple[_Together, tuple[int, ...], list[float]]]:
        """Those in a row that came together at a time; they are kept no longer."""
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

    def state(self, shard: int, shards: int) -> dict[tuple[int, int], ItemUpdate | bytes]:
        """What is kept of the turns of one shard's clients, in order."""
        return {
            turn: together[place]
            for turn, (together, place) in self._kept.items()
            if turn[0] % shards == shard
        }

    def put_back(self, shard: int, shards: int, state: Mapping[tuple[int, int], ItemUpdate | bytes]) -> None:
        """Have that kept of one shard, and nothing else."""
        self.forget([turn for turn in self._kept if turn[0] % shards == shard])
        for turn, one in state.items():
            together = _alone(one)
            self._room -= together.size  # below zero where more machines had room for it
            self._kept[turn] = together, 0

    def __len__(self) -> int:
        """The turns that are kept."""
        return len(self._kept)

    def opened(self, blob: bytes) -> ItemUpdate:
        """What a blob says.

        Raises:
            CodecError: it is not one of this codec, or of another table.
        """
        update = self._codec.decode(blob)
        self._check(update)
        return update

    def _check(self, update: ItemUpdate | RaggedUpdates) -> None:
        if (update.item_count, update.width) != self._shape:
            found = f"{update.item_count} items of width {update.width}"
            raise CodecError(
                f"an update of {found} does not fit the table, {self._shape[0]} × {self._shape[1]}"
            )

    def _leave(self, together: _Together, count: int) -> None:
        together.left -= count
        if not together.left:
            with self._counting:
                self._room += together.size
