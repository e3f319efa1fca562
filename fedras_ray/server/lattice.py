"""A downlink of exact differences: one replica of the item table, on a grid of steps.

I items, D width. The replica is ``first + step · q``: the table of version 0, which every client can draw
from the seed, and a table of integers. A new version moves it by ``m = round((table - replica) / step)``, so
what rounding left out is in the next difference: error feedback for free.

Early versions need not be told precisely: with `doublings` the replica moves by a multiple of the step at
first, ``2**doublings`` of them, which is halved at even distances on the way to the last version.

Sums of integers are exact. A client that holds state q_a and comes back at q_b is sent q_b - q_a,
entropy-coded, as *one* message, however many versions it missed: moves that undid each other cost nothing. A
newcomer is sent the seed and q_b. Whoever applied what it was sent holds the replica bit for bit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.grid import as_f32, pack_steps, rounded
from fedras_ray.config.codecs import LatticeDownlink as LatticeConfig
from fedras_ray.errors import CodecError
from fedras_ray.server.downlink import Delivery, Table
from fedras_ray.server.seeding import pack_seed

Integers = NDArray[np.int16]  # (I, D)

NOBODY = -1  # the state of a client that was never sent one
MOST_STEPS = np.iinfo(np.int16).max


class LatticeDownlink:
    """See the module. State 0 is the table of version 0."""

    def __init__(self, config: LatticeConfig, clients: int, versions: int, seed: int) -> None:
        self._config = config
        self._versions = versions
        self._seed = seed
        self._step = as_f32(config.step)
        self._held = np.full(clients, NOBODY, dtype=np.int32)  # (U,) the state each client holds
        self._states: dict[int, Integers] = {}  # the newest ones, by number
        self._newest = 0
        self._messages: dict[int, int] = {}  # state to build on -> bytes that lead from it to the newest
        self._first = np.zeros((0, 0), np.float32)  # (I, D)
        self._replica = self._first  # (I, D)
        self._view = 0
        self._retired: list[int] = []

    def publish(self, version: int, table: Table) -> dict[int, Table]:
        """Move the replica towards the table; returns it as a view where it moved."""
        if version == 0:
            self._first = self._replica = table.copy()
            self._states[0] = np.zeros(table.shape, np.int16)
        elif version % self._config.every:
            return {}
        else:
            self._move(table, coarseness(self._config.doublings, version, self._versions))
            self._retired.append(self._view)
        self._view = version
        view = self._replica.copy()
        view.flags.writeable = False
        return {version: view}

    def _move(self, table: Table, multiple: int) -> None:
        move = multiple * rounded(table - self._replica, multiple * self._step, self._config.dead_zone)
        state = self._states[self._newest] + move  # (I, D) int32
        if np.abs(state).max() > MOST_STEPS:
            raise CodecError(
                f"the item table moved more than {MOST_STEPS} steps of {self._step:g}; raise downlink.step"
            )
        self._newest += 1
        self._states[self._newest] = state.astype(np.int16)
        self._states.pop(self._newest - self._config.history, None)
        self._messages.clear()
        self._replica = (self._first + self._step * state.astype(np.float64)).astype(np.float32)

    def retired(self) -> list[int]:
        """See `Downlink.retired`."""
        retired, self._retired = self._retired, []
        return retired

    def preferred(self) -> None:
        """An absence costs one message, however long it was."""

    def send(self, client: int) -> Delivery:
        """What leads from the state that the client holds to the newest."""
        held = int(self._held[client])
        self._held[client] = self._newest
        if held in self._states:
            byte_count = self._message_bytes(held)
            missed = self._newest - held > 1
            return Delivery(self._view, byte_count, catch_up_bytes=byte_count if missed else 0)
        byte_count = self._message_bytes(NOBODY)
        return Delivery(self._view, byte_count, snapshot_bytes=byte_count)

    def _message_bytes(self, held: int) -> int:
        if held not in self._messages:
            self._messages[held] = sum(len(blob) for blob in self.message(held))
        return self._messages[held]

    def message(self, held: int) -> list[bytes]:
        """The blobs that lead to the newest state from one that is kept, or from nothing (`NOBODY`)."""
        newest = self._states[self._newest].astype(np.int32)
        items, width = newest.shape
        ids = np.arange(items, dtype=np.int32)
        if held == NOBODY:
            return [pack_seed(self._seed, items, width), self._packed(ids, newest)]
        return [self._packed(ids, newest - self._states[held])]

    def _packed(self, ids: NDArray[np.int32], steps: NDArray[np.int32]) -> bytes:
        """In units of the largest power of two that all integers are multiples of."""
        low = int(np.bitwise_or.reduce(steps, axis=None))
        shift = (low & -low).bit_length() - 1 if low else 0
        return pack_steps(ids, steps >> shift, self._step * (1 << shift), len(steps))

    def views(self, clients: NDArray[np.int64]) -> NDArray[np.int64]:
        """The newest replica, for all."""
        return np.array([self._view], dtype=np.int64)

    @property
    def state_bytes(self) -> int:
        """The states that are kept, and one number per client."""
        return sum(state.nbytes for state in self._states.values()) + self._held.nbytes


def coarseness(doublings: int, version: int, versions: int) -> int:
    """By how many steps the replica moves at once: a power of two that falls to 1 by the last version."""
    left = 1 - min(version / versions, 1)
    return 1 << min(doublings, math.floor((doublings + 1) * left))
