"""What a device can do: seconds per sample, bytes per second up and down, latency.

U clients. A fleet is a few arrays; nothing in it changes during a run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clock import NANOS_PER_SECOND, Nanos
from fedras_ray.errors import FleetError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LONGEST_S = 1e8  # three years; the clock's int64 nanoseconds end after 292
NOMINAL_SAMPLES = 1_000  # a turn of a middling MovieLens client, two epochs
NOMINAL_BYTES = 200_000  # a dense table of MovieLens-100K at width 32, one way


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """The devices of all clients.

    Raises:
        FleetError: a value is not finite, not positive (latency: negative), or the shapes differ.
    """

    train_s_per_sample: Floats  # (U,)
    uplink_bytes_per_s: Floats  # (U,)
    downlink_bytes_per_s: Floats  # (U,)
    latency_s: Floats  # (U,) once per transfer
    device_class: NDArray[np.int8]  # (U,) index into class_names
    class_names: tuple[str, ...]
    energy_class: NDArray[np.int8] | None = None  # (U,) index into energy.CLASSES; None: all have the first

    def __post_init__(self) -> None:
        for name in ("train_s_per_sample", "uplink_bytes_per_s", "downlink_bytes_per_s", "latency_s"):
            values: Floats = getattr(self, name)
            if len(values) != len(self.device_class):
                raise FleetError(f"{name} has {len(values)} entries for {len(self.device_class)} devices")
            bad = ~np.isfinite(values) | (values < 0 if name == "latency_s" else values <= 0)
            if bad.any():
                client = int(np.flatnonzero(bad)[0])
                raise FleetError(f"device {client}: {name} = {values[client]} is not a possible value")
            values.flags.writeable = False

    def __len__(self) -> int:
        return len(self.device_class)

    def download_ns(self, client: int, byte_count: int) -> Nanos:
        """How long it takes this client to receive so many bytes."""
        transfer_s = byte_count / self.downlink_bytes_per_s.item(client)
        return _possible(client, self.latency_s.item(client) + transfer_s)

    def train_ns(self, client: int, samples: int) -> Nanos:
        """How long it takes this client to train on so many samples, epochs included."""
        return _possible(client, samples * self.train_s_per_sample.item(client))

    def upload_ns(self, client: int, byte_count: int) -> Nanos:
        """How long it takes this client to send so many bytes."""
        transfer_s = byte_count / self.uplink_bytes_per_s.item(client)
        return _possible(client, self.latency_s.item(client) + transfer_s)

    def each_download_ns(self, clients: Ints, byte_counts: Ints) -> Ints:
        """`download_ns` of clients (n,) and so many bytes (n,)."""
        transfer_s = byte_counts / self.downlink_bytes_per_s[clients]
        return _all_possible(clients, self.latency_s[clients] + transfer_s)

    def each_train_ns(self, clients: Ints, samples: Ints) -> Ints:
        """`train_ns` of clients (n,) and so many samples (n,)."""
        return _all_possible(clients, samples * self.train_s_per_sample[clients])

    def each_upload_ns(self, clients: Ints, byte_counts: Ints) -> Ints:
        """`upload_ns` of clients (n,) and so many bytes (n,)."""
        return upload_ns_each(clients, byte_counts, self.latency_s[clients], self.uplink_bytes_per_s[clients])

    def class_of(self, client: int) -> str:
        """The name of the client's device class."""
        return self.class_names[self.device_class.item(client)]


def upload_ns_each(clients: Ints, byte_counts: Ints, latency_s: Floats, uplink_bytes_per_s: Floats) -> Ints:
    """(n,) `Fleet.upload_ns` of clients with such links."""
    return _all_possible(clients, latency_s + byte_counts / uplink_bytes_per_s)


def _possible(client: int, duration_s: float) -> Nanos:
    if duration_s > LONGEST_S:
        raise FleetError(f"device {client}: one step would take {duration_s:.3g} s; its speeds are too low")
    return Nanos(round(duration_s * NANOS_PER_SECOND))  # as `nanos`: it is finite and not negative


def _all_possible(clients: Ints, durations_s: Floats) -> Ints:
    if durations_s.max(initial=0.0) > LONGEST_S:
        first = int(np.argmax(durations_s > LONGEST_S))
        _possible(clients.item(first), durations_s.item(first))  # says so
    return np.rint(durations_s * NANOS_PER_SECOND).astype(np.int64)


def thirds(train_s: Floats, uplink: Floats, downlink: Floats) -> tuple[NDArray[np.int8], tuple[str, ...]]:
    """Fast, medium and slow thirds of a fleet by the time of one nominal turn."""
    if len(train_s) and not (np.ptp(train_s) or np.ptp(uplink) or np.ptp(downlink)):
        return np.zeros(len(train_s), dtype=np.int8), ("all",)
    turn_s = nominal_turn_s(NOMINAL_SAMPLES, train_s, uplink, downlink)
    parts = equal_parts(np.argsort(turn_s, kind="stable"), 3)
    return parts.astype(np.int8), ("fast", "medium", "slow")


def nominal_turn_s(
    samples: int | NDArray[np.int64], train_s: Floats, uplink: Floats, downlink: Floats
) -> Floats:
    """(U,) the time of a turn with `NOMINAL_BYTES` each way, latency left out; it may be infinite."""
    with np.errstate(over="ignore"):  # such a device is refused when it is asked
        return samples * train_s + NOMINAL_BYTES / uplink + NOMINAL_BYTES / downlink


def equal_parts(order: NDArray[np.int64], count: int) -> NDArray[np.int32]:
    """(U,) the part of each client, 0 for those who come first in `order` (U,), a permutation of them."""
    parts = np.empty(len(order), dtype=np.int32)
    parts[order] = np.arange(len(order)) * count // max(1, len(order))
    return parts
