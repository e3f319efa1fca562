"""Whom the server asks for what: clients one by one, and many of them as columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clock import nanos
from fedras_ray.server.downlink import Delivery, Ids
from fedras_ray.server.pacing import Decision
from fedras_ray.work import NOT_GIVEN

Column = NDArray[np.int64]


class Asked(NamedTuple):
    """A client that is to begin a turn."""

    client: int
    turn: int  # how many it had before
    rows: Ids | None  # that it asks for
    delivery: Delivery
    decision: Decision


@dataclass(frozen=True, slots=True, eq=False)
class AskedAlike(Sequence[Asked]):
    """Clients who are sent the same, and told to do the same."""

    clients: Column  # (n,)
    turns: Column  # (n,)
    delivery: Delivery
    decision: Decision

    def __len__(self) -> int:
        return len(self.clients)

    def __iter__(self) -> Iterator[Asked]:
        same = repeat(None), repeat(self.delivery), repeat(self.decision)
        return map(Asked, self.clients.tolist(), self.turns.tolist(), *same)

    @overload
    def __getitem__(self, place: int) -> Asked: ...

    @overload
    def __getitem__(self, place: slice) -> list[Asked]: ...

    def __getitem__(self, place: int | slice) -> Asked | list[Asked]:
        return [*self][place]


class Columns(NamedTuple):
    """What n clients are asked: (n,) each."""

    client: Column
    turn: Column
    delivery: dict[str, Column]  # by the names of its fields
    epochs: Column
    predicted_ns: Column
    budget_bytes: Column  # `NOT_GIVEN` for None
    actions: Column  # likewise


def columns(asked: Sequence[Asked]) -> Columns:
    """These, as columns."""
    if isinstance(asked, AskedAlike):
        told, sent, count = _told([asked.decision]), _sent([asked.delivery]), len(asked)
        same = {name: np.repeat(column, count) for name, column in sent.items()}
        return Columns(asked.clients, asked.turns, same, *(np.repeat(column, count) for column in told))
    clients, turns = (np.array([one[field] for one in asked], np.int64) for field in (0, 1))
    told = _told([one.decision for one in asked])
    return Columns(clients, turns, _sent([one.delivery for one in asked]), *told)


def _told(decisions: Sequence[Decision]) -> tuple[Column, Column, Column, Column]:
    """The columns from `epochs` on."""
    return (
        np.array([one.epochs for one in decisions], np.int64),
        np.array([one.predicted_s and nanos(one.predicted_s) for one in decisions], np.int64),
        np.array([_given(one.budget_bytes) for one in decisions], np.int64),
        np.array([_given(one.actions) for one in decisions], np.int64),
    )


def _given(value: int | None) -> int:
    return NOT_GIVEN if value is None else value


def _sent(deliveries: Sequence[Delivery]) -> dict[str, Column]:
    """By the names of the fields."""
    table = np.array(deliveries, np.int64).reshape(len(deliveries), len(Delivery._fields))
    return dict(zip(Delivery._fields, table.T, strict=True))
