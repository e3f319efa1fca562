"""A client's turn on its way through virtual time, and the events that move it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clock import Nanos
from fedras_ray.departures import Phase
from fedras_ray.fleet.links import Direction
from fedras_ray.records import Fate
from fedras_ray.server.downlink import Delivery, Ids
from fedras_ray.server.folding import Partial
from fedras_ray.snapshots.kinds import kept
from fedras_ray.stretches import FIELDS, Row, Table
from fedras_ray.work import Assignment, Receipt, Receipts

Column = NDArray[np.int64]

NEVER = Nanos(2**63 - 1)  # not known yet


@kept()
@dataclass(slots=True, eq=False)
class OpenTurn:
    """A turn that has begun: what was ordered, and what is known of it so far.

    On the clock it stands for the end of the phase that it is in: of its training, or of its upload.
    """

    order: Assignment
    delivery: Delivery
    rows: Ids | None  # that the client asked for
    device_class: int  # its number
    tier: int
    round: int
    samples: int
    predicted_ns: Nanos
    drop_share: float | None  # of its work, after which the client drops out
    dispatched_at_ns: Nanos
    asked_at_ns: Nanos = NEVER  # the download begins
    started_at_ns: Nanos = NEVER
    trained_at_ns: Nanos = NEVER
    down_bytes: int = 0  # that are through, or will be
    receipt: Receipt | None = None
    phase: Phase = Phase.DOWNLOAD
    duplicate_bytes: int = 0  # of a second copy that will follow

    def row(
        self, at_ns: int, up_bytes: int, dense_bytes: int, staleness: int, fate: Fate, actions: int
    ) -> Row:
        """The fields of a `TurnRecord`, when it ends at `at_ns`, of its upload `up_bytes` being through."""
        order, receipt = self.order, self.receipt
        delivery, dense_down_bytes = self.through(dense_bytes)
        dense_up = sparse_up = samples = rows = 0
        if receipt is not None:
            samples, rows, size = receipt.samples, receipt.rows, receipt.byte_count
            dense_up = _share(dense_bytes, up_bytes, size)
            sparse_up = _share(receipt.sparse_bytes, up_bytes, size)
        return (
            order.client,
            self.device_class,
            order.turn,
            order.version,
            self.dispatched_at_ns,
            self.started_at_ns if self.started_at_ns < at_ns else at_ns,
            self.trained_at_ns if self.trained_at_ns < at_ns else at_ns,
            at_ns,
            self.down_bytes,
            up_bytes + delivery.request_bytes + self.duplicate_bytes,
            delivery.catch_up_bytes,
            delivery.snapshot_bytes,
            delivery.request_bytes,
            dense_down_bytes,
            dense_up,
            sparse_up,
            samples,
            rows,
            actions,
            order.epochs,
            self.predicted_ns,
            self.tier,
            staleness,
            fate,
            self.duplicate_bytes,
        )

    def through(self, dense_bytes: int) -> tuple[Delivery, int]:
        """The part of the delivery that is through, and the same part of a dense one."""
        delivery = self.delivery
        if self.down_bytes == delivery.byte_count:
            return delivery, dense_bytes
        part = delivery._replace(
            byte_count=self.down_bytes,
            catch_up_bytes=_share(delivery.catch_up_bytes, self.down_bytes, delivery.byte_count),
            snapshot_bytes=_share(delivery.snapshot_bytes, self.down_bytes, delivery.byte_count),
        )
        return part, _share(dense_bytes, self.down_bytes, delivery.byte_count)


def _share(whole: int, through: int, of: int) -> int:
    return whole if through == of else whole * through // of


@kept()
@dataclass(slots=True, eq=False)
class Cohort:
    """Turns that were begun together, n of them: see `cohorts`.

    On the clock it stands for the first end of a training, and then for the last end of an upload. Its turns
    are in the order in which they were asked, and then in that in which they arrived.
    """

    tier: int
    round: int
    columns: dict[str, Column]  # (n,) each, by the names of the fields of `TurnRecord`; some come later
    weights: NDArray[np.float64]  # (n,) of what they send
    receipts: Receipts | None = None  # None: they train
    sums: list[Partial] | None = None  # of what is not refused; then, too

    def table(self) -> Table:
        """(n, fields) what is said of the turns, once they are over."""
        return np.stack([self.columns[name] for name in FIELDS], axis=1)


@kept()
@dataclass(frozen=True, slots=True)
class Left:
    """A client is gone in a phase of its turn, if the turn is still in that."""

    turn: OpenTurn
    phase: Phase


@kept()
@dataclass(frozen=True, slots=True)
class Due:
    """The deadline of a tier's round."""

    tier: int
    round: int


@kept()
@dataclass(frozen=True, slots=True)
class Woke:
    """Somebody who was away is back, while nobody of the tier was at work."""

    tier: int


@kept()
@dataclass(frozen=True, slots=True)
class Joined:
    """A transfer reaches the server's shared link."""

    turn: OpenTurn
    direction: Direction
    byte_count: int


@kept()
@dataclass(frozen=True, slots=True)
class Carried:
    """A shared link has carried the next of its transfers, if nothing has changed since this was planned."""

    direction: Direction
    plan: int


@kept()
@dataclass(frozen=True, slots=True)
class Shifted:
    """The rate of a client's own link changes while it is on a shared one."""

    turn: OpenTurn
    direction: Direction


@kept()
@dataclass(frozen=True, slots=True)
class Copied:
    """What a turn sent arrives once more."""

    turn: OpenTurn


Event = OpenTurn | Cohort | Left | Due | Woke | Joined | Carried | Shifted | Copied
