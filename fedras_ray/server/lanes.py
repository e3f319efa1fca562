"""A downlink of replica lanes: clients share G replicas of the item table, each with a log of messages.

I items, D width, U clients. Every client belongs to one lane for good. A lane's replica moves by what its
message decodes to, ``replica += decode(encode(table - replica))``, with any codec; so whoever applied the
lane's log holds the lane's replica bit for bit, nothing drifts, and what one message left out is in the next
difference: error feedback for free.

A client that comes back is sent every message it missed, or a snapshot where that is shorter or the log
does not reach back far enough: exact f32, so the law holds for any codec. With ``refresh = "turns"`` the
lanes take turns: version v serves lane v mod G, and its clients are asked before others, so that an absence
costs one message. Where messages are integers there is something better, see `server.lattice`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.base import Codec, ItemUpdate, Outgoing
from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.dense import DenseCodec
from fedras_ray.config.codecs import DenseCodec as DenseConfig
from fedras_ray.config.codecs import LanesDownlink as LanesConfig
from fedras_ray.fleet.profiles import Fleet, equal_parts
from fedras_ray.server.downlink import Delivery, Ids, Table
from fedras_ray.server.seeding import pack_seed
from fedras_ray.snapshots.kinds import kept
from fedras_ray.streams import Purpose, stream

Lanes = NDArray[np.int32]  # (U,)

NOTHING = -1  # what a client holds that was never sent anything
EXACT = DenseCodec(DenseConfig(dtype="f32"))


def assign(config: LanesConfig, fleet: Fleet, samples: NDArray[np.int64], seed: int) -> Lanes:
    """The lane of each client: at random, by device class, or by how soon it will be back.

    `samples` (U,) is what each client trains on in a turn; with `participation` clients whose turns
    take equally long share a lane, so that no lane waits for both.
    """
    match config.assignment:
        case "fixed":
            order = stream(seed, Purpose.LANES).permutation(len(fleet))
        case "class":
            return (fleet.device_class % config.count).astype(np.int32)
        case "participation":
            order = np.argsort(samples * fleet.train_s_per_sample, kind="stable")
    return equal_parts(order, config.count)


@kept()
@dataclass(slots=True, eq=False)
class Lane:
    """One replica and what led to it."""

    replica: Table  # (I, D)
    view: int
    newest: int = 0  # messages so far
    log: deque[bytes] = field(default_factory=deque)  # the newest ones, oldest first
    snapshot_bytes: int = 0  # of the replica as it is, where known

    def apply(self, blob: bytes, update: ItemUpdate, history: int) -> None:
        """Take the step that every client of the lane will take; the oldest messages are dropped."""
        self.replica = self.replica.copy()
        self.replica[update.item_ids] += update.rows
        self.newest += 1
        self.log.append(blob)
        while len(self.log) > history:
            self.log.popleft()
        self.snapshot_bytes = 0


@kept("_held", "_lanes", "_first", "_open", "_views", "_retired")
class LanesDownlink:
    """See the module."""

    needs_rows = False
    alike = None  # messages build on what each client holds

    def __init__(self, config: LanesConfig, lane_of: Lanes, seed: int) -> None:
        self._config = config
        self._seed = seed
        self._codec: Codec = build_codec(config.codec)
        self._lane_of = lane_of
        self._held = np.full(len(lane_of), NOTHING, dtype=np.int32)  # (U,) messages applied
        self._lanes: list[Lane] = []
        self._first = np.zeros((0, 0), np.float32)
        self._open: int | None = None
        self._views = 0
        self._retired: list[int] = []

    def publish(self, version: int, table: Table) -> dict[int, Table]:
        """Send a message down the lanes whose turn it is; returns their replicas as views."""
        if version == 0:
            self._first = table.copy()
            self._lanes = [Lane(self._first, self._new_view()) for _ in range(self._config.count)]
            due = self._lanes
        elif self._config.refresh == "turns":
            due = [self._lanes[version % len(self._lanes)]]
        else:
            due = self._lanes if version % self._config.every == 0 else []
        if self._config.refresh == "turns":
            self._open = version % len(self._lanes)
        if version:
            for lane in due:
                self._advance(lane, table)
        return {lane.view: _read_only(lane.replica) for lane in due}

    def _advance(self, lane: Lane, table: Table) -> None:
        number = self._lanes.index(lane)
        rows = table - lane.replica
        ids = np.flatnonzero(rows.any(axis=1)).astype(np.int32)
        turn = lane.newest * len(self._lanes) + number  # one stream per message of all lanes
        update = ItemUpdate(ids, rows[ids], len(table))
        blob = self._codec.encode(Outgoing(update, lambda: stream(self._seed, Purpose.DOWNLINK, 0, turn)))
        lane.apply(blob, self._codec.decode(blob), self._config.history)
        self._retired.append(lane.view)
        lane.view = self._new_view()

    def _new_view(self) -> int:
        self._views += 1
        return self._views - 1

    def retired(self) -> list[int]:
        """See `Downlink.retired`."""
        retired, self._retired = self._retired, []
        return retired

    def preferred(self) -> NDArray[np.bool_] | None:
        """The clients of the lane whose turn it is."""
        return None if self._open is None else self._lane_of == self._open

    def offer(self, client: int, rows: Ids | None = None) -> Delivery:
        """The messages that the client missed, or a snapshot."""
        lane, held = self._lanes[self._lane_of[client]], int(self._held[client])
        missed = lane.newest - max(held, 0)
        seed_bytes = len(self.first_message()) if held == NOTHING else 0
        if missed <= len(lane.log):
            sizes = [len(blob) for blob in list(lane.log)[len(lane.log) - missed :]]
            if sum(sizes) <= self._snapshot_bytes(lane):
                total = sum(sizes) + seed_bytes
                if seed_bytes:
                    return Delivery(lane.view, total, snapshot_bytes=total, state=lane.newest)
                return Delivery(lane.view, total, catch_up_bytes=sum(sizes[:-1]), state=lane.newest)
        byte_count = self._snapshot_bytes(lane)
        return Delivery(lane.view, byte_count, snapshot_bytes=byte_count, state=lane.newest)

    def offers(self, clients: Sequence[int], rows: Mapping[int, Ids]) -> list[Delivery]:
        """See `offer`."""
        return [self.offer(client) for client in clients]

    def delivered(self, client: int, delivery: Delivery, rows: Ids | None = None) -> None:
        """It has applied that many messages."""
        self._held[client] = delivery.state

    def first_message(self) -> bytes:
        """What stands for the table of version 0."""
        return pack_seed(self._seed, *self._first.shape)

    def messages(self, client: int) -> list[bytes]:
        """The newest messages of the client's lane, oldest first, as far as they are kept."""
        return list(self._lanes[self._lane_of[client]].log)

    def _snapshot_bytes(self, lane: Lane) -> int:
        if not lane.snapshot_bytes:
            lane.snapshot_bytes = len(snapshot(lane.replica))
        return lane.snapshot_bytes

    def views(self, clients: NDArray[np.int64]) -> NDArray[np.int64]:
        """The view of each client's lane."""
        views = np.array([lane.view for lane in self._lanes], dtype=np.int64)
        return views[self._lane_of[clients]]

    def closing_bytes(self, clients: NDArray[np.int64]) -> int:
        """Nothing: everyone holds its lane's replica, of the last version that it was sent."""
        return 0

    @property
    def state_bytes(self) -> int:
        """Replicas, logs, and two numbers per client."""
        logs = sum(len(blob) for lane in self._lanes for blob in lane.log)
        replicas = sum(lane.replica.nbytes for lane in self._lanes)
        return logs + replicas + self._held.nbytes + self._lane_of.nbytes


def snapshot(replica: Table) -> bytes:
    """A replica as an exact message of its own."""
    update = ItemUpdate(np.arange(len(replica), dtype=np.int32), replica.copy(), len(replica))
    return EXACT.encode(Outgoing(update, lambda: stream(0, Purpose.DOWNLINK)))


def _read_only(table: Table) -> Table:
    view = table.copy()
    view.flags.writeable = False
    return view
