"""A client's turn from its dispatch to the end of its upload, or to where the client leaves.

Each phase's end is foreseen when the phase begins, and so is a leaving within it; a turn whose training is
certain is handed to the flight at once, so that the machine can compute it long before it is due.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.arrivals import Arrivals
from fedras_ray.asked import Asked
from fedras_ray.clock import Clock, Nanos, nanos
from fedras_ray.departures import Departures, Phase
from fedras_ray.faults import Faults
from fedras_ray.fleet.links import Direction
from fedras_ray.fleet.profiles import Fleet
from fedras_ray.flight import Flight, Views
from fedras_ray.records import Fate
from fedras_ray.server.downlink import Downlink
from fedras_ray.server.tally import Tally
from fedras_ray.snapshots.kinds import kept
from fedras_ray.trace import Kind, Trace
from fedras_ray.transit import Transit
from fedras_ray.turns import Carried, Copied, Event, Joined, Left, OpenTurn, Shifted
from fedras_ray.work import Assignment, Receipt

UNHEARD = {Fate.LOST: Kind.LOST, Fate.REFUSED: Kind.REFUSED}


@kept("transit")
class Surroundings(NamedTuple):
    """What turns take place in."""

    clock: Clock[Event]
    trace: Trace
    fleet: Fleet
    transit: Transit
    departures: Departures
    downlink: Downlink
    flight: Flight
    arrivals: Arrivals
    views: Views
    tally: Tally
    faults: Faults


@kept("_in")
class Journeys:
    """Moves turns on; what comes of their uploads is the server's to say.

    Args:
        surroundings: what they take place in.
        samples: (U,) that a client trains on in one epoch.
        dense_bytes: of a dense table in f32, one way.
    """

    def __init__(self, surroundings: Surroundings, samples: NDArray[np.int64], dense_bytes: int) -> None:
        self._in = surroundings
        self._samples = samples
        self._dense_bytes = dense_bytes

    def begin(self, one: Asked, version: int, tier: int, number: int) -> None:
        """A client was asked, in a tier's round of that number."""
        now, client, decision = self._in.clock.now_ns, one.client, one.decision
        order = Assignment(
            client,
            one.turn,
            version,
            one.delivery.view,
            decision.budget_bytes,
            decision.epochs,
            decision.actions,
        )
        turn = OpenTurn(
            order,
            one.delivery,
            one.rows,
            self._in.fleet.device_class.item(client),
            tier,
            number,
            self._samples.item(client) * decision.epochs,
            nanos(decision.predicted_s),
            self._drop_share(client, one.turn),
            now,
            now,
        )
        self._in.trace.add(now, Kind.DISPATCHED, client, version, one.delivery.byte_count)
        asks = one.delivery.request_bytes
        if asks:
            turn.asked_at_ns = self._in.transit.end_ns(client, Direction.UP, now, asks)
        self._download(turn)

    def _download(self, turn: OpenTurn) -> None:
        size, begun = turn.delivery.byte_count, turn.asked_at_ns
        ends = self._in.transit.end_ns(turn.order.client, Direction.DOWN, begun, size)
        leaves = self._leaves(turn, turn.dispatched_at_ns, ends)
        if self._in.transit.is_shared(Direction.DOWN):
            self._in.views.hold(turn.order.view)
            self._in.transit.join(turn, Direction.DOWN, begun, size)
        elif not leaves:
            self._train(turn, ends)

    def _train(self, turn: OpenTurn, started_ns: Nanos) -> None:
        """The download ends: when, is known by now, and so is the end of the training."""
        client = turn.order.client
        turn.phase = Phase.TRAINING
        turn.started_at_ns = started_ns
        turn.trained_at_ns = Nanos(started_ns + self._in.fleet.train_ns(client, turn.samples))
        turn.down_bytes = turn.delivery.byte_count
        self._in.downlink.delivered(client, turn.delivery, turn.rows)
        self._in.tally.sent(*turn.through(self._dense_bytes))
        if not self._leaves(turn, started_ns, turn.trained_at_ns):
            self._in.flight.begin(turn.order)
            self._in.clock.at(turn.trained_at_ns, turn)

    def upload(self, turn: OpenTurn) -> None:
        """The training ends now; wait for what was computed, and send it."""
        now, client = self._in.clock.now_ns, turn.order.client
        turn.receipt = receipt = self._in.flight.finish(client)
        turn.phase = Phase.UPLOAD
        size = receipt.byte_count
        self._in.trace.add(now, Kind.TRAINED, client, turn.order.version, size)
        ends = self._in.transit.end_ns(client, Direction.UP, now, size)
        leaves = self._leaves(turn, now, ends)
        if self._in.transit.is_shared(Direction.UP):
            self._in.transit.join(turn, Direction.UP, now, size)
        elif not leaves:
            self._in.clock.at(Nanos(ends + self._held_up_ns(turn)), turn)

    def settle(self, event: Joined | Carried | Shifted) -> list[OpenTurn]:
        """Something happened on the server's shared link; returns the uploads that are complete."""
        now, arrived = self._in.clock.now_ns, []
        for turn in self._in.transit.settle(now, event):
            if turn.receipt is None:
                self._train(turn, now)
                self._in.views.release(turn.order.view)
            elif held_up_ns := self._held_up_ns(turn):
                turn.phase = Phase.HELD_UP  # whatever the client does
                self._in.clock.at(Nanos(now + held_up_ns), turn)
            else:
                arrived.append(turn)
        return arrived

    def _held_up_ns(self, turn: OpenTurn) -> Nanos:
        return self._in.faults.held_up_ns(turn.order.client, turn.order.turn)

    def arrive(self, turn: OpenTurn, receipt: Receipt) -> Fate | None:
        """An upload is through; returns why nobody knows what it says, None where the server does."""
        now, order = self._in.clock.now_ns, turn.order
        fate = Fate.LOST if self._is_lost(order) else Fate.REFUSED if receipt.refused else None
        kind = Kind.ARRIVED if fate is None else UNHEARD[fate]
        self._in.trace.add(now, kind, order.client, order.version, receipt.byte_count)
        if fate is not Fate.LOST:
            self._copy(turn, receipt.byte_count)
        return fate

    def _is_lost(self, order: Assignment) -> bool:
        departures = self._in.departures
        return not departures.nothing_is_lost and departures.is_lost(order.client, order.turn)

    def _copy(self, turn: OpenTurn, byte_count: int) -> None:
        """See whether a second copy of an upload will come."""
        after_ns = self._in.faults.copy_after_ns(turn.order.client, turn.order.turn)
        if after_ns is not None:
            turn.duplicate_bytes = byte_count
            self._in.clock.at(Nanos(self._in.clock.now_ns + after_ns), Copied(turn))

    def recognise(self, event: Copied) -> None:
        """A copy of what has arrived: its turn is over, so it counts for nothing but bytes."""
        order, size = event.turn.order, event.turn.duplicate_bytes
        self._in.trace.add(self._in.clock.now_ns, Kind.DUPLICATE, order.client, order.version, size)
        self._in.tally.received_again(size)

    def leave(self, event: Left) -> int | None:
        """A client leaves now; returns the bytes of its upload that are through.

        None where the turn is not any more where it was when this was foreseen: it stays.
        """
        turn, now, up_bytes = event.turn, self._in.clock.now_ns, 0
        if turn.phase is not event.phase:
            return None
        if turn.phase is Phase.DOWNLOAD:
            size, begun = turn.delivery.byte_count, turn.asked_at_ns
            turn.down_bytes = self._in.transit.cut(now, turn, Direction.DOWN, begun, size)
            self._in.tally.sent(*turn.through(self._dense_bytes))
            self._in.views.release(turn.order.view)
        elif turn.receipt is not None:
            size = turn.receipt.byte_count
            self._in.arrivals.forget(turn.receipt, turn.order.turn)
            up_bytes = self._in.transit.cut(now, turn, Direction.UP, turn.trained_at_ns, size)
        self._in.trace.add(now, Kind.LEFT, turn.order.client, turn.order.version, up_bytes)
        return up_bytes

    def _drop_share(self, client: int, turn: int) -> float | None:
        departures = self._in.departures
        return None if departures.nobody_leaves else departures.drop_share(client, turn)

    def _leaves(self, turn: OpenTurn, begun_ns: Nanos, ends_ns: Nanos) -> bool:
        """Foresee whether the client leaves in this phase, if its end comes when it should."""
        if self._in.departures.nobody_leaves:
            return False
        client, share = turn.order.client, turn.drop_share
        leaves = self._in.departures.leaves_ns(client, share, turn.phase, begun_ns, ends_ns)
        if leaves is not None:
            self._in.clock.at(leaves, Left(turn, turn.phase))
        return leaves is not None
