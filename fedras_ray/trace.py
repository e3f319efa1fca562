"""The events of a run in order, as a digest: two runs that are the same event by event have the same one."""

from __future__ import annotations

import hashlib
import struct
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.snapshots.kinds import kept

_EVENT = struct.Struct("<qbqqq")  # time, kind, client, version, bytes
EVENT = np.dtype(  # the same
    [("at_ns", "<i8"), ("kind", "i1"), ("client", "<i8"), ("version", "<i8"), ("byte_count", "<i8")]
)
Column = NDArray[np.int64]


@kept()
class Kind(IntEnum):
    """What an event of the trace is. Append only: the numbers are part of the digest."""

    DISPATCHED = 0
    TRAINED = 1
    ARRIVED = 2
    VERSION = 3
    LEFT = 4
    LOST = 5
    DUE = 6
    REFUSED = 7
    DUPLICATE = 8  # an upload arrived once more


@kept("events", "_chain", "_since")
class Trace:
    """SHA-256 over the ordered events of a run: time, kind, client, version, bytes.

    A chain over versions, h = SHA-256(h + the events up to the next version), so that all of it can be kept
    and gone on with: the inner state of a hash cannot.
    """

    def __init__(self) -> None:
        self._chain = hashlib.sha256(b"fedras trace 2").digest()
        self._since = bytearray()  # events since the last version
        self.events = 0

    def add(self, at_ns: int, kind: int, client: int, version: int, byte_count: int) -> None:
        """Fold one event in; `client` is -1 for events of the server."""
        self._since += _EVENT.pack(at_ns, kind, client, version, byte_count)
        self.events += 1
        if kind == Kind.VERSION:
            self._chain, self._since = self._linked(), bytearray()

    def add_each(
        self, at_ns: Column | int, kinds: Column | int, clients: Column, versions: Column, byte_counts: Column
    ) -> None:
        """Fold events of clients (n,) in, one after the other; none is a version."""
        events = np.empty(len(clients), EVENT)
        columns = at_ns, kinds, clients, versions, byte_counts
        for name, column in zip(EVENT.names or (), columns, strict=True):
            events[name] = column
        self._since += events.tobytes()
        self.events += len(events)

    def digest(self) -> str:
        """Hexadecimal digest of everything added so far."""
        return self._linked().hex()

    def _linked(self) -> bytes:
        return hashlib.sha256(self._chain + self._since).digest()


@kept()
class Happened(NamedTuple):
    """One event of a trace."""

    at_ns: int
    kind: Kind
    client: int  # -1: the server
    version: int
    byte_count: int


@kept("events", "_chain", "_since", "kept")
class KeptTrace(Trace):
    """A trace whose events can be looked at afterwards; for runs that are short."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Happened] = []

    def add(self, at_ns: int, kind: int, client: int, version: int, byte_count: int) -> None:
        """See `Trace.add`."""
        super().add(at_ns, kind, client, version, byte_count)
        self.kept.append(Happened(at_ns, Kind(kind), client, version, byte_count))

    def add_each(
        self, at_ns: Column | int, kinds: Column | int, clients: Column, versions: Column, byte_counts: Column
    ) -> None:
        """See `Trace.add_each`."""
        super().add_each(at_ns, kinds, clients, versions, byte_counts)
        columns = np.broadcast_arrays(at_ns, kinds, clients, versions, byte_counts)
        for at, kind, *numbers in zip(*(column.tolist() for column in columns), strict=True):
            self.kept.append(Happened(at, Kind(kind), *numbers))
