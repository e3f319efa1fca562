"""When clients can be asked: always, in a window of the day, on and off at random, or as a trace says.

Phones that train are idle, charging and on a free network, which most of them are at night; how many can be
asked changes fourfold over a day (K. Bonawitz et al., "Towards Federated Learning at Scale: System Design",
MLSys 2019, arXiv 1902.01046).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clock import NANOS_PER_SECOND, Nanos
from fedras_ray.config.network import (
    AlwaysAvailable,
    AvailabilityConfig,
    DiurnalAvailability,
    RenewalAvailability,
    TraceAvailability,
)
from fedras_ray.fleet.presence import TracedAvailability
from fedras_ray.fleet.renewal import OnAndOff
from fedras_ray.fleet.traces import read_presence
from fedras_ray.streams import Purpose, stream

Clients = NDArray[np.int64]
Mask = NDArray[np.bool_]

HOUR_NS = 3_600 * NANOS_PER_SECOND
DAY_NS = 24 * HOUR_NS


class Availability(Protocol):
    """When each client is on; questions may come in any order of time."""

    def is_on(self, client: int, at_ns: int) -> bool:
        """Whether a client can be asked at an instant."""
        ...

    def on_until(self, client: int, at_ns: int) -> Nanos | None:
        """The first instant from `at_ns` on at which a client is off; None: it stays on for ever."""
        ...

    def next_on(self, client: int, at_ns: int) -> Nanos:
        """The first instant from `at_ns` on at which a client is on."""
        ...

    def on_mask(self, clients: Clients, at_ns: int) -> Mask:
        """(n,) whether each of (n,) clients is on at an instant."""
        ...


def build_availability(config: AvailabilityConfig, client_count: int, seed: int) -> Availability:
    """When the clients 0, 1, … are on.

    Raises:
        FleetError: a trace file is wrong, or says nothing of a client.
    """
    match config:
        case AlwaysAvailable():
            return AlwaysOn()
        case DiurnalAvailability():
            return DailyWindow(config, client_count, seed)
        case RenewalAvailability():
            return OnAndOff(config, seed)
        case TraceAvailability():
            return TracedAvailability(config, read_presence(config), client_count, seed)


class AlwaysOn:
    """Nobody is ever off."""

    def is_on(self, client: int, at_ns: int) -> bool:
        """Yes."""
        return True

    def on_until(self, client: int, at_ns: int) -> None:
        """For ever."""
        return

    def next_on(self, client: int, at_ns: int) -> Nanos:
        """At once."""
        return Nanos(at_ns)

    def on_mask(self, clients: Clients, at_ns: int) -> Mask:
        """All of them."""
        return np.ones(len(clients), dtype=np.bool_)


class DailyWindow:
    """Each client is on for the same hours of every day, around a middle of its own.

    The middles are normal over clients (time zones, habits); instant 0 is midnight.
    """

    def __init__(self, config: DiurnalAvailability, client_count: int, seed: int) -> None:
        normal = stream(seed, Purpose.AVAILABILITY).standard_normal(client_count)
        starts = config.middle_hour - config.hours_per_day / 2 + config.spread_hours * normal
        self._starts_ns = np.rint(starts * HOUR_NS).astype(np.int64) % DAY_NS  # (U,)
        self._window_ns = round(config.hours_per_day * HOUR_NS)

    def is_on(self, client: int, at_ns: int) -> bool:
        """Whether the hour lies in the client's window."""
        return self._within_ns(client, at_ns) < self._window_ns

    def on_until(self, client: int, at_ns: int) -> Nanos | None:
        """The window's end; None: the window is the whole day."""
        if self._window_ns >= DAY_NS:
            return None
        return Nanos(at_ns + max(0, self._window_ns - self._within_ns(client, at_ns)))

    def next_on(self, client: int, at_ns: int) -> Nanos:
        """Now, or the next window's begin."""
        within = self._within_ns(client, at_ns)
        return Nanos(at_ns if within < self._window_ns else at_ns + DAY_NS - within)

    def on_mask(self, clients: Clients, at_ns: int) -> Mask:
        """(n,) in closed form."""
        return np.asarray((at_ns % DAY_NS - self._starts_ns[clients]) % DAY_NS < self._window_ns)

    def _within_ns(self, client: int, at_ns: int) -> int:
        """How long ago the client's latest window began."""
        return (at_ns - int(self._starts_ns[client])) % DAY_NS
