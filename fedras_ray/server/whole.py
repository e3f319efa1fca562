"""A lattice's whole table for everyone: one exact difference for each state that a client can hold.

A client that holds state q_a and comes back at q_b is sent q_b - q_a, entropy-coded, as *one* message,
however many versions it missed: moves that undid each other cost nothing. A newcomer is sent the seed and
q_b. Whoever applied what it was sent holds the replica bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.codecs import LatticeDownlink as LatticeConfig
from fedras_ray.crew import Crew
from fedras_ray.server.downlink import Delivery, Ids, Table
from fedras_ray.server.lattice import NOTHING, Lattice
from fedras_ray.snapshots.kinds import kept


@kept("lattice", "_held")
class WholeDownlink:
    """See the module."""

    needs_rows = False
    alike = None  # messages build on what each client holds

    def __init__(
        self, config: LatticeConfig, clients: int, versions: int, seed: int, crew: Crew | None = None
    ) -> None:
        self._crew = crew or Crew(1)
        self.lattice = Lattice(config, versions, seed)
        self._held = np.full(clients, NOTHING, dtype=np.int32)  # (U,) the state each client holds
        self._sizes: dict[int, int] = {}  # state to build on -> bytes that lead from it to the newest

    def publish(self, version: int, table: Table) -> dict[int, Table]:
        """See `Lattice.publish`."""
        views = self.lattice.publish(version, table)
        if views:
            self._sizes.clear()
        return views

    def retired(self) -> list[int]:
        """See `Downlink.retired`."""
        return self.lattice.retired()

    def preferred(self) -> None:
        """An absence costs one message, however long it was."""

    def offer(self, client: int, rows: Ids | None = None) -> Delivery:
        """What leads from the state that the client holds to the newest."""
        held, newest = self.state_of(client), self.lattice.newest
        if held not in self._sizes:
            self._sizes[held] = self._size(held)
        byte_count = self._sizes[held]
        if held == NOTHING:
            return Delivery(self.lattice.view, byte_count, snapshot_bytes=byte_count, state=newest)
        old = byte_count if newest - held > 1 else 0
        return Delivery(self.lattice.view, byte_count, catch_up_bytes=old, state=newest)

    def offers(self, clients: Sequence[int], rows: Mapping[int, Ids]) -> list[Delivery]:
        """As `offer`; messages are written by all threads, each of them once."""
        missing = sorted({self.state_of(client) for client in clients} - self._sizes.keys())
        loads = [len(self.lattice.replica)] * len(missing)
        sizes = self._crew.one_by_one(self._size, missing, loads)
        self._sizes |= dict(zip(missing, sizes, strict=True))
        return [self.offer(client) for client in clients]

    def _size(self, held: int) -> int:
        return sum(map(len, self.message(held)))

    def delivered(self, client: int, delivery: Delivery, rows: Ids | None = None) -> None:
        """It holds that state."""
        self._held[client] = delivery.state

    def state_of(self, client: int) -> int:
        """The state that the client can build on; `NOTHING` where it has none that is kept."""
        held = int(self._held[client])
        return held if self.lattice.keeps(held) else NOTHING

    def message(self, held: int) -> list[bytes]:
        """The blobs that lead to the newest state from one that is kept, or from nothing (`NOTHING`)."""
        lattice, blobs = self.lattice, []
        if held == NOTHING:
            return lattice.snapshot()
        for number, era in enumerate(lattice.eras):
            last = number + 1 == len(lattice.eras)
            if held >= lattice.last_of(number) and not last:
                continue  # left behind
            if number and held <= era.start:  # it was there before the era began
                blobs.append(era.blob)
            end = lattice.end_of(number)
            blobs.append(lattice.packed(end - lattice.state(held) if held >= era.start else end))
        return blobs

    def views(self, clients: NDArray[np.int64]) -> NDArray[np.int64]:
        """The newest replica, for all."""
        return np.array([self.lattice.view], dtype=np.int64)

    def closing_bytes(self, clients: NDArray[np.int64]) -> int:
        """Nothing: everyone holds a whole table, of the last version that it was sent."""
        return 0

    @property
    def state_bytes(self) -> int:
        """The lattice, and one number per client."""
        return self.lattice.state_bytes + self._held.nbytes
