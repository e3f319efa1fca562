"""A lattice's rows for who asks: a client names the rows that its turn will touch, and is sent just these.

n rows of a request, I items, D width. A turn of a recommender touches few rows of the table, and which ones
its upload says anyway; so a client that says it beforehand gives nothing away, pays for a short request, and
spares the rest of the table. What it is sent are exact differences, row by row, to what it was sent of that
row before; a row it never asked for builds on the first table, which the seed stands for. Positions within
the message are places in the request.

A client that ranks needs the whole table. At the end of a run everyone is sent what it lacks of it, and then
one finer difference, the same for all: training forgives the noise of a coarse step, a ranking does not, and
halving the step costs a bit per number once instead of in every turn. Or, with a `closing_step`, everyone is
sent the table in one message of its own (`server.closing`), which is shorter where most of it is lacking.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import wire
from fedras_ray.codecs.grid import pack_steps, rounded, unpack_steps
from fedras_ray.codecs.positions import pack_positions, take_positions
from fedras_ray.config.codecs import LatticeDownlink as LatticeConfig
from fedras_ray.crew import Crew
from fedras_ray.errors import CodecError
from fedras_ray.kernels import holding
from fedras_ray.server.closing import pack_table, unpack_table
from fedras_ray.server.downlink import Delivery, Ids, Table
from fedras_ray.server.eras import Era
from fedras_ray.server.lattice import Lattice
from fedras_ray.snapshots.kinds import kept

States = NDArray[np.int32]

_NOTICE = struct.Struct("<II")


@kept("_of", "_newest", "nbytes")
class Holdings:
    """Which state of which rows each client holds; a row that it never asked for is in state 0."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[Ids, States]] = {}
        self._newest: dict[int, int] = {}
        self.nbytes = 0  # memory of all clients together

    def __contains__(self, client: int) -> bool:
        return client in self._of

    def of(self, client: int, rows: Ids) -> States:
        """(n,) the states of these rows."""
        if client in self._of:
            return holding.states_of(*self._of[client], rows)
        return np.zeros(len(rows), np.int32)

    def update(self, client: int, rows: Ids, state: int) -> None:
        """The client holds these rows in this state from now on."""
        ids, states = self._of.get(client, (rows[:0], np.zeros(0, np.int32)))
        self._of[client] = renewed = holding.renewed(ids, states, rows, state)
        self.nbytes += (ids.itemsize + states.itemsize) * (len(renewed[0]) - len(ids))
        self._newest[client] = state

    def newest_of(self, client: int) -> int:
        """The newest state that the client holds of any row."""
        return self._newest.get(client, 0)


@kept("lattice", "_holdings", "_view", "closing")
class TouchedDownlink:
    """See the module."""

    needs_rows = True
    alike = None  # messages build on what each client holds

    def __init__(self, config: LatticeConfig, versions: int, seed: int, crew: Crew | None = None) -> None:
        self._crew = crew or Crew(1)
        self.lattice = Lattice(config, versions, seed)
        self._holdings = Holdings()
        self._versions = versions
        self._view = 0
        self.closing: list[bytes] = []  # the same for all, once the last version is there

    def publish(self, version: int, table: Table) -> dict[int, Table]:
        """See `Lattice.publish`; the view of the last version is the finer one."""
        views = self.lattice.publish(version, table)
        self._view = self.lattice.view
        if version == self._versions and (closed := self._closed(table)) is not None:
            self._view = version
            closed.flags.writeable = False
            views = {version: closed}
        return views

    def _closed(self, table: Table) -> Table | None:
        """What everyone ranks with, as `closing` says it; None: the replica."""
        config, era, replica = self.lattice.config, self.lattice.eras[-1], self.lattice.replica
        if config.closing_step is not None:
            self.closing = pack_table(table, era.blob, config.closing_step)
            return unpack_table(self.closing, bool(era.blob), (len(replica), replica.shape[1]))
        if not config.closing_halvings:
            return None
        step = self.lattice.step / 2**config.closing_halvings
        moves = rounded(era.along(table - replica), step, 0.0)
        self.closing = [pack_steps(np.arange(len(moves), dtype=np.int32), moves, step, len(moves))]
        return refined(replica, era, self.closing[0])

    def retired(self) -> list[int]:
        """See `Downlink.retired`."""
        return self.lattice.retired()

    def preferred(self) -> None:
        """Everyone costs what its rows have moved."""

    def offer(self, client: int, rows: Ids | None = None) -> Delivery:
        """The rows that were asked for."""
        if rows is None:
            raise CodecError("a downlink of touched rows needs to be told which")
        request = pack_request(rows, *self.lattice.replica.shape)
        blobs, old = self.message(client, rows)
        byte_count = sum(map(len, blobs))
        newcomer = client not in self._holdings
        return Delivery(
            self.lattice.view,
            byte_count,
            catch_up_bytes=0 if newcomer else old,
            snapshot_bytes=byte_count if newcomer else 0,
            request_bytes=len(request),
            state=self.lattice.newest,
        )

    def offers(self, clients: Sequence[int], rows: Mapping[int, Ids]) -> list[Delivery]:
        """As `offer`; all threads write messages."""
        loads = [len(rows[client]) for client in clients]
        return self._crew.one_by_one(lambda client: self.offer(client, rows[client]), clients, loads)

    def delivered(self, client: int, delivery: Delivery, rows: Ids | None = None) -> None:
        """It holds these rows in that state."""
        if rows is None:
            raise CodecError("a downlink of touched rows needs to be told which")
        self._holdings.update(client, rows, delivery.state)

    def message(self, client: int, rows: Ids) -> tuple[list[bytes], int]:
        """The blobs that lead to the newest state of these rows, and how many bytes are of earlier eras."""
        lattice, old = self.lattice, 0
        held = self._holdings.of(client, rows)  # (n,)
        blobs = [] if client in self._holdings else [lattice.seed_blob()]
        blobs.append(pack_notice(lattice.newest, lattice.eras[-1].start, *lattice.replica.shape))
        for number, era in enumerate(lattice.eras):
            last = number + 1 == len(lattice.eras)
            here = np.ones(len(rows), bool) if last else held < lattice.last_of(number)
            if number and self._holdings.newest_of(client) <= era.start:
                blobs.append(era.blob)
            if here.any() or last:
                blobs.append(lattice.packed(lattice.moves(number, rows[here], held[here])))
                old += 0 if last else len(blobs[-1])
        return blobs, old

    def views(self, clients: NDArray[np.int64]) -> NDArray[np.int64]:
        """The newest replica, for all: see `closing_bytes`."""
        return np.array([self._view], dtype=np.int64)

    def closing_bytes(self, clients: NDArray[np.int64]) -> int:
        """The whole table: what a client lacks of it, or a snapshot where that is shorter; and `closing`.

        With a `closing_step`, `closing` alone.
        """
        same = sum(map(len, self.closing)) * len(clients)
        anew = self.lattice.config.closing_step is not None
        return same if anew else self._lacking_bytes(clients) + same

    def _lacking_bytes(self, clients: NDArray[np.int64]) -> int:
        everything = np.arange(len(self.lattice.replica), dtype=np.int32)
        most = sum(map(len, self.lattice.snapshot()))
        known = [int(client) for client in clients if int(client) in self._holdings]
        lacking = (sum(map(len, self.message(client, everything)[0])) for client in known)
        return sum(min(most, size) for size in lacking) + most * (len(clients) - len(known))

    @property
    def state_bytes(self) -> int:
        """The lattice, and the rows that clients hold."""
        return self.lattice.state_bytes + self._holdings.nbytes


def refined(replica: Table, era: Era, closing: bytes) -> Table:
    """The table (I, D) that a client ranks with: the newest replica moved by the closing message.

    Raises:
        CodecError: not what a `TouchedDownlink` closes with.
    """
    ids, steps, step, _ = unpack_steps(closing)
    table = replica.copy()
    table[ids] += Era(np.zeros((len(ids), replica.shape[1]), np.float32), 0, era.blob).replica(steps, step)
    return table


def pack_notice(newest: int, start: int, item_count: int, width: int) -> bytes:
    """Which state a message leads to, and with which the era began."""
    return wire.pack(wire.CodecId.NOTICE, item_count, width, 0, _NOTICE.pack(newest, start))


def unpack_notice(blob: bytes) -> tuple[int, int]:
    """The newest state, and the one with which its era began.

    Raises:
        CodecError: not what `pack_notice` writes.
    """
    body = wire.unpack(blob, wire.CodecId.NOTICE).body
    newest, start = _NOTICE.unpack(body.take(_NOTICE.size))
    body.finish()
    return int(newest), int(start)


def pack_request(rows: Ids, item_count: int, width: int) -> bytes:
    """Which rows a client asks for, (n,) strictly increasing."""
    return wire.pack(wire.CodecId.REQUEST, item_count, width, len(rows), pack_positions(rows, item_count))


def unpack_request(blob: bytes) -> Ids:
    """The rows of a request.

    Raises:
        CodecError: not what `pack_request` writes.
    """
    frame = wire.unpack(blob, wire.CodecId.REQUEST)
    rows = take_positions(frame.body, frame.rows, frame.item_count)
    frame.body.finish()
    return rows
