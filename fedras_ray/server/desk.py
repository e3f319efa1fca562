"""The server's half of a pool: it takes bytes, looks what they say, and adds it up when a version is due.

A desk is where blobs arrive. It never sees what a client had, only what it sent: everything here begins with
``decode(blob)``. It stands beside the clients for one reason, that rows would otherwise cross the network and
one process for nothing; the clients' side (`ClientHost`) does not know of it. What waits for its version lies
on a `Shelf`; what is added up as it comes does not.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.base import Codec, ItemUpdate
from fedras_ray.codecs.ragged import RaggedUpdates, decode_each
from fedras_ray.errors import CodecError
from fedras_ray.kernels.measuring import length
from fedras_ray.server.aggregation import Accumulator, along_tree
from fedras_ray.server.folding import Climbs, Due, Partial, Shares
from fedras_ray.server.robust import Gathering
from fedras_ray.server.shelf import ROOM, Shelf, Turns


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


class Batch(NamedTuple):
    """Blobs that came together, and what they say."""

    blobs: Sequence[bytes]
    updates: Sequence[ItemUpdate | None]  # None: it is refused
    seen: Seen


def _arrays(updates: Sequence[ItemUpdate]) -> Sequence[ItemUpdate | RaggedUpdates]:
    """What holds their rows: all of them together, or each by itself."""
    return [updates] if isinstance(updates, RaggedUpdates) else updates


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
        self._taking = threading.Lock()
        self.shelf = Shelf(room)
        self._measures, self._checks = measures, checks
        self._gathers = gathers

    def receive(self, turns: Turns, blobs: Sequence[bytes]) -> Seen:
        """Look into what some (client, turn) sent, and keep it."""
        batch = self.look_into(blobs)
        self.keep(turns, batch)
        return batch.seen

    def look_into(self, blobs: Sequence[bytes]) -> Batch:
        """What was sent; refused is what is not of this codec and table, or not finite."""
        try:
            updates = decode_each(self._codec, blobs)
            for one in _arrays(updates):
                self._check(one)
        except CodecError:
            return self._one_by_one(blobs)
        seen = self._looked_at(updates)
        return self._one_by_one(blobs) if seen.is_refused.any() else Batch(blobs, updates, seen)

    def keep(self, turns: Turns, batch: Batch) -> None:
        """Have what some (client, turn) sent, but for what is refused, until it is folded or forgotten."""
        blobs, updates, refused = batch.blobs, batch.updates, batch.seen.is_refused
        if not refused.any():
            self.shelf.put(turns, blobs, cast(Sequence[ItemUpdate], updates))
            return
        for place in np.flatnonzero(~refused).tolist():
            self.shelf.put([turns[place]], [blobs[place]], [cast(ItemUpdate, updates[place])])

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

    def _one_by_one(self, blobs: Sequence[bytes]) -> Batch:
        actions, norms = np.zeros(len(blobs), np.int64), np.zeros(len(blobs))
        errors: dict[int, CodecError] = {}
        updates: list[ItemUpdate | None] = [None] * len(blobs)
        for place, blob in enumerate(blobs):
            try:
                update = self.opened(blob)
            except CodecError as error:
                errors[place] = error
            else:
                actions[place], norms[place] = update.actions, self._length(update)
                if math.isfinite(norms[place]):
                    updates[place] = update
        return Batch(blobs, updates, Seen(actions, norms, errors))

    def sums_of(
        self, shards: Sequence[int], batch: Batch, due: Sequence[Due], climbs: Climbs
    ) -> list[Partial]:
        """The weighted sums of some of a batch that are not refused, in this order; none is kept.

        Args:
            shards: some, increasing.
            batch: what was sent.
            due: of each shard.
            climbs: how sums of shards become those of branches, where that can be done at once.
        """
        if isinstance(batch.updates, RaggedUpdates) and not self._gathers:
            return self._along_tree(batch.updates, due, climbs)
        updates = cast(Sequence[ItemUpdate], batch.updates)
        each = (((updates[at], weight) for at, weight in zip(*mine, strict=True)) for mine in due)
        return [*map(self._sum, shards, each)]

    def fold(self, shares: Mapping[int, Shares], climbs: Climbs) -> list[Partial]:
        """As `sums_of`, of what is kept (shard -> in order), which is forgotten."""
        taken = self.shelf.taken(chain.from_iterable(some.names() for some in shares.values()))
        ends = np.cumsum([0, *(len(some.weights) for some in shares.values())]).tolist()
        parts = [
            (slice(*pair), some.weights) for pair, some in zip(pairwise(ends), shares.values(), strict=True)
        ]
        found = None if self._gathers else taken.together()
        if found is not None:
            updates, places = found
            return self._along_tree(updates, [Due(places[its], weights) for its, weights in parts], climbs)
        each = (zip(map(self._whole, taken.each(its)), weights, strict=True) for its, weights in parts)
        return [*map(self._sum, shares, each)]

    def _whole(self, one: ItemUpdate | bytes) -> ItemUpdate:
        return self.opened(one) if isinstance(one, bytes) else one

    def _along_tree(self, updates: RaggedUpdates, due: Sequence[Due], climbs: Climbs) -> list[Partial]:
        found = along_tree(updates, due, climbs.joins)
        return [
            Partial(level, index, *its) for (level, index), its in zip(climbs.branches, found, strict=True)
        ]

    def _sum(self, shard: int, weighed: Iterable[tuple[ItemUpdate, float]]) -> Partial:
        """Of updates of one shard, one after the other."""
        total = self._emptied()
        for update, weight in weighed:
            total.add(update, weight)
        found = Partial(0, shard, *total.drained())
        self._sums.append(total)
        return found

    def _emptied(self) -> Accumulator | Gathering:
        with self._taking:
            if self._sums:
                return self._sums.pop()
        return Gathering(self._shape[1]) if self._gathers else Accumulator(*self._shape)

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
