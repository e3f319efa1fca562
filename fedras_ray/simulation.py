"""The simulation: one loop over virtual time that yields records.

A client's turn is dispatched (download), trains, uploads and arrives, unless the client leaves on the way;
each step is an event on the virtual clock. The server makes the next version of what arrived when the
schedule says so: from sizes and weights that are here, and from bytes that are kept and added up where they
arrived (`server.desk`). Work is handed to the executor when it is certain to be done, and awaited when its
training ends *virtually*, which makes the machine parallel and the result independent of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fedras_ray.asked import Asked
from fedras_ray.assembly import assemble
from fedras_ray.clock import Nanos, nanos
from fedras_ray.cohorts import is_undisturbed
from fedras_ray.config import Experiment
from fedras_ray.departures import Phase
from fedras_ray.executor import Executor
from fedras_ray.population import Population
from fedras_ray.reception import Reception
from fedras_ray.records import Record
from fedras_ray.server import schedules
from fedras_ray.snapshots.kinds import kept
from fedras_ray.stretches import Stretch
from fedras_ray.trace import Kind, Trace
from fedras_ray.turns import Carried, Cohort, Copied, Due, Event, Joined, Left, OpenTurn, Shifted, Woke
from fedras_ray.versions import Versions


def simulate(experiment: Experiment, population: Population, executor: Executor) -> Iterator[Record]:
    """Run an experiment to its end.

    Yields:
        Records in the order of virtual time; an `EvaluationRecord` may follow later than its
        version's other records; the `UserQualityRecord` comes before the `EndRecord`, which is last.

    Raises:
        ConfigError: the schedule asks for more clients than there are.
        FleetError: no turn comes to anything any more.
        FedrasError: whatever went wrong on the way; nothing is skipped silently.
    """
    return Simulation(experiment, population, executor).run()


@kept("_parts", "_reception", "_versions", "_begun", "_to_ask")
class Simulation:
    """The state of one run: what the server sees of it, and decides.

    Args:
        experiment: what is run.
        population: the clients.
        executor: who computes.
        trace: that the events go to; None: one of the simulation's own, which keeps their digest alone.
    """

    def __init__(
        self,
        experiment: Experiment,
        population: Population,
        executor: Executor,
        trace: Trace | None = None,
    ) -> None:
        self._schedule = experiment.schedule
        self._population = population
        self._parts = parts = assemble(experiment, population, executor, Trace() if trace is None else trace)
        self._clock, self.trace = parts.clock, parts.trace
        self._server, self._downlink = parts.server, parts.downlink
        self._asker, self._journeys = parts.asker, parts.journeys
        self._rounds = parts.rounds
        self.together = is_undisturbed(experiment)
        self._reception = Reception(experiment, population, parts)
        self._versions = Versions(experiment, population, parts, self._reception)
        self._begun = False
        self._to_ask: int | None = None  # the tier whose clients are asked next, for a version just made

    def run(self) -> Iterator[Record]:
        """See `simulate`."""
        for _ in self.events():
            if self.said:
                yield from self.tell()

    @property
    def version(self) -> int:
        """Of the newest table."""
        return self._versions.newest

    @property
    def said(self) -> Stretch:
        """What was said since the last `tell`."""
        return self._reception.said

    def views(self) -> NDArray[np.int64]:
        """(U,) the state of the table that each client ranks with."""
        clients = np.arange(len(self._population.positives))
        return np.broadcast_to(self._downlink.views(clients), clients.shape)

    @property
    def is_computing(self) -> bool:
        """Whether work was handed over that was not waited for yet."""
        return self._parts.flight.is_out

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more: what is measured is waited for, and that is the end."""
        return self._begun and self._to_ask is None and not len(self._clock)

    def at_work(self) -> frozenset[int]:
        """The clients that are in the middle of a turn of their own, by the virtual clock."""
        return self._parts.flight.at_work()

    def tell(self) -> Stretch:
        """What was said since the last time."""
        told, self._reception.said = self.said, Stretch(self._parts.class_names)
        return told

    def events(self) -> Iterator[None]:
        """Let one event happen after the other; what is said of them is in `said`.

        When a version has just been made, nobody has been asked for the next one: there is least to keep.
        Once they were asked it stops again: nobody waits for what is done then (`is_computing`).
        """
        if not self._begun:  # and not gone on with
            self._begin_run()
        self._ask()
        while len(self._clock):
            at_ns, event = self._clock.pop()
            if isinstance(event, OpenTurn):
                self._turn_on(at_ns, event)
            elif isinstance(event, Cohort):
                self._turn_on_together(at_ns, event)
            else:
                self._happen(at_ns, event)
            yield
            if self._ask():
                yield
        self._versions.end()
        yield

    def _begin_run(self) -> None:
        self._begun = True
        self._versions.begin()
        for tier in range(len(self._rounds)):
            self._dispatch(tier)

    def _ask(self) -> bool:
        """Ask those of whom the version after a new one is to be made; whether there is a new one."""
        tier, self._to_ask = self._to_ask, None
        if tier is not None:
            self._dispatch(tier)
        return tier is not None

    def _turn_on(self, at_ns: Nanos, turn: OpenTurn) -> None:
        """A turn comes to the end of its phase."""
        if turn.phase is Phase.TRAINING:
            self._journeys.upload(turn)
        else:
            self._arrive(at_ns, turn)

    def _turn_on_together(self, at_ns: Nanos, cohort: Cohort) -> None:
        """All turns of a round come to the end of their training, or of their upload."""
        if cohort.receipts is None:
            self._parts.cohorts.upload(cohort)
        else:
            self._reception.arrive_together(cohort)
            self._proceed(at_ns, cohort.tier)

    def _happen(self, at_ns: Nanos, event: Event) -> None:
        match event:
            case Left():
                self._leave(at_ns, event)
            case Due():
                self._due(at_ns, event)
            case Woke():
                self._dispatch(event.tier)
            case Joined() | Carried() | Shifted():
                for turn in self._journeys.settle(event):
                    self._arrive(at_ns, turn)
            case Copied():
                self._journeys.recognise(event)

    def _dispatch(self, tier: int) -> None:
        """Choose idle clients of a tier and begin their turns."""
        now, at_ns = self._rounds[tier], self._clock.now_ns
        count = schedules.wanted(self._schedule, now, self._server.arrived(tier))
        if count <= 0 or not self._reception.is_running():
            return
        if self._reception.in_flight == 0:
            self._asker.idle.settle()
        asked = self._asker.ask(tier, count, at_ns, self._server.version, now.at_work == 0)
        if asked:
            self._begin(tier, asked)
        elif now.at_work == 0:
            wakes_ns = self._asker.wakes_ns(tier, at_ns)
            if wakes_ns is not None:
                self._clock.at(max(wakes_ns, Nanos(at_ns + 1)), Woke(tier))

    def _begin(self, tier: int, asked: Sequence[Asked]) -> None:
        now, limit_s = self._rounds[tier], schedules.deadline_s(self._schedule)
        now.begin(len(asked))
        if limit_s is not None:
            self._clock.at(Nanos(self._clock.now_ns + nanos(limit_s)), Due(tier, now.number))
        self._reception.in_flight += len(asked)
        if self.together:
            self._parts.cohorts.begin(asked, self._server.version, tier, now.number)
            return
        for one in asked:
            self._journeys.begin(one, self._server.version, tier, now.number)

    def _arrive(self, at_ns: Nanos, turn: OpenTurn) -> None:
        self._ask()
        self._reception.arrive(at_ns, turn)
        self._proceed(at_ns, turn.tier)

    def _leave(self, at_ns: Nanos, event: Left) -> None:
        """A client is gone, unless its turn has moved on since that was foreseen."""
        if self._reception.leave(at_ns, event):
            self._proceed(at_ns, event.turn.tier)

    def _proceed(self, at_ns: Nanos, tier: int) -> None:
        """Make a version if one is due, and ask clients if some are wanted."""
        if not self._reception.is_running():
            return
        if schedules.ready(self._schedule, self._rounds[tier], self._server.arrived(tier)):
            self._versions.advance(at_ns, tier)
            self._to_ask = tier
        else:
            self._dispatch(tier)

    def _due(self, at_ns: Nanos, event: Due) -> None:
        now = self._rounds[event.tier]
        if now.number == event.round and self._reception.is_running():
            now.due = True
            self.trace.add(at_ns, Kind.DUE, -1, self._server.version, 0)
            self._proceed(at_ns, event.tier)
