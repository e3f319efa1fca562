"""How the item table reaches the clients, and what that costs.

A *view* is one state of the table as some client holds it; a client trains and ranks with its view,
never with the server's table. Sending the whole table (`DenseDownlink`) makes one view per version.
A downlink that sends differences implements the same methods (`server.lattice`, `server.lanes`): what
a message costs depends on the client, so `offer` is asked per client; what was cut off on the way is never
`delivered`, and the next message builds on what the client held before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.dense import DenseCodec
from fedras_ray.config.codecs import DenseCodec as DenseConfig
from fedras_ray.config.codecs import DenseDownlink as DownlinkConfig
from fedras_ray.snapshots.kinds import kept
from fedras_ray.streams import Purpose, stream

Table = NDArray[np.float32]
Ids = NDArray[np.int32]


@kept()
class Delivery(NamedTuple):
    """One dispatch's download."""

    view: int  # which state of the table the client holds afterwards
    byte_count: int
    catch_up_bytes: int = 0  # of these, for versions that the client had missed
    snapshot_bytes: int = 0  # of these, for a client that had no state to build on
    request_bytes: int = 0  # up, to ask for it
    state: int = 0  # what the client holds once it has it all, in the downlink's own terms


class Downlink(Protocol):
    """From the server's table to the views that clients hold."""

    def publish(self, version: int, table: Table) -> dict[int, Table]:
        """Take in a new version; returns the views that are new, read-only (I, D)."""
        ...

    def retired(self) -> list[int]:
        """Views that no client will be sent any more, each named once."""
        ...

    def preferred(self) -> NDArray[np.bool_] | None:
        """(U,) the clients that cost least to ask now, to be asked before others; None: no matter."""
        ...

    @property
    def needs_rows(self) -> bool:
        """Whether a client asks for the rows that its turn will touch."""
        ...

    @property
    def alike(self) -> Delivery | None:
        """What is offered to everyone now, and nothing builds on who had it; None: that differs."""
        ...

    def offer(self, client: int, rows: Ids | None = None) -> Delivery:
        """What the client downloads if it is dispatched now; `rows` (n,) where it asks for them."""
        ...

    def offers(self, clients: Sequence[int], rows: Mapping[int, Ids]) -> list[Delivery]:
        """As `offer` to each of some, in their order; `rows` by client."""
        ...

    def delivered(self, client: int, delivery: Delivery, rows: Ids | None = None) -> None:
        """It has all that it was offered: from now on messages to it build on that."""
        ...

    def closing_bytes(self, clients: NDArray[np.int64]) -> int:
        """What it costs, after the last version, that these clients hold the whole table to rank with."""
        ...

    def views(self, clients: NDArray[np.int64]) -> NDArray[np.int64]:
        """The view each client would rank with now; shape (1,) where it is the same for all."""
        ...

    @property
    def state_bytes(self) -> int:
        """What the server keeps in memory to serve clients that come back."""
        ...


@kept("_view", "_delivery", "_retired")
class DenseDownlink:
    """Every dispatch carries the whole table; everyone holds the newest version they were sent."""

    needs_rows = False

    def __init__(self, config: DownlinkConfig, seed: int) -> None:
        self._codec = DenseCodec(DenseConfig(dtype=config.dtype))
        self._seed = seed
        self._view = -1
        self._delivery = Delivery(-1, 0)  # of the newest version, the same for all
        self._retired: list[int] = []

    def publish(self, version: int, table: Table) -> dict[int, Table]:
        """Encode the table once; the view is what a client decodes from these bytes."""
        ids = np.arange(len(table), dtype=np.int32)
        update = ItemUpdate(ids, table.view(), len(table))  # itself stays as it is, and can be written
        blob = self._codec.encode(Outgoing(update, lambda: stream(self._seed, Purpose.DOWNLINK, 0, version)))
        decoded = self._codec.decode(blob)
        view = decoded.rows
        if len(view) < len(table):
            view = np.zeros_like(table)
            view[decoded.item_ids] = decoded.rows
        view.flags.writeable = False
        if self._view >= 0:
            self._retired.append(self._view)
        self._view, self._delivery = version, Delivery(version, len(blob))
        return {version: view}

    def retired(self) -> list[int]:
        """See `Downlink.retired`."""
        retired, self._retired = self._retired, []
        return retired

    def preferred(self) -> None:
        """Everyone costs the same."""

    @property
    def alike(self) -> Delivery:
        """The whole table, whoever asks."""
        return self._delivery

    def offer(self, client: int, rows: Ids | None = None) -> Delivery:
        """The same."""
        return self.alike

    def offers(self, clients: Sequence[int], rows: Mapping[int, Ids]) -> list[Delivery]:
        """The same."""
        return [self.alike] * len(clients)

    def delivered(self, client: int, delivery: Delivery, rows: Ids | None = None) -> None:
        """Nothing builds on what a client holds."""

    def closing_bytes(self, clients: NDArray[np.int64]) -> int:
        """Nothing: everyone holds a whole table, of the last version that it was sent."""
        return 0

    def views(self, clients: NDArray[np.int64]) -> NDArray[np.int64]:
        """The newest version, for all."""
        return np.array([self._view], dtype=np.int64)

    @property
    def state_bytes(self) -> int:
        """None beyond the table itself."""
        return 0
