"""What coordinator and pools say to each other in every round, as lists of numbers and bytes.

Ray writes these down as they are. Anything else in them it pickles, object by object, and a round of a few
hundred clients has no more than some ten milliseconds: with dictionaries of arrays in place of these, calls
to two pools took 8 ms until they were answered, and take 4.

C turns, U updates, t rows of a table, D width.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import ray
from numpy.typing import NDArray

from actors.pending import RayPending
from fedras_ray.executor import Done, Pending
from fedras_ray.server.folding import Partial, Shares
from fedras_ray.site import Rounded
from fedras_ray.work import PACE, REAL, WHOLE, Assignment, Assignments, Receipts, Round

Message: TypeAlias = list[Any]  # of numbers, bytes, and such lists
Table: TypeAlias = NDArray[np.float32]

FEW_POOLS = 4  # to which a small table goes with the call, a copy each; to more of them by the object store
_DIRECT, _RAYS_DIRECT_BYTES = "RAY_max_direct_call_object_size", 100 * 1024
_SHARE = np.dtype([("client", np.int64), ("turn", np.int64), ("weight", np.float64)])


def orders(work: Mapping[int, Assignments]) -> Message:
    """Turns of shards."""
    return [[shard, some.table.tobytes()] for shard, some in work.items()]


def ordered(message: Message) -> dict[int, Assignments]:
    """What `orders` wrote."""
    return {shard: _assignments(table) for shard, table in message}


def clients(message: Message) -> list[int]:
    """Whose turns `orders` or `rounds` wrote, in order."""
    return [client for _, table, *_ in message for client in _assignments(table).column("client").tolist()]


def rounds(work: Mapping[int, Round]) -> Message:
    """Turns of shards of which a version is made."""
    return [[shard, some.assignments.table.tobytes(), some.pace.tobytes()] for shard, some in work.items()]


def told_rounds(message: Message) -> dict[int, Round]:
    """What `rounds` wrote."""
    return {shard: Round(_assignments(table), np.frombuffer(pace, PACE)) for shard, table, pace in message}


def answers(receipts: Receipts) -> Message:
    """What came of turns."""
    return [receipts.whole.tobytes(), receipts.real.tobytes()]


def answered(message: Message) -> Receipts:
    """What `answers` wrote."""
    whole, real = message
    numbers = np.frombuffer(whole, np.int64).reshape(-1, len(WHOLE))
    return Receipts(numbers, np.frombuffer(real, np.float64).reshape(-1, len(REAL)))


def round_answers(rounded: Rounded, state: bytes | None) -> Message:
    """What a round came to, and the state of the pool after it, if that is to come along."""
    return [answers(rounded.receipts), sums(rounded.sums), state]


def round_answered(message: Message) -> tuple[Rounded, bytes | None]:
    """What `round_answers` wrote."""
    receipts, partials, state = message
    return Rounded(answered(receipts), summed(partials)), state


def shares(some: Mapping[int, Shares]) -> Message:
    """What to add up of shards."""
    return [[shard, _packed(mine).tobytes()] for shard, mine in some.items()]


def shared(message: Message) -> dict[int, Shares]:
    """What `shares` wrote."""
    tables = {shard: np.frombuffer(table, _SHARE) for shard, table in message}
    return {shard: Shares(one["client"], one["turn"], one["weight"]) for shard, one in tables.items()}


def sums(partials: Sequence[Partial]) -> Message:
    """What was added up."""
    return [
        [one.level, one.index, one.rows.shape[1], one.ids.tobytes(), one.rows.tobytes(), one.counts.tobytes()]
        for one in partials
    ]


def summed(message: Message) -> list[Partial]:
    """What `sums` wrote."""
    return [
        Partial(
            level,
            index,
            np.frombuffer(ids, np.int32),
            np.frombuffer(rows, np.float32).reshape(-1, width),
            np.frombuffer(counts, np.int32),
        )
        for level, index, width, ids, rows, counts in message
    ]


def gone(turns: Mapping[int, Sequence[tuple[int, int]]]) -> Message:
    """(client, turn) of shards of which nothing will be made."""
    return [[shard, [*map(list, some)]] for shard, some in turns.items()]


def went(message: Message) -> dict[int, list[tuple[int, int]]]:
    """What `gone` wrote."""
    return {shard: [(client, turn) for client, turn in some] for shard, some in message}


class Published:
    """A table (I, D) that pools are given: with the call, a copy each, or by the object store, one a machine.

    The store takes 2 ms for any table, and a pool another one, however small it is.
    """

    def __init__(self, table: Table) -> None:
        limit = int(os.environ.get(_DIRECT, _RAYS_DIRECT_BYTES))  # of what Ray sends with a call
        self.octets = table.tobytes() if table.nbytes < limit else None  # None: it is large
        self._stored = ray.put(table) if self.octets is None else None
        self._shape = table.shape

    def given(self, pools: int, beside: int) -> Any:
        """As one of so many pools is given it, with so many others in the same call."""
        if self.octets is not None and pools <= FEW_POOLS and not beside:
            return self.octets
        return self.stored

    def apart(self, width: int, limit_s: float) -> Pending[Table]:
        """The table again, to be awaited by another thread."""
        if self.octets is not None:
            return Done(heard(self.octets, width))
        return RayPending(self.stored, "the object store", limit_s)

    @property
    def stored(self) -> Any:
        """The object in the store."""
        if self._stored is None:
            self._stored = ray.put(np.frombuffer(self.octets or b"", np.float32).reshape(self._shape))
        return self._stored


def heard(table: bytes | Table, width: int) -> Table:
    """The table (I, D) that a pool was given, read-only."""
    return np.frombuffer(table, np.float32).reshape(-1, width) if isinstance(table, bytes) else table


def _assignments(octets: bytes) -> Assignments:
    return Assignments(np.frombuffer(octets, np.int64).reshape(-1, len(Assignment._fields)))


def _packed(some: Shares) -> NDArray[np.void]:
    table: NDArray[np.void] = np.empty(len(some.clients), _SHARE)
    table["client"], table["turn"], table["weight"] = some
    return table
