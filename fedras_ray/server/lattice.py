"""A downlink of exact differences: one replica of the item table, on a grid of steps.

I items, D width. The replica starts as the table of version 0, which every client can draw from the seed, and
moves by integer multiples of a step, ``m = round((table - replica) / step)``, along axes that change once
(`server.eras`). What rounding left out is in the next difference: error feedback for free. Early versions
need not be told precisely: with `doublings` the replica moves by a multiple of the step at first,
``2**doublings`` of them, which is halved at even distances on the way to the last version.

Rare items all drift the same way, and slowly. If all started in the middle of a step, all of them would
seem to stand still for long; so the replica starts anywhere between the steps, by a `dither` from the seed
too, and as many of them move as the drift is a share of the step (L. G. Roberts, "Picture coding using
pseudo-random noise", IRE Trans. Inf. Theory 8, 1962).

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
from fedras_ray.server.eras import Era, Integers, principal_axes
from fedras_ray.server.seeding import pack_seed
from fedras_ray.streams import Purpose, stream

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
        self._eras: list[Era] = []
        self._states: dict[int, NDArray[np.int16]] = {}  # the newest ones by number, in the axes of their era
        self._newest = 0
        self._sizes: dict[int, int] = {}  # state to build on -> bytes that lead from it to the newest
        self._replica = np.zeros((0, 0), np.float32)  # (I, D)
        self._view = 0
        self._retired: list[int] = []

    def publish(self, version: int, table: Table) -> dict[int, Table]:
        """Move the replica towards the table; returns it as a view where it moved."""
        if version == 0:
            coarsest = self._step * coarseness(self._config.doublings, 0, self._versions)
            self._replica = dithered(table, coarsest, self._seed) if self._config.dither else table.copy()
            self._begin_era(b"")
        elif version % self._config.every:
            return {}
        else:
            if len(self._eras) == 1 and self._turns_at(version):
                self._begin_era(principal_axes(table - self._eras[0].origin))
            self._move(table, coarseness(self._config.doublings, version, self._versions))
            self._retired.append(self._view)
        self._view = version
        view = self._replica.copy()
        view.flags.writeable = False
        return {version: view}

    def _turns_at(self, version: int) -> bool:
        return self._config.axes == "principal" and version >= self._config.axes_after * self._versions

    def _begin_era(self, axes: bytes) -> None:
        if self._eras:
            self._eras[-1].end = self._states[self._newest].astype(np.int32)
        self._eras.append(Era(self._replica, self._newest, axes))
        self._states[self._newest] = np.zeros(self._replica.shape, np.int16)

    def _move(self, table: Table, multiple: int) -> None:
        era = self._eras[-1]
        left = era.along(table - self._replica)
        move = multiple * rounded(left, multiple * self._step, self._config.dead_zone)
        state = self._states[self._newest] + move  # (I, D) int32
        if np.abs(state).max() > MOST_STEPS:
            raise CodecError(
                f"the item table moved more than {MOST_STEPS} steps of {self._step:g}; raise downlink.step, "
                "or lower server.optimizer.rate if training diverged"
            )
        self._newest += 1
        self._states[self._newest] = state.astype(np.int16)
        self._states.pop(self._newest - self._config.history, None)
        self._sizes.clear()
        self._replica = era.replica(state, self._step)

    def retired(self) -> list[int]:
        """See `Downlink.retired`."""
        retired, self._retired = self._retired, []
        return retired

    def preferred(self) -> None:
        """An absence costs one message, however long it was."""

    def send(self, client: int) -> Delivery:
        """What leads from the state that the client holds to the newest."""
        held = self.state_of(client)
        self._held[client] = self._newest
        if held not in self._sizes:
            self._sizes[held] = sum(len(blob) for blob in self.message(held))
        byte_count = self._sizes[held]
        if held == NOBODY:
            return Delivery(self._view, byte_count, snapshot_bytes=byte_count)
        missed = self._newest - held > 1
        return Delivery(self._view, byte_count, catch_up_bytes=byte_count if missed else 0)

    def state_of(self, client: int) -> int:
        """The state that the client can build on; `NOBODY` where it has none that is kept."""
        held = int(self._held[client])
        return held if held in self._states else NOBODY

    def message(self, held: int) -> list[bytes]:
        """The blobs that lead to the newest state from one that is kept, or from nothing (`NOBODY`)."""
        blobs = [pack_seed(self._seed, *self._replica.shape)] if held == NOBODY else []
        for number, era in enumerate(self._eras):
            end = self._states[self._newest].astype(np.int32) if era.end is None else era.end
            later = self._eras[number + 1].start if era.end is not None else self._newest + 1
            if held >= later:
                continue  # left behind
            if number and held <= era.start:  # it was there before the era began
                blobs.append(era.blob)
            within = held >= era.start and held != NOBODY
            blobs.append(self._packed(end - self._states[held] if within else end))
        return blobs

    def _packed(self, steps: Integers) -> bytes:
        """In units of the largest power of two that all integers are multiples of."""
        low = int(np.bitwise_or.reduce(steps, axis=None))
        shift = (low & -low).bit_length() - 1 if low else 0
        ids = np.arange(len(steps), dtype=np.int32)
        return pack_steps(ids, steps >> shift, self._step * (1 << shift), len(steps))

    def views(self, clients: NDArray[np.int64]) -> NDArray[np.int64]:
        """The newest replica, for all."""
        return np.array([self._view], dtype=np.int64)

    @property
    def state_bytes(self) -> int:
        """The states that are kept, the eras' origins and ends, and one number per client."""
        ends = sum(era.origin.nbytes + (0 if era.end is None else era.end.nbytes) for era in self._eras)
        return sum(state.nbytes for state in self._states.values()) + ends + self._held.nbytes


def dithered(table: Table, step: float, seed: int) -> Table:
    """The table (I, D) moved by up to half a step, evenly, as anyone with the seed can do."""
    noise = stream(seed, Purpose.DITHER).random(table.shape) - 0.5
    return (table + step * noise).astype(np.float32)


def coarseness(doublings: int, version: int, versions: int) -> int:
    """By how many steps the replica moves at once: a power of two that falls to 1 by the last version."""
    left = 1 - min(version / versions, 1)
    return 1 << min(doublings, math.floor((doublings + 1) * left))
