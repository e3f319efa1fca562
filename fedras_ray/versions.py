"""How the item table goes from version to version: added up, said, sent towards the clients, measured."""

from __future__ import annotations

import numpy as np

from fedras_ray.assembly import Parts
from fedras_ray.clock import Nanos
from fedras_ray.config import Experiment
from fedras_ray.evaluation.fairness import fairness
from fedras_ray.population import Population
from fedras_ray.reception import Reception
from fedras_ray.server import schedules
from fedras_ray.snapshots.kinds import kept
from fedras_ray.trace import Kind


@kept("_most_downlink_state")
class Versions:
    """See the module; what is said goes into `Reception.said`."""

    def __init__(
        self, experiment: Experiment, population: Population, parts: Parts, reception: Reception
    ) -> None:
        self._experiment, self._population = experiment, population
        self._parts, self._reception = parts, reception
        self._has_rounds = schedules.has_rounds(experiment.schedule)
        self._most_downlink_state = 0  # bytes

    @property
    def newest(self) -> int:
        """The number of the newest one."""
        return self._parts.server.version

    def begin(self) -> None:
        """Send the first table towards the clients, and measure it."""
        self._publish()
        self._measure(self._parts.clock.now_ns)

    def advance(self, at_ns: Nanos, tier: int) -> None:
        """Make the next one of what arrived of a tier, and measure it when it is time."""
        self._collect()
        parts, at_work = self._parts, self._reception.in_flight
        left, state_bytes = parts.asker.left_for_later, parts.downlink.state_bytes
        total = parts.arrivals.fold(tier)
        self._reception.said.say(parts.server.advance(total, at_ns, at_work, left, state_bytes, tier))
        if self._has_rounds:
            parts.rounds[tier].close()
        parts.trace.add(at_ns, Kind.VERSION, -1, self.newest, 0)
        self._publish()
        if self.newest % self._experiment.evaluation.every == 0 or not self._reception.is_running():
            self._measure(at_ns)
        parts.views.retire(parts.downlink.retired())

    def end(self) -> None:
        """Say what is known at the end alone."""
        self._collect(last=True)
        parts = self._parts
        samples = self._population.samples_per_epoch(self._experiment.training)
        clients = np.flatnonzero(samples)  # with training data
        end = parts.server.end(
            parts.downlink.closing_bytes(clients),
            self._most_downlink_state,
            parts.asker.left_for_later,
            *fairness(parts.asker.turns[clients]),
            parts.trace.digest(),
        )
        self._reception.said.say(end)

    def _collect(self, last: bool = False) -> None:
        """Say what was measured so far; the `last` time, of everything."""
        for record in self._parts.judge.collect(last):
            self._reception.said.say(record)

    def _publish(self) -> None:
        """Send the newest towards the clients; what waits for the one before is handed over first."""
        parts = self._parts
        parts.flight.hand_over()
        parts.views.publish(parts.downlink.publish(self.newest, parts.server.table))
        self._most_downlink_state = max(self._most_downlink_state, parts.downlink.state_bytes)

    def _measure(self, at_ns: Nanos) -> None:
        self._parts.judge.submit(self._parts.server, at_ns)
