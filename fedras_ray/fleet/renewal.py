"""On and off in turns, each for an exponential time, with the state at any instant found without a past.

Such a client is a Markov chain of two states. Let its rarer change, say into "off", come at the points of a
Poisson process, each with an exponential time off; a point that comes while the client is off already begins
that time anew, which changes nothing in law, for an exponential time has no memory. So the state at an
instant hangs on the latest point before it alone. Where times off are longer, on and off change roles.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.clock import Nanos, nanos
from fedras_ray.config.network import RenewalAvailability
from fedras_ray.fleet.points import Floats, Points
from fedras_ray.streams import Purpose

GROUP = 1_024
POINTS_PER_BLOCK = 4
BLOCKS_KEPT = 320  # 24 MB at most: what masks of 100,000 clients need


class OnAndOff:
    """Exponential times on and off; on for mean_on / (mean_on + mean_off) of all time, from instant 0."""

    def __init__(self, config: RenewalAvailability, seed: int) -> None:
        self._rare_is_on = config.mean_on_s < config.mean_off_s
        rare_s, usual_s = sorted((config.mean_on_s, config.mean_off_s))
        self._rare_ns = nanos(rare_s)
        self._points = Points(
            seed,
            Purpose.AVAILABILITY,
            nanos(usual_s),
            self._durations,
            group=GROUP,
            per_block=POINTS_PER_BLOCK,
            blocks_kept=BLOCKS_KEPT,
        )

    def is_on(self, client: int, at_ns: int) -> bool:
        """Whether a client can be asked at an instant."""
        return self._is_rare(client, at_ns) == self._rare_is_on

    def on_until(self, client: int, at_ns: int) -> Nanos:
        """The first instant from `at_ns` on at which a client is off."""
        return self._end_of_rare(client, at_ns) if self._rare_is_on else self._next_rare(client, at_ns)

    def next_on(self, client: int, at_ns: int) -> Nanos:
        """The first instant from `at_ns` on at which a client is on."""
        return self._next_rare(client, at_ns) if self._rare_is_on else self._end_of_rare(client, at_ns)

    def on_mask(self, clients: NDArray[np.int64], at_ns: int) -> NDArray[np.bool_]:
        """(n,) whether each of (n,) clients is on at an instant."""
        began, durations = self._points.last_of(clients, at_ns)
        return np.asarray((at_ns < began + durations.astype(np.int64)) == self._rare_is_on)

    def _durations(self, rng: Generator, count: int) -> Floats:
        """(count,) whole nanoseconds in the rarer state."""
        return np.rint(rng.exponential(self._rare_ns, count))

    def _is_rare(self, client: int, at_ns: int) -> bool:
        point = self._points.last(client, at_ns)
        return at_ns < point.at_ns + int(point.mark)

    def _end_of_rare(self, client: int, at_ns: int) -> Nanos:
        """The first instant from `at_ns` on in the usual state."""
        point = self._points.last(client, at_ns)
        ends = point.at_ns + int(point.mark)
        if ends <= at_ns:
            return Nanos(at_ns)
        while (point := self._points.next(client, point.at_ns)).at_ns <= ends:
            ends = point.at_ns + int(point.mark)
        return Nanos(ends)

    def _next_rare(self, client: int, at_ns: int) -> Nanos:
        """The first instant from `at_ns` on in the rarer state."""
        if self._is_rare(client, at_ns):
            return Nanos(at_ns)
        point = self._points.next(client, at_ns)
        while point.mark == 0:
            point = self._points.next(client, point.at_ns)
        return Nanos(point.at_ns)
