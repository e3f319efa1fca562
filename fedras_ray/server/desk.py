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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fedras_ray.codecs.base import Codec, ItemUpdate
from fedras_ray.codecs.ragged import RaggedUpdates, decode_each
from fedras_ray.errors import CodecError
from fedras_ray.kernels.measuring import length
from fedras_ray.server.aggregation import Accumulator
from fedras_ray.server.folding import Partial, Share
from fedras_ray.server.robust import Gathering

ROOM = 32_000_000  # floats kept decoded: 128 MB


class Seen(NamedTuple):
    """What a desk says of a blob that came."""

    actions: int = 0  # K as decoded; 0: the codec has none
    length: float = 0.0  # the norm of what was decoded, where anybody wants to know
    error: CodecError | None = None  # why it does not open

    @property
    def is_refused(self) -> bool:
        """Whether it is not kept."""
        return self.error is not None or not math.isfinite(self.length)


@dataclass(slots=True, eq=False)
class _Together:
    """Updates that were decoded together: their rows may be one array, which goes with the last of them."""

    updates: Sequence[ItemUpdate]
    size: int  # floats
    left: int  # updates


def _arrays(updates: Sequence[ItemUpdate]) -> Sequence[ItemUpdate | RaggedUpdates]:
    """What holds their rows: all of them together, or each by itself."""
    return [updates] if isinstance(updates, RaggedUpdates) else updates


def _alone(update: ItemUpdate) -> _Together:
    return _Together([update], update.rows.size, 1)


class Desk:
    """See the module.

    Args:
        codec: of the uplink.
        item_count: I.
        width: D.
        room: floats that may be kept decoded.
        measures: whether updates are measured, and refused where a value is not finite.
        gathers: whether all rows of updates are wanted, and not their sums.
    """

    def __init__(
        self,
        codec: Codec,
        item_count: int,
        width: int,
        room: int = ROOM,
        measures: bool = True,
        gathers: bool = False,
    ) -> None:
        self._codec = codec
        self._shape = item_count, width
        self._sum: Accumulator | Gathering | None = None  # made with the first fold
        self._kept: dict[tuple[int, int], tuple[_Together, int] | bytes] = {}  # (client, turn) -> …
        self._room = room
        self._measures = measures
        self._gathers = gathers

    def receive(self, turns: Sequence[tuple[int, int]], blobs: Sequence[bytes]) -> list[Seen]:
        """Take what some (client, turn) sent, or refuse it: not of this codec and table, or not finite."""
        try:
            updates = decode_each(self._codec, blobs)
            for one in _arrays(updates):
                self._check(one)
        except CodecError:
            return self._one_by_one(turns, blobs)
        seen = self._looked_at(updates)
        if any(one.is_refused for one in seen):
            return self._one_by_one(turns, blobs)
        self._keep(turns, blobs, updates)
        return seen

    def _looked_at(self, updates: Sequence[ItemUpdate]) -> list[Seen]:
        if not isinstance(updates, RaggedUpdates):
            return [self._measured(update) for update in updates]
        if not self._measures:
            return [Seen(actions) for actions in updates.actions]
        return [*map(Seen, updates.actions, updates.norms().tolist())]

    def _measured(self, update: ItemUpdate) -> Seen:
        return Seen(update.actions, length(update.rows) if self._measures else 0.0)

    def _one_by_one(self, turns: Sequence[tuple[int, int]], blobs: Sequence[bytes]) -> list[Seen]:
        seen = []
        for turn, blob in zip(turns, blobs, strict=True):
            try:
                update = self.opened(blob)
            except CodecError as error:
                seen.append(Seen(error=error))
            else:
                seen.append(self._measured(update))
                if not seen[-1].is_refused:
                    self._keep([turn], [blob], [update])
        return seen

    def _keep(
        self, turns: Sequence[tuple[int, int]], blobs: Sequence[bytes], updates: Sequence[ItemUpdate]
    ) -> None:
        size = updates.held if isinstance(updates, RaggedUpdates) else sum(one.rows.size for one in updates)
        if size > self._room:
            self._kept.update(zip(turns, blobs, strict=True))
        else:
            self._room -= size
            together = _Together(updates, size, len(updates))
            self._kept.update((turn, (together, place)) for place, turn in enumerate(turns))

    def fold(self, shard: int, shares: Sequence[Share]) -> Partial:
        """The weighted sum of some updates of one shard, in this order; they are forgotten."""
        if self._sum is None:
            self._sum = Gathering(self._shape[1]) if self._gathers else Accumulator(*self._shape)
        for together, places, weights in self._taken(shares):
            self._sum.add_each(together.updates, places, weights)
        return Partial(0, shard, *self._sum.drained())

    def _taken(self, shares: Sequence[Share]) -> Iterator[tuple[_Together, list[int], list[float]]]:
        """Those in a row that were decoded together at a time; they are kept no longer."""
        batch: _Together | None = None
        places: list[int] = []
        weights: list[float] = []
        for client, turn, weight in shares:
            kept = self._kept.pop((client, turn))
            together, place = (_alone(self.opened(kept)), 0) if isinstance(kept, bytes) else kept
            if batch is not together:
                if batch is not None:
                    yield batch, places, weights
                batch, places, weights = together, [], []
            places.append(place)
            weights.append(weight)
            if not isinstance(kept, bytes):
                self._leave(together)
        if batch is not None:
            yield batch, places, weights

    def forget(self, turns: Iterable[tuple[int, int]]) -> None:
        """Let go of what (client, turn) sent: no version will be made of it."""
        for turn in turns:
            kept = self._kept.pop(turn)
            if not isinstance(kept, bytes):
                self._leave(kept[0])

    def state(self, shard: int, shards: int) -> dict[tuple[int, int], ItemUpdate | bytes]:
        """What is kept of the turns of one shard's clients, in order."""
        return {
            turn: one if isinstance(one, bytes) else one[0].updates[one[1]]
            for turn, one in self._kept.items()
            if turn[0] % shards == shard
        }

    def put_back(self, shard: int, shards: int, state: Mapping[tuple[int, int], ItemUpdate | bytes]) -> None:
        """Have that kept of one shard, and nothing else."""
        self.forget([turn for turn in self._kept if turn[0] % shards == shard])
        for turn, one in state.items():
            if isinstance(one, bytes):
                self._kept[turn] = one
            else:
                self._room -= one.rows.size  # below zero where more machines had room for it
                self._kept[turn] = _alone(one), 0

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

    def _leave(self, together: _Together) -> None:
        together.left -= 1
        if not together.left:
            self._room += together.size
