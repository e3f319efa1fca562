"""One replica of the item table on a grid of steps: the state behind downlinks of exact differences.

I items, D width. The replica starts as the table of version 0, which every client can draw from the seed, and
moves by integer multiples of a step, ``m = round((table - replica) / step)``, along axes that change once
(`server.eras`). What rounding left out is in the next difference: error feedback for free. Early versions
need not be told precisely: with `doublings` the replica moves by a multiple of the step at first,
``2**doublings`` of them, which is halved at even distances on the way to the last version.

Rare items all drift the same way, and slowly. If all started in the middle of a step, all of them would
seem to stand still for long; so the replica starts anywhere between the steps, by a `dither` from the seed
too, and as many of them move as the drift is a share of the step (L. G. Roberts, "Picture coding using
pseudo-random noise", IRE Trans. Inf. Theory 8, 1962).

Sums of integers are exact, so what leads from state q_a to q_b is q_b - q_a, however many versions lie
between. Who gets what is up to `server.whole` and `server.touched`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.grid import as_f32, pack_whole, rounded
from fedras_ray.config.codecs import LatticeDownlink as LatticeConfig
from fedras_ray.errors import CodecError
from fedras_ray.kernels import multiples
from fedras_ray.server.downlink import Table
from fedras_ray.server.eras import Era, Integers, principal_axes
from fedras_ray.server.seeding import pack_seed
from fedras_ray.snapshots.kinds import kept
from fedras_ray.streams import Purpose, stream

NOTHING = -1  # the state of who was never sent one
MOST_STEPS = np.iinfo(np.int16).max


@kept("newest", "eras", "replica", "view", "_states", "_retired")
class Lattice:
    """See the module. State 0 is the table of version 0, dithered."""

    def __init__(self, config: LatticeConfig, versions: int, seed: int) -> None:
        self.config = config
        self.newest = 0  # number of the newest state
        self.eras: list[Era] = []
        self.replica = np.zeros((0, 0), np.float32)  # (I, D)
        self.view = 0
        self._versions = versions
        self._seed = seed
        self._step = as_f32(config.step)
        self._states = np.zeros((0, 0, 0), np.int16)  # (history, I, D) state s at s mod history, in its axes
        self._retired: list[int] = []

    def publish(self, version: int, table: Table) -> dict[int, Table]:
        """Move the replica towards the table; returns it as a view where it moved."""
        if version == 0:
            coarsest = self._step * coarseness(self.config.doublings, 0, self._versions)
            self.replica = dithered(table, coarsest, self._seed) if self.config.dither else table.copy()
            self._states = np.zeros((self.config.history, *table.shape), np.int16)
            self._begin_era(b"")
        elif version % self.config.every:
            return {}
        else:
            if len(self.eras) == 1 and self._turns_at(version):
                self._begin_era(principal_axes(table - self.eras[0].origin))
            self._move(table, coarseness(self.config.doublings, version, self._versions))
            self._retired.append(self.view)
        self.view = version
        view = self.replica.copy()
        view.flags.writeable = False
        return {version: view}

    def _turns_at(self, version: int) -> bool:
        return self.config.axes == "principal" and version >= self.config.axes_after * self._versions

    def _begin_era(self, axes: bytes) -> None:
        if self.eras:
            self.eras[-1].end = self.state(self.newest).astype(np.int32)
        self.eras.append(Era(self.replica, self.newest, axes))
        self._states[self.newest % self.config.history] = 0

    def _move(self, table: Table, multiple: int) -> None:
        era = self.eras[-1]
        left = era.along(table - self.replica)
        move = multiple * rounded(left, multiple * self._step, self.config.dead_zone)
        state = self.state(self.newest) + move  # (I, D) int32
        if np.abs(state).max() > MOST_STEPS:
            raise CodecError(
                f"the item table moved more than {MOST_STEPS} steps of {self._step:g}; raise downlink.step, "
                "or lower server.optimizer.rate if training diverged"
            )
        self.newest += 1
        self._states[self.newest % self.config.history] = state
        self.replica = era.replica(state, self._step)

    def retired(self) -> list[int]:
        """See `Downlink.retired`."""
        retired, self._retired = self._retired, []
        return retired

    @property
    def step(self) -> float:
        """Of the lattice, as the wire says it."""
        return self._step

    def keeps(self, state: int) -> bool:
        """Whether a message can build on this state."""
        return max(0, self.newest - self.config.history + 1) <= state <= self.newest

    def state(self, number: int) -> NDArray[np.int16]:
        """The integers (I, D) of a state that is kept, in the axes of its era."""
        state: NDArray[np.int16] = self._states[number % self.config.history]
        return state

    def end_of(self, era: int) -> Integers:
        """The last state of an era, or the newest."""
        return self._end(era).astype(np.int32)

    def _end(self, era: int) -> Integers | NDArray[np.int16]:
        end = self.eras[era].end
        return self.state(self.newest) if end is None else end

    def moves(self, era: int, rows: NDArray[np.int32], held: NDArray[np.int32]) -> Integers:
        """(n, D) to the end of an era, from the state that is held; or from the origin, if it is not kept.

        Both sides know which, from the notice: states older than ``history`` are not kept.
        """
        after = max(self.eras[era].start, self.newest - self.config.history)
        return multiples.moves(self._end(era), self._states, held, rows, after)

    def last_of(self, era: int) -> int:
        """The number of that state."""
        return self.newest if era + 1 == len(self.eras) else self.eras[era + 1].start

    def seed_blob(self) -> bytes:
        """What stands for state 0."""
        return pack_seed(self._seed, *self.replica.shape)

    def packed(self, steps: Integers) -> bytes:
        """Rows of integers (n, D)."""
        return pack_whole(steps, self._step)

    def snapshot(self) -> list[bytes]:
        """The blobs that lead from nothing to the newest state."""
        blobs = [self.seed_blob()]
        for number, era in enumerate(self.eras):
            blobs += [era.blob] if number else []
            blobs.append(self.packed(self.end_of(number)))
        return blobs

    @property
    def state_bytes(self) -> int:
        """The states that are kept, and the eras' origins and ends."""
        ends = sum(era.origin.nbytes + (0 if era.end is None else era.end.nbytes) for era in self.eras)
        return self._states.nbytes + ends


def dithered(table: Table, step: float, seed: int) -> Table:
    """The table (I, D) moved by up to half a step, evenly, as anyone with the seed can do."""
    noise = stream(seed, Purpose.DITHER).random(table.shape) - 0.5
    return (table + step * noise).astype(np.float32)


def coarseness(doublings: int, version: int, versions: int) -> int:
    """By how many steps the replica moves at once: a power of two that falls to 1 by the last version."""
    left = 1 - min(version / versions, 1)
    return 1 << min(doublings, math.floor((doublings + 1) * left))
