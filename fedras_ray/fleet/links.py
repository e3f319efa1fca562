"""When bytes are through: links of constant rate, and links whose rate changes while they carry.

A transfer begins with the client's latency, in which nothing flows; then the bytes follow at the link's rate.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol

from fedras_ray.clock import Nanos, nanos, seconds
from fedras_ray.config.network import (
    GammaVariation,
    LogNormalVariation,
    NoVariation,
    TraceVariation,
    VariationConfig,
)
from fedras_ray.errors import FleetError
from fedras_ray.fleet.factors import DrawnFactors, Factors, TracedFactors
from fedras_ray.fleet.profiles import LONGEST_S, Fleet
from fedras_ray.fleet.quanta import QUANTA_PER_BYTE, ceil_ratio, quanta_per_ns
from fedras_ray.fleet.traces import read_factors
from fedras_ray.snapshots.kinds import kept


@kept()
class Direction(IntEnum):
    """Which way bytes go, seen from the client."""

    DOWN = 0
    UP = 1


class Link(Protocol):
    """The way between every client and the server.

    Laws, for each client and direction: `bytes_by` never falls as its end moves on; `end_ns` is the first
    instant by which `bytes_by` has reached the number of bytes.
    """

    def end_ns(self, client: int, direction: Direction, start_ns: int, byte_count: int) -> Nanos:
        """When a transfer that starts at `start_ns` has carried so many bytes.

        Raises:
            FleetError: it would take more than three years.
        """
        ...

    def bytes_by(self, client: int, direction: Direction, start_ns: int, until_ns: int) -> int:
        """How many whole bytes a transfer that starts at `start_ns` could carry until `until_ns`."""
        ...

    def rate_now(self, client: int, direction: Direction, at_ns: int) -> float:
        """Bytes a second at an instant."""
        ...

    def steady_until(self, client: int, at_ns: int) -> Nanos | None:
        """A later instant before which the client's rates do not change; None: they never do."""
        ...


def build_link(config: VariationConfig, fleet: Fleet, seed: int) -> Link:
    """The links of a fleet.

    Raises:
        FleetError: a trace file is wrong.
    """
    match config:
        case NoVariation():
            return ConstantLink(fleet)
        case GammaVariation() | LogNormalVariation():
            return VaryingLink(fleet, DrawnFactors(config, seed))
        case TraceVariation():
            return VaryingLink(fleet, TracedFactors(read_factors(config), seed))


def _base_rate(fleet: Fleet, client: int, direction: Direction) -> float:
    rates = fleet.uplink_bytes_per_s if direction is Direction.UP else fleet.downlink_bytes_per_s
    return float(rates[client])


class ConstantLink:
    """The profile's rate at all times; durations are `Fleet.upload_ns` and `Fleet.download_ns`."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._takes = fleet.download_ns, fleet.upload_ns  # by direction

    def end_ns(self, client: int, direction: Direction, start_ns: int, byte_count: int) -> Nanos:
        """When a transfer that starts at `start_ns` has carried so many bytes."""
        return Nanos(start_ns + self._takes[direction](client, byte_count))

    def bytes_by(self, client: int, direction: Direction, start_ns: int, until_ns: int) -> int:
        """The most bytes whose transfer ends by `until_ns`: the inverse of `end_ns`, found by bisection."""
        within_ns = max(0, until_ns - start_ns)
        rate = _base_rate(self._fleet, client, direction)
        fits, misses = 0, 2 + int(rate * (seconds(within_ns) * (1 + 1e-9) + 1e-9))
        while misses - fits > 1:
            middle = (fits + misses) // 2
            if self._takes[direction](client, middle) <= within_ns:
                fits = middle
            else:
                misses = middle
        return fits

    def rate_now(self, client: int, direction: Direction, at_ns: int) -> float:
        """Bytes a second, at any instant."""
        return _base_rate(self._fleet, client, direction)

    def steady_until(self, client: int, at_ns: int) -> None:
        """Never does a rate change."""
        return


class VaryingLink:
    """The profile's rate times a factor that changes with time; both directions share the factor.

    Integration is exact (see `quanta`): what is carried in two adjoining stretches of time is what is
    carried in both together, and an end is the first whole nanosecond with all bytes through. Of two
    transfers in a row the second begins at such a nanosecond: together they may end later than one of all the
    bytes, for they lose less than what the link carries in one nanosecond, and one more latency.
    """

    def __init__(self, fleet: Fleet, factors: Factors) -> None:
        self._fleet, self._factors = fleet, factors

    def end_ns(self, client: int, direction: Direction, start_ns: int, byte_count: int) -> Nanos:
        """When a transfer that starts at `start_ns` has carried so many bytes."""
        at, missing = self._first_ns(client, start_ns), byte_count * QUANTA_PER_BYTE
        latest = at + nanos(LONGEST_S)
        base = _base_rate(self._fleet, client, direction)
        while missing > 0:
            if at > latest or byte_count > base * LONGEST_S:
                raise FleetError(
                    f"device {client}: one step would take over {LONGEST_S:.3g} s; its speeds are too low"
                )
            factor, until = self._factors.piece(client, at)
            rate = quanta_per_ns(base * factor)
            carried = rate * (until - at)
            if carried >= missing:
                return Nanos(at + ceil_ratio(missing, rate))
            missing, at = missing - carried, until
        return Nanos(at)

    def bytes_by(self, client: int, direction: Direction, start_ns: int, until_ns: int) -> int:
        """How many whole bytes a transfer that starts at `start_ns` could carry until `until_ns`."""
        at, carried = self._first_ns(client, start_ns), 0
        base = _base_rate(self._fleet, client, direction)
        while at < until_ns:
            factor, until = self._factors.piece(client, at)
            carried += quanta_per_ns(base * factor) * (min(until, until_ns) - at)
            at = until
        return carried // QUANTA_PER_BYTE

    def rate_now(self, client: int, direction: Direction, at_ns: int) -> float:
        """Bytes a second at an instant."""
        return _base_rate(self._fleet, client, direction) * self._factors.piece(client, at_ns).factor

    def steady_until(self, client: int, at_ns: int) -> Nanos:
        """A later instant before which the client's rates do not change."""
        return self._factors.piece(client, at_ns).until_ns

    def _first_ns(self, client: int, start_ns: int) -> Nanos:
        return Nanos(start_ns + nanos(float(self._fleet.latency_s[client])))
