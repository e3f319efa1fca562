"""The simulation: one loop over virtual time that yields records.

A client's turn is dispatched (download), trains, uploads and arrives; each step is an event on the
virtual clock. The server folds arrivals into the next version when the schedule says so. Work is
handed to the executor when it is dispatched and awaited when its training ends *virtually*, which
makes the machine parallel and the result independent of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clients import Assignment
from fedras_ray.clock import Clock, Nanos
from fedras_ray.codecs.build import build_codec, dense_bytes
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.errors import ConfigError
from fedras_ray.executor import Executor
from fedras_ray.fleet.build import build_fleet
from fedras_ray.flight import Dispatch, Flight, IdleClients, Landed
from fedras_ray.judge import Judge
from fedras_ray.models.build import build_model
from fedras_ray.records import Fate, Record, Trace, TurnRecord
from fedras_ray.server.downlinks import build_downlink
from fedras_ray.server.policies import ready, select, upload_budget_bytes, wanted
from fedras_ray.server.server import Server
from fedras_ray.streams import Purpose, stream


class Kind(IntEnum):
    """What an event of the trace is. Append only: the numbers are part of the digest."""

    DISPATCHED = 0
    TRAINED = 1
    ARRIVED = 2
    VERSION = 3


@dataclass(frozen=True, slots=True)
class Population:
    """What the server side may know of the clients: how many, and how much each one trains on."""

    positives: NDArray[np.int64]  # (U,) train interactions
    item_count: int


def population_of(dataset: Dataset) -> Population:
    """What the server side may know of the clients in a data set."""
    return Population(dataset.train.counts(), dataset.item_count)


@dataclass(frozen=True, slots=True)
class Trained:
    """A client's local training ends."""

    dispatch: Dispatch


@dataclass(frozen=True, slots=True)
class Arrived:
    """A client's upload is complete."""

    dispatch: Dispatch
    landed: Landed


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
        self._population = population
        self._clock: Clock[Trained | Arrived] = Clock()
        self._trace = Trace()
        self._fleet = build_fleet(experiment.fleet, len(population.positives), experiment.seed)
        self._codec = build_codec(experiment.codec)
        self._downlink = build_downlink(experiment, self._fleet, population.positives)
        self._server = Server(experiment, population.item_count, build_model(experiment.model))
        self._flight = Flight(executor, self._codec, experiment.execution.shards)
        self._judge = Judge(experiment, len(population.positives), executor, self._downlink, self._flight)
        self._executor = executor
        self._idle = IdleClients(np.flatnonzero(population.positives > 0))
        self._relative_samples = population.positives / max(1.0, population.positives.mean())
        self._turns = np.zeros(len(population.positives), dtype=np.int32)
        self._dispatches = 0  # how often the server chose clients: the address of the choice
        self._in_flight = 0
        self._most_downlink_state = 0
        self._dense_bytes = dense_bytes(population.item_count, experiment.model.width)
        if len(self._idle) < wanted(experiment.schedule, 0):
            raise ConfigError(
                "schedule",
                f"asks for {wanted(experiment.schedule, 0)} clients at once, but only {len(self._idle)} have "
                "training data",
            )

    def run(self) -> Iterator[Record]:
        """See `simulate`."""
        self._publish()
        self._judge.submit(self._server, self._clock.now_ns)
        self._dispatch()
        while len(self._clock):
            at_ns, event = self._clock.pop()
            match event:
                case Trained():
                    self._finish_training(at_ns, event)
                case Arrived():
                    yield from self._arrive(at_ns, event)
        yield from self._judge.collect(last=True)
        closing = self._downlink.closing_bytes(np.flatnonzero(self._population.positives))
        yield self._server.end(closing, self._most_downlink_state, self._trace.digest())

    def _running(self) -> bool:
        return self._server.version < self._experiment.schedule.versions

    def _publish(self) -> None:
        """Send a new version towards the clients; what waits for the old one is handed over first."""
        self._flight.hand_over()
        for view, table in self._downlink.publish(self._server.version, self._server.table).items():
            self._executor.publish(view, table)
        self._most_downlink_state = max(self._most_downlink_state, self._downlink.state_bytes)

    def _dispatch(self) -> None:
        """Choose idle clients and begin their turns."""
        count = wanted(self._experiment.schedule, self._in_flight)
        if count == 0 or len(self._idle) == 0:
            return
        if self._in_flight == 0:
            self._idle.settle()
        rng = stream(self._experiment.seed, Purpose.SELECTION, 0, self._dispatches)
        self._dispatches += 1
        clients = self._idle.take(select(self._idle.clients, count, rng, self._downlink.preferred()))
        rows = self._flight.requests(clients, self._turns) if self._downlink.needs_rows else {}
        for client in clients:
            self._begin_turn(client, rows.get(client))

    def _begin_turn(self, client: int, rows: NDArray[np.int32] | None) -> None:
        now = self._clock.now_ns
        delivery = self._downlink.offer(client, rows)
        self._downlink.delivered(client, delivery, rows)
        budget = upload_budget_bytes(self._experiment.codec, self._fleet.uplink_bytes_per_s[client])
        order = Assignment(client, int(self._turns[client]), self._server.version, delivery.view, budget)
        asked = self._fleet.upload_ns(client, delivery.request_bytes) if delivery.request_bytes else Nanos(0)
        started = Nanos(now + asked + self._fleet.download_ns(client, delivery.byte_count))
        samples = self._samples(client)
        trained = Nanos(started + self._fleet.train_ns(client, samples))
        dispatch = Dispatch(order, delivery, samples, now, started, trained)
        self._turns[client] += 1
        self._in_flight += 1
        self._server.tally.sent(delivery, self._dense_bytes)
        self._flight.begin(order)
        self._clock.at(trained, Trained(dispatch))
        self._trace.add(now, Kind.DISPATCHED, client, self._server.version, delivery.byte_count)

    def _samples(self, client: int) -> int:
        positives = int(self._population.positives[client])
        training = self._experiment.training
        has_negatives = positives < self._population.item_count
        return positives * (1 + training.negatives * has_negatives) * training.epochs

    def _finish_training(self, at_ns: Nanos, event: Trained) -> None:
        order = event.dispatch.assignment
        landed = self._flight.finish(order.client)
        size = len(landed.turn.blob)
        self._trace.add(at_ns, Kind.TRAINED, order.client, order.version, size)
        self._clock.at(
            Nanos(at_ns + self._fleet.upload_ns(order.client, size)), Arrived(event.dispatch, landed)
        )

    def _arrive(self, at_ns: Nanos, event: Arrived) -> Iterator[Record]:
        order, turn = event.dispatch.assignment, event.landed.turn
        self._in_flight -= 1
        self._idle.give(order.client)
        self._trace.add(at_ns, Kind.ARRIVED, order.client, order.version, len(turn.blob))
        update = event.landed.update or self._codec.decode(turn.blob)
        fate = Fate.USED if self._running() else Fate.WASTED
        staleness = self._server.version - order.version
        self._server.tally.received(len(turn.blob), self._dense_bytes, turn.sparse_bytes, fate)
        yield self._turn_record(at_ns, event, update.actions, staleness, fate)
        if fate is Fate.WASTED:
            return
        self._server.take(update, staleness, turn.loss, self._relative_samples[order.client])
        if ready(self._experiment.schedule, self._server.arrived, self._in_flight):
            yield from self._advance(at_ns)
        if self._running():
            self._dispatch()

    def _advance(self, at_ns: Nanos) -> Iterator[Record]:
        """Make the next version, say so, and measure it when it is time."""
        yield from self._judge.collect()
        yield self._server.advance(at_ns, self._in_flight, self._downlink.state_bytes)
        self._trace.add(at_ns, Kind.VERSION, -1, self._server.version, 0)
        self._publish()
        if self._server.version % self._experiment.evaluation.every == 0 or not self._running():
            self._judge.submit(self._server, at_ns)
        for view in self._downlink.retired():
            self._executor.retire(view)

    def _turn_record(
        self, at_ns: Nanos, event: Arrived, actions: int, staleness: int, fate: Fate
    ) -> TurnRecord:
        dispatch, turn = event.dispatch, event.landed.turn
        return TurnRecord(
            client=turn.client,
            device_class=self._fleet.class_of(turn.client),
            turn=dispatch.assignment.turn,
            version=dispatch.assignment.version,
            dispatched_at_ns=dispatch.dispatched_at_ns,
            started_at_ns=dispatch.started_at_ns,
            trained_at_ns=dispatch.trained_at_ns,
            arrived_at_ns=at_ns,
            down_bytes=dispatch.delivery.byte_count,
            up_bytes=len(turn.blob) + dispatch.delivery.request_bytes,
            catch_up_bytes=dispatch.delivery.catch_up_bytes,
            snapshot_bytes=dispatch.delivery.snapshot_bytes,
            request_bytes=dispatch.delivery.request_bytes,
            dense_down_bytes=self._dense_bytes,
            dense_up_bytes=self._dense_bytes,
            sparse_up_bytes=turn.sparse_bytes,
            samples=turn.samples,
            rows=turn.rows,
            actions=actions,
            staleness=staleness,
            fate=fate,
        )
