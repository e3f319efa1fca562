"""The simulation: one loop over virtual time that yields records.

A client's turn is dispatched (download), trains, uploads and arrives, unless the client leaves on the way;
each step is an event on the virtual clock. The server folds arrivals into the next version when the schedule
says so. Work is handed to the executor when it is certain to be done, and awaited when its training ends
*virtually*, which makes the machine parallel and the result independent of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clients import Assignment
from fedras_ray.clock import Clock, Nanos, nanos
from fedras_ray.codecs.build import build_codec, dense_bytes
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.errors import ConfigError
from fedras_ray.evaluation.fairness import gini, jain
from fedras_ray.executor import Executor
from fedras_ray.fleet.build import build_fleet
from fedras_ray.flight import Flight, IdleClients, Landed
from fedras_ray.judge import Judge
from fedras_ray.models.build import build_model
from fedras_ray.records import Fate, Record, Trace
from fedras_ray.server import schedules
from fedras_ray.server.downlinks import build_downlink
from fedras_ray.server.policies import upload_budget_bytes
from fedras_ray.server.schedules import Round
from fedras_ray.server.policies import select
from fedras_ray.server.server import Participation, Server
from fedras_ray.streams import Purpose, stream
from fedras_ray.turns import Arrived, Due, Event, Left, OpenTurn, Trained, Woke


class Kind(IntEnum):
    """What an event of the trace is. Append only: the numbers are part of the digest."""

    DISPATCHED = 0
    TRAINED = 1
    ARRIVED = 2
    VERSION = 3
    LEFT = 4
    LOST = 5
    DUE = 6


@dataclass(frozen=True, slots=True)
class Population:
    """What the server side may know of the clients: how many, and how much each one trains on."""

    positives: NDArray[np.int64]  # (U,) train interactions
    item_count: int


def population_of(dataset: Dataset) -> Population:
    """What the server side may know of the clients in a data set."""
    return Population(dataset.train.counts(), dataset.item_count)


def simulate(experiment: Experiment, population: Population, executor: Executor) -> Iterator[Record]:
    """Run an experiment to its end.

    Yields:
        Records in the order of virtual time; an `EvaluationRecord` may follow later than its
        version's other records; the `UserQualityRecord` comes before the `EndRecord`, which is last.

    Raises:
        ConfigError: the schedule asks for more clients than there are.
        FedrasError: whatever went wrong on the way; nothing is skipped silently.
    """
    return Simulation(experiment, population, executor).run()


class Simulation:
    """The state of one run."""

    def __init__(self, experiment: Experiment, population: Population, executor: Executor) -> None:
        self._experiment = experiment
        self._schedule = experiment.schedule
        self._positives = population.positives
        self._clock: Clock[Event] = Clock()
        self.trace = Trace()
        self._fleet = build_fleet(experiment.fleet, len(population.positives), experiment.seed)
        self._codec = build_codec(experiment.codec)
        self._downlink = build_downlink(experiment, self._fleet, population.positives)
        self._server = Server(experiment, population.item_count, build_model(experiment.model))
        self._flight = Flight(executor, self._codec, experiment.execution.shards)
        self._judge = Judge(experiment, len(population.positives), executor, self._downlink, self._flight)
        self._executor = executor
        self._idle = IdleClients(np.flatnonzero(population.positives > 0))
        self._relative_samples = population.positives / max(1.0, population.positives.mean())
        self._samples = samples_per_epoch(population, experiment.training.negatives)
        self._turns = np.zeros(len(population.positives), dtype=np.int32)
        self._rounds = [Round() for _ in range(schedules.tier_count(self._schedule))]
        self._tier_of = schedules.tiers(self._schedule, self._fleet, self._samples)
        self._dispatches = 0  # how often the server chose clients: the address of the choice
        self._in_flight = 0
        self._left_for_later = 0
        self._most_downlink_state = 0
        self._dense_bytes = dense_bytes(population.item_count, experiment.model.width)
        self._check()

    def _check(self) -> None:
        most = schedules.most_at_once(self._schedule)
        fewest = int(np.bincount(self._tier_of[self._idle.clients], minlength=len(self._rounds)).min())
        if fewest < most:
            where = f" in one of {len(self._rounds)} tiers" if len(self._rounds) > 1 else ""
            raise ConfigError(
                "schedule", f"asks for {most} clients at once, but only {fewest}{where} have training data"
            )

    def run(self) -> Iterator[Record]:
        """See `simulate`."""
        self._publish()
        self._judge.submit(self._server, self._clock.now_ns)
        for tier in range(len(self._rounds)):
            self._dispatch(tier)
        while len(self._clock):
            at_ns, event = self._clock.pop()
            match event:
                case Trained():
                    self._finish_training(at_ns, event.turn)
                case Arrived():
                    yield from self._arrive(at_ns, event.turn, event.landed)
                case Left():
                    yield from self._leave(at_ns, event.turn, event.up_bytes)
                case Due():
                    yield from self._due(at_ns, event)
                case Woke():
                    self._dispatch(event.tier)
        yield from self._judge.collect(last=True)
        yield self._end()

    def _end(self) -> Record:
        asked = self._turns[self._positives > 0]
        return self._server.end(
            self._downlink.closing_bytes(np.flatnonzero(self._positives)),
            self._most_downlink_state,
            self._left_for_later,
            Participation(gini(asked), jain(asked)),
            self.trace.digest(),
        )

    def _running(self) -> bool:
        return self._server.version < self._schedule.versions

    def _publish(self) -> None:
        """Send a new version towards the clients; what waits for the old one is handed over first."""
        self._flight.hand_over()
        for view, table in self._downlink.publish(self._server.version, self._server.table).items():
            self._executor.publish(view, table)
        self._most_downlink_state = max(self._most_downlink_state, self._downlink.state_bytes)

    def _dispatch(self, tier: int) -> None:
        """Choose idle clients of a tier and begin their turns."""
        now = self._rounds[tier]
        count = schedules.wanted(self._schedule, now, self._server.arrived(tier))
        if count <= 0 or not self._running():
            return
        if self._in_flight == 0:
            self._idle.settle()
        clients = self._choose(tier, count)
        if not clients:
            return
        rows = self._flight.requests(clients, self._turns) if self._downlink.needs_rows else {}
        now.begin(len(clients))
        limit_s = schedules.deadline_s(self._schedule)
        if limit_s is not None:
            self._clock.at(Nanos(self._clock.now_ns + nanos(limit_s)), Due(tier, now.number))
        for client in clients:
            self._begin_turn(client, tier, rows.get(client))

    def _choose(self, tier: int, count: int) -> list[int]:
        rng = stream(self._experiment.seed, Purpose.SELECTION, 0, self._dispatches)
        self._dispatches += 1
        idle = self._idle.clients
        if len(self._rounds) == 1:
            return self._idle.take(select(idle, count, rng, self._downlink.preferred()))
        mine = np.flatnonzero(self._tier_of[idle] == tier)
        return self._idle.take(mine[select(idle[mine], count, rng, self._downlink.preferred())])

    def _begin_turn(self, client: int, tier: int, rows: NDArray[np.int32] | None) -> None:
        now, epochs = self._clock.now_ns, self._experiment.training.epochs
        delivery = self._downlink.offer(client, rows)
        budget = upload_budget_bytes(self._experiment.codec, self._fleet.uplink_bytes_per_s[client])
        number = int(self._turns[client])
        order = Assignment(client, number, self._server.version, delivery.view, budget, epochs)
        turn = OpenTurn(
            order,
            delivery,
            rows,
            self._fleet.class_of(client),
            tier,
            self._rounds[tier].number,
            int(self._samples[client]) * epochs,
            Nanos(0),
            now,
        )
        self._turns[client] += 1
        self._in_flight += 1
        self.trace.add(now, Kind.DISPATCHED, client, self._server.version, delivery.byte_count)
        asked = self._fleet.upload_ns(client, delivery.request_bytes) if delivery.request_bytes else Nanos(0)
        turn.asked_at_ns = Nanos(now + asked)
        turn.started_at_ns = Nanos(turn.asked_at_ns + self._fleet.download_ns(client, delivery.byte_count))
        self._start(turn)

    def _start(self, turn: OpenTurn) -> None:
        """The end of the download is known, and so is that of the training."""
        client = turn.order.client
        turn.trained_at_ns = Nanos(turn.started_at_ns + self._fleet.train_ns(client, turn.samples))
        turn.down_bytes = turn.delivery.byte_count
        self._downlink.delivered(client, turn.delivery, turn.rows)
        self._flight.begin(turn.order)
        self._clock.at(turn.trained_at_ns, Trained(turn))
        self._server.tally.sent(*turn.through(self._dense_bytes))

    def _finish_training(self, at_ns: Nanos, turn: OpenTurn) -> None:
        client = turn.order.client
        turn.landed = landed = self._flight.finish(client)
        size = len(landed.turn.blob)
        self.trace.add(at_ns, Kind.TRAINED, client, turn.order.version, size)
        self._clock.at(Nanos(at_ns + self._fleet.upload_ns(client, size)), Arrived(turn, landed))

    def _arrive(self, at_ns: Nanos, turn: OpenTurn, landed: Landed) -> Iterator[Record]:
        order = turn.order
        self.trace.add(at_ns, Kind.ARRIVED, order.client, order.version, len(landed.turn.blob))
        update = landed.update or self._codec.decode(landed.turn.blob)
        staleness = self._server.version - order.version
        fate = self._fate(turn, staleness)
        if fate is Fate.USED:
            relative = self._relative_samples[order.client]
            self._server.take(update, staleness, landed.turn.loss, relative, turn.tier)
        yield from self._finish(at_ns, turn, len(landed.turn.blob), staleness, fate, update.actions)

    def _fate(self, turn: OpenTurn, staleness: int) -> Fate:
        if not self._running():
            return Fate.WASTED
        is_late = schedules.has_rounds(self._schedule) and turn.round != self._rounds[turn.tier].number
        if is_late and not schedules.uses_late(self._schedule):
            return Fate.LATE
        return Fate.USED if self._server.uses(staleness) else Fate.STALE

    def _leave(self, at_ns: Nanos, turn: OpenTurn, up_bytes: int) -> Iterator[Record]:
        order = turn.order
        self.trace.add(at_ns, Kind.LEFT, order.client, order.version, up_bytes)
        staleness = self._server.version - order.version
        yield from self._finish(at_ns, turn, up_bytes, staleness, Fate.DROPPED, 0)

    def _finish(
        self, at_ns: Nanos, turn: OpenTurn, up_bytes: int, staleness: int, fate: Fate, actions: int
    ) -> Iterator[Record]:
        """A turn is over, whatever came of it: say so, and see what follows."""
        self._in_flight -= 1
        self._idle.give(turn.order.client)
        self._rounds[turn.tier].back(turn.round)
        record = turn.record(at_ns, up_bytes, self._dense_bytes, staleness, fate, actions)
        self._server.tally.received(up_bytes, record.dense_up_bytes, record.sparse_up_bytes, fate)
        yield record
        yield from self._proceed(at_ns, turn.tier)

    def _proceed(self, at_ns: Nanos, tier: int) -> Iterator[Record]:
        """Make a version if one is due, and ask clients if some are wanted."""
        if not self._running():
            return
        if schedules.ready(self._schedule, self._rounds[tier], self._server.arrived(tier)):
            yield from self._advance(at_ns, tier)
        self._dispatch(tier)

    def _due(self, at_ns: Nanos, event: Due) -> Iterator[Record]:
        now = self._rounds[event.tier]
        if now.number == event.round and self._running():
            now.due = True
            self.trace.add(at_ns, Kind.DUE, -1, self._server.version, 0)
            yield from self._proceed(at_ns, event.tier)

    def _advance(self, at_ns: Nanos, tier: int) -> Iterator[Record]:
        """Make the next version, say so, and measure it when it is time."""
        yield from self._judge.collect()
        state_bytes = self._downlink.state_bytes
        yield self._server.advance(at_ns, self._in_flight, self._left_for_later, state_bytes, tier)
        if schedules.has_rounds(self._schedule):
            self._rounds[tier].close()
        self.trace.add(at_ns, Kind.VERSION, -1, self._server.version, 0)
        self._publish()
        if self._server.version % self._experiment.evaluation.every == 0 or not self._running():
            self._judge.submit(self._server, at_ns)
        for view in self._downlink.retired():
            self._executor.retire(view)


def samples_per_epoch(population: Population, negatives: int) -> NDArray[np.int64]:
    """(U,) what each client trains on in one epoch."""
    has_negatives = population.positives < population.item_count
    return population.positives * (1 + negatives * has_negatives)
