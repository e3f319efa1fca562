"""Clients that leave in the middle of a turn: because they go off, or because they drop out.

A turn has three phases, download, training and upload. A client that drops out does so in each of them
equally often, and anywhere within: a share of the turn's work, told in thirds. What it had received or sent
by then was received or sent; a training that was not finished has changed nothing.
"""

from __future__ import annotations

from enum import IntEnum

from fedras_ray.clock import Nanos
from fedras_ray.config.network import AlwaysAvailable, NetworkConfig
from fedras_ray.fleet.availability import Availability
from fedras_ray.fleet.mishaps import drop_share, is_lost
from fedras_ray.snapshots.kinds import kept


@kept()
class Phase(IntEnum):
    """Where a turn is."""

    DOWNLOAD = 0
    TRAINING = 1
    UPLOAD = 2
    OVER = 3
    HELD_UP = 4  # sent in full, and not there yet


class Departures:
    """When clients leave, and which uploads are lost."""

    def __init__(self, config: NetworkConfig, availability: Availability, seed: int) -> None:
        self._config = config
        self._availability = availability
        self._seed = seed
        self._always_on = isinstance(config.availability, AlwaysAvailable)
        self.nobody_leaves = self._always_on and config.dropout == 0
        self.nothing_is_lost = config.loss == 0

    def drop_share(self, client: int, turn: int) -> float | None:
        """The share of a turn's work after which the client drops out; None: it does not."""
        return drop_share(self._config.dropout, self._seed, client, turn)

    def leaves_ns(
        self, client: int, share: float | None, phase: Phase, begun_ns: Nanos, ends_ns: Nanos
    ) -> Nanos | None:
        """The instant within a phase at which the client leaves; None: it stays to the phase's end.

        Args:
            client: which.
            share: its turn's `drop_share`.
            phase: that it is in.
            begun_ns: when that began.
            ends_ns: when that will end.
        """
        if share is None and self._always_on:
            return None
        instants = []
        if share is not None and int(3 * share) == phase:
            instants.append(Nanos(begun_ns + int((3 * share - phase) * (ends_ns - begun_ns))))
        off = self._availability.on_until(client, begun_ns)
        if off is not None and off < ends_ns:
            instants.append(off)
        return min(instants, default=None)

    def is_lost(self, client: int, turn: int) -> bool:
        """Whether a turn's upload never arrives."""
        return is_lost(self._config.loss, self._seed, client, turn)
