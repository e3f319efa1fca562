"""What becomes of a turn that is over: whether its update is used, what is said of it, who is free again."""

from __future__ import annotations

from typing import cast

import numpy as np

from fedras_ray.assembly import Parts
from fedras_ray.clock import Nanos, seconds
from fedras_ray.config import Experiment
from fedras_ray.departures import Phase
from fedras_ray.fruitless import Fruitless
from fedras_ray.population import Population
from fedras_ray.records import Fate
from fedras_ray.server import schedules
from fedras_ray.server.folding import Partial
from fedras_ray.snapshots.kinds import kept
from fedras_ray.stretches import FIELDS, Stretch
from fedras_ray.turns import Cohort, Column, Left, OpenTurn
from fedras_ray.work import REAL, Receipt, Receipts

DENSE_UP, SPARSE_UP = FIELDS.index("dense_up_bytes"), FIELDS.index("sparse_up_bytes")


@kept("in_flight", "_fruitless")
class Reception:
    """See the module.

    Args:
        experiment: what is run.
        population: the clients.
        parts: of the simulation.
    """

    def __init__(self, experiment: Experiment, population: Population, parts: Parts) -> None:
        self._schedule = experiment.schedule
        by_samples = experiment.server.client_weight == "samples"
        self._relative_samples = population.relative_samples(experiment.training) if by_samples else None
        self._has_rounds = schedules.has_rounds(experiment.schedule)
        self._parts = parts
        self._server, self._asker, self._arrivals = parts.server, parts.asker, parts.arrivals
        self._fruitless = Fruitless()
        self.in_flight = 0
        self.said = Stretch(parts.class_names)

    def arrive(self, at_ns: Nanos, turn: OpenTurn) -> None:
        """An upload is through."""
        order, receipt = turn.order, cast(Receipt, turn.receipt)
        size, staleness = receipt.byte_count, self._server.version - order.version
        unheard = self._parts.journeys.arrive(turn, receipt)
        fate = self._fate(turn, staleness) if unheard is None else unheard
        if fate is Fate.USED:
            relative = 1.0 if self._relative_samples is None else self._relative_samples.item(order.client)
            weight = self._server.take(staleness, receipt.loss, relative, turn.tier, receipt.length)
            self._arrivals.use(turn.tier, order.client, order.turn, weight)
        else:
            self._arrivals.forget(receipt, order.turn)
        if unheard is not None:
            self._finish(at_ns, turn, size, staleness, fate)
            return
        turn_s = seconds(at_ns - turn.dispatched_at_ns)
        self._asker.arrived(order.client, receipt.loss, turn_s, self._server.version)
        self._finish(at_ns, turn, size, staleness, fate, receipt.actions)

    def _fate(self, turn: OpenTurn, staleness: int) -> Fate:
        if not self.is_running():
            return Fate.WASTED
        is_late = self._has_rounds and turn.round != self._parts.rounds[turn.tier].number
        if is_late and not schedules.uses_late(self._schedule):
            return Fate.LATE
        return Fate.USED if self._server.uses(staleness) else Fate.STALE

    def is_running(self) -> bool:
        """Whether versions are still to be made."""
        return self._server.version < self._schedule.versions

    def leave(self, at_ns: Nanos, event: Left) -> bool:
        """A client is gone; False: its turn has moved on since that was foreseen."""
        up_bytes = self._parts.journeys.leave(event)
        if up_bytes is None:
            return False
        staleness = self._server.version - event.turn.order.version
        self._finish(at_ns, event.turn, up_bytes, staleness, Fate.DROPPED)
        return True

    def _finish(
        self, at_ns: Nanos, turn: OpenTurn, up_bytes: int, staleness: int, fate: Fate, actions: int = 0
    ) -> None:
        """A turn is over, whatever came of it."""
        turn.phase = Phase.OVER  # whatever was foreseen for it does not happen
        self.in_flight -= 1
        client = turn.order.client
        self._asker.idle.give(client)
        self._parts.rounds[turn.tier].back(turn.round)
        row = turn.row(at_ns, up_bytes, self._parts.dense_bytes, staleness, fate, actions)
        self.said.rows.append(row)
        self._server.tally.received(up_bytes, row[DENSE_UP], row[SPARSE_UP], fate)
        if fate is not Fate.DROPPED:
            self._parts.orders.learn(client, turn.predicted_ns, at_ns - turn.dispatched_at_ns, staleness)
        if self.is_running():
            self._fruitless.see(fate)

    def arrive_together(self, cohort: Cohort) -> None:
        """All uploads of a cohort are through, one after the other."""
        fates = cohort.columns["fate"]
        used = np.flatnonzero(fates == Fate.USED)
        if len(used):
            self._take(cohort, used)
            self._arrivals.have(cohort.tier, cast(list[Partial], cohort.sums))
        self._parts.cohorts.arrive(cohort)
        table = cohort.table()
        self.in_flight -= len(table)
        self._asker.idle.give_each(cohort.columns["client"])
        self._parts.rounds[cohort.tier].back(cohort.round, len(table))
        self.said.extend(table)
        self._count(cohort.columns)
        if self._asker.looks_back or self._parts.orders.looks_back:
            self._learn(cohort)
        for fate in fates.tolist() if len(used) < len(table) else (Fate.USED,):
            self._fruitless.see(Fate(fate))

    def _count(self, columns: dict[str, Column]) -> None:
        sizes, dense = columns["up_bytes"] - columns["request_bytes"], columns["dense_up_bytes"]
        for fate in (Fate.USED, Fate.REFUSED):
            such = columns["fate"] == fate
            if not such.any():
                continue
            up, full, sparse = (int(each[such].sum()) for each in (sizes, dense, columns["sparse_up_bytes"]))
            self._server.tally.received(up, full, sparse, fate)

    def _take(self, cohort: Cohort, used: Column) -> None:
        losses = cast(Receipts, cohort.receipts).real[used, REAL.index("loss")]
        self._server.take_each(losses, cohort.weights[used], cohort.tier)

    def _learn(self, cohort: Cohort) -> None:
        """What policies and selections know of clients."""
        columns, version = cohort.columns, self._server.version
        took_ns = (columns["arrived_at_ns"] - columns["dispatched_at_ns"]).tolist()
        predicted_ns = columns["predicted_ns"].tolist()
        for receipt, predicted, took in zip(cohort.receipts or (), predicted_ns, took_ns, strict=True):
            if not receipt.refused:
                self._asker.arrived(receipt.client, receipt.loss, seconds(took), version)
            self._parts.orders.learn(receipt.client, predicted, took, 0)
