"""What clients are asked to do, and what the server is told of it: as rows, and many of them as columns.

A schedule without rounds asks for one turn at a time, and one row says what. What goes to other processes are
many rows as one or two arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from fedras_ray.snapshots.kinds import kept

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

NOT_GIVEN = -1  # in a column, for None


@kept()
class Assignment(NamedTuple):
    """One client's turn, as the server orders it."""

    client: int
    turn: int  # how many turns the client had before: the address of its randomness
    version: int
    view: int  # the state of the item table it was sent
    budget_bytes: int | None  # what it may send, None: as much as the codec likes
    epochs: int = 0  # of local training; 0: those of the experiment
    actions: int | None = None  # how many it may send, None: as many as the codec likes


@kept()
class Receipt(NamedTuple):
    """What the server is told of a turn's upload: numbers about bytes that are kept where they arrived."""

    client: int
    byte_count: int  # of the blob
    rows: int  # that the turn touched
    samples: int
    sparse_bytes: int  # the touched rows in f32
    loss: float
    actions: int  # K as decoded; 0: the codec has none
    refused: bool = False  # it does not open or is not finite, which is known when it arrives
    length: float = 0.0  # the norm of what it decodes to, if the server measures


@kept()
@dataclass(frozen=True, slots=True, eq=False)
class Assignments(Sequence[Assignment]):
    """Some in a row."""

    table: Whole  # (n, 7) the fields, `NOT_GIVEN` for None

    @classmethod
    def of(cls, some: Iterable[Assignment]) -> Assignments:
        """These."""
        rows = [[NOT_GIVEN if value is None else value for value in one] for one in some]
        return cls(np.array(rows, np.int64).reshape(-1, len(Assignment._fields)))

    @classmethod
    def joined(cls, parts: Sequence[Assignments]) -> Assignments:
        """All of some, in their order."""
        return cls(np.concatenate([one.table for one in parts])) if parts else cls.of([])

    def column(self, name: str) -> Whole:
        """(n,) one field of all."""
        column: Whole = self.table[:, Assignment._fields.index(name)]
        return column

    def limits(self, name: str) -> list[int | None]:
        """One field of all, which need not be given."""
        column = self.column(name)
        if (column == NOT_GIVEN).all():
            return [None] * len(column)
        return [None if value == NOT_GIVEN else value for value in column.tolist()]

    def names(self) -> list[tuple[int, int]]:
        """The client and the turn of each."""
        return [*zip(self.column("client").tolist(), self.column("turn").tolist(), strict=True)]

    def name(self, place: int) -> tuple[int, int]:
        """The client and the turn of one."""
        client, turn = (self.column(name).item(place) for name in ("client", "turn"))
        return client, turn

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Assignment]:
        columns = (
            self.limits(name) if name in ("budget_bytes", "actions") else self.column(name).tolist()
            for name in Assignment._fields
        )
        return map(Assignment, *columns)

    @overload
    def __getitem__(self, place: int) -> Assignment: ...

    @overload
    def __getitem__(self, place: slice) -> Assignments: ...

    def __getitem__(self, place: int | slice) -> Assignment | Assignments:
        if isinstance(place, slice):
            return Assignments(self.table[place])
        return next(iter(Assignments(self.table[place][None])))


def places_by_shard(clients: Whole, shards: int) -> dict[int, Whole]:
    """Where the clients (n,) of each shard stand: by shard, and within one in their order."""
    shard_of = clients % shards
    order = np.argsort(shard_of, kind="stable")
    until = np.cumsum(np.bincount(shard_of, minlength=shards)).tolist()
    bounds = enumerate(pairwise([0, *until]))
    return {shard: order[begin:end] for shard, (begin, end) in bounds if begin < end}


PACE = np.dtype(
    [
        ("trained_at_ns", np.int64),
        ("latency_s", np.float64),
        ("uplink_bytes_per_s", np.float64),
        ("weight", np.float64),
    ]
)


class Round(NamedTuple):
    """Turns that a version is made of, all of them, and what decides the order in which they are added up."""

    assignments: Assignments  # n
    pace: NDArray[np.void]  # (n,) of `PACE`: when training ends, by what link it is sent, with which weight

    def by_shard(self, shards: int) -> dict[int, Round]:
        """Those of each shard, in the order of shards, and within a shard in their order here."""
        places = places_by_shard(self.assignments.column("client"), shards)
        table = self.assignments.table
        return {shard: Round(Assignments(table[some]), self.pace[some]) for shard, some in places.items()}


WHOLE = ("client", "byte_count", "rows", "samples", "sparse_bytes", "actions", "refused")
REAL = ("loss", "length")


@kept()
@dataclass(frozen=True, slots=True, eq=False)
class Receipts(Sequence[Receipt]):
    """Some in a row."""

    whole: Whole  # (n, 7) the fields `WHOLE`
    real: Real  # (n, 2) the fields `REAL`

    @classmethod
    def of(cls, some: Iterable[Receipt]) -> Receipts:
        """These."""
        rows = [*some]
        whole = [[getattr(one, name) for name in WHOLE] for one in rows]
        real = [[one.loss, one.length] for one in rows]
        return cls(
            np.array(whole, np.int64).reshape(-1, len(WHOLE)), np.array(real, np.float64).reshape(-1, 2)
        )

    @classmethod
    def joined(cls, parts: Sequence[Receipts]) -> Receipts:
        """All of some, in their order."""
        if not parts:
            return cls.of([])
        return cls(np.concatenate([one.whole for one in parts]), np.concatenate([one.real for one in parts]))

    def column(self, name: str) -> Whole:
        """(n,) one of the whole numbers of all."""
        column: Whole = self.whole[:, WHOLE.index(name)]
        return column

    def of_clients(self, clients: Whole) -> Receipts:
        """Those of some clients, in their order; a client has one.

        Raises:
            ValueError: one of them has none.
        """
        known = self.column("client")
        order = np.argsort(known)
        places = order[np.minimum(np.searchsorted(known, clients, sorter=order), len(order) - 1)]
        if not np.array_equal(known[places], clients):
            raise ValueError("a client has no receipt")
        return self.at(places)

    def at(self, places: Whole | slice) -> Receipts:
        """Those at some places, in the order of these."""
        return Receipts(self.whole[places], self.real[places])

    def __len__(self) -> int:
        return len(self.whole)

    def __iter__(self) -> Iterator[Receipt]:
        rows = zip(self.whole.tolist(), self.real.tolist(), strict=True)
        return starmap(_receipt, rows)

    @overload
    def __getitem__(self, place: int) -> Receipt: ...

    @overload
    def __getitem__(self, place: slice) -> Receipts: ...

    def __getitem__(self, place: int | slice) -> Receipt | Receipts:
        if isinstance(place, slice):
            return self.at(place)
        return _receipt(self.whole[place].tolist(), self.real[place].tolist())


def _receipt(whole: Sequence[int], real: Sequence[float]) -> Receipt:
    client, byte_count, rows, samples, sparse_bytes, actions, refused = whole
    loss, length = real
    return Receipt(client, byte_count, rows, samples, sparse_bytes, loss, actions, bool(refused), length)
