"""Clients that are on when a trace says so, in cycles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clock import Nanos
from fedras_ray.config.network import TraceAvailability
from fedras_ray.errors import FleetError
from fedras_ray.fleet.traces import PresenceTrace
from fedras_ray.streams import Purpose, stream


class TracedAvailability:
    """Each client follows the device of the trace that has its number, or one that was drawn for it.

    Raises:
        FleetError: the trace has no device of a client's number.
    """

    def __init__(self, config: TraceAvailability, trace: PresenceTrace, client_count: int, seed: int) -> None:
        self._trace = trace
        if config.clients == "drawn":
            rng = stream(seed, Purpose.AVAILABILITY)
            self._device = rng.integers(len(trace.devices), size=client_count)  # (U,) places in `devices`
            return
        clients = np.arange(client_count)
        missing = clients[~np.isin(clients, trace.devices)]
        if len(missing):
            raise FleetError(
                f"{config.file}: has no line for client {missing[0]} ({len(missing)} of {client_count} "
                "clients are missing); with clients = 'drawn' each client follows a random device of the file"
            )
        self._device = np.searchsorted(trace.devices, clients)

    def is_on(self, client: int, at_ns: int) -> bool:
        """Whether a client can be asked at an instant."""
        place, first, within = self._find(client, at_ns)
        return place > first and within < int(self._trace.off_ns[place - 1])

    def on_until(self, client: int, at_ns: int) -> Nanos | None:
        """The first instant from `at_ns` on at which a client is off; None: it stays on for ever."""
        trace, (place, first, within) = self._trace, self._find(client, at_ns)
        if place == first or within >= trace.off_ns[place - 1]:
            return Nanos(at_ns)
        ends = int(trace.off_ns[place - 1])
        if ends == trace.period_ns and trace.on_ns[first] == 0:  # it goes on in the next cycle
            if trace.off_ns[first] == trace.period_ns:
                return None
            ends += int(trace.off_ns[first])
        return Nanos(at_ns - within + ends)

    def next_on(self, client: int, at_ns: int) -> Nanos:
        """The first instant from `at_ns` on at which a client is on."""
        trace, (place, first, within) = self._trace, self._find(client, at_ns)
        if place > first and within < trace.off_ns[place - 1]:
            return Nanos(at_ns)
        if place < trace.starts[self._device[client] + 1]:
            return Nanos(at_ns - within + int(trace.on_ns[place]))
        return Nanos(at_ns - within + trace.period_ns + int(trace.on_ns[first]))

    def on_mask(self, clients: NDArray[np.int64], at_ns: int) -> NDArray[np.bool_]:
        """(n,) whether each of (n,) clients is on at an instant: a binary search of all at once."""
        trace, devices, within = self._trace, self._device[clients], at_ns % self._trace.period_ns
        first, last = trace.starts[devices], trace.starts[devices + 1]
        low, high = first, last
        while (open_ := low < high).any():
            middle = (low + high) // 2
            begun = open_ & (trace.on_ns[np.minimum(middle, len(trace.on_ns) - 1)] <= within)
            low, high = np.where(begun, middle + 1, low), np.where(open_ & ~begun, middle, high)
        return np.asarray((low > first) & (within < trace.off_ns[low - 1]))

    def _find(self, client: int, at_ns: int) -> tuple[int, int, int]:
        """The place after the last interval that has begun, the client's first place, time in the cycle."""
        trace, device = self._trace, self._device[client]
        first, last = int(trace.starts[device]), int(trace.starts[device + 1])
        within = at_ns % trace.period_ns
        begun = int(np.searchsorted(trace.on_ns[first:last], within, side="right"))
        return first + begun, first, within
