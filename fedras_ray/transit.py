"""Transfers under way: on each client's own link, and through the server's where that is shared.

Where the server's link is wide enough for all, a transfer's end is known when it begins. Where it is shared
it hangs on who else is on it: the transfer joins it after the client's latency, and the end is an event that
moves whenever someone joins or leaves. What a client sends to ask for rows is too short to be worth this,
and takes its own link alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from fedras_ray.clock import Clock, Nanos, nanos
from fedras_ray.config.network import NetworkConfig
from fedras_ray.departures import Phase
from fedras_ray.fleet.bottleneck import SharedLink
from fedras_ray.fleet.links import Direction, Link, build_link
from fedras_ray.fleet.profiles import Fleet
from fedras_ray.snapshots.kinds import kept
from fedras_ray.turns import Carried, Event, Joined, OpenTurn, Shifted


@kept()
@dataclass(slots=True)
class _Shared:
    """The server's link in one direction."""

    link: SharedLink
    carried: dict[int, OpenTurn]  # client -> its turn
    planned: int = 0  # plans so far: an event of an earlier one means nothing


@kept("_shared")
class Transit:
    """See the module."""

    def __init__(self, config: NetworkConfig, fleet: Fleet, seed: int, clock: Clock[Event]) -> None:
        self.link: Link = build_link(config.variation, fleet, seed)
        self._latency_s = fleet.latency_s
        self._clock = clock
        limits = {
            Direction.DOWN: config.server_uplink_bytes_per_s,
            Direction.UP: config.server_downlink_bytes_per_s,
        }
        self._shared = {way: _Shared(SharedLink(limit), {}) for way, limit in limits.items() if limit}

    def is_shared(self, direction: Direction) -> bool:
        """Whether an end is not known before it comes."""
        return direction in self._shared

    def end_ns(self, client: int, direction: Direction, start_ns: int, byte_count: int) -> Nanos:
        """When the client's own link would have carried so many bytes."""
        return self.link.end_ns(client, direction, start_ns, byte_count)

    def join(self, turn: OpenTurn, direction: Direction, start_ns: Nanos, byte_count: int) -> None:
        """Begin a transfer through the server's link; `settle` says when it is complete."""
        at = Nanos(start_ns + nanos(float(self._latency_s[turn.order.client])))
        self._clock.at(at, Joined(turn, direction, byte_count))

    def settle(self, at_ns: Nanos, event: Joined | Carried | Shifted) -> list[OpenTurn]:
        """Let an event of a shared link pass; returns the turns whose transfers are complete now."""
        shared = self._shared[event.direction]
        if isinstance(event, Carried) and event.plan != shared.planned:
            return []
        if isinstance(event, Joined):
            self._enter(at_ns, shared, event)
        elif isinstance(event, Shifted):
            self._shift(at_ns, shared, event)
        done = [shared.carried.pop(client) for _, client in shared.link.advance(at_ns)]
        self._plan(shared, event.direction)
        return done

    def cut(
        self, at_ns: Nanos, turn: OpenTurn, direction: Direction, begun_ns: Nanos, byte_count: int
    ) -> int:
        """The client leaves in the middle of a transfer; returns the whole bytes that are through."""
        client = turn.order.client
        if direction not in self._shared:
            return min(byte_count, self.link.bytes_by(client, direction, begun_ns, at_ns))
        shared = self._shared[direction]
        if client not in shared.carried:
            return 0  # within its latency
        del shared.carried[client]
        through = shared.link.remove(client, at_ns)
        self._plan(shared, direction)
        return through

    def _enter(self, at_ns: Nanos, shared: _Shared, event: Joined) -> None:
        client = event.turn.order.client
        if event.turn.phase is Phase.OVER:
            return
        shared.carried[client] = event.turn
        shared.link.add(client, event.byte_count, self.link.rate_now(client, event.direction, at_ns), at_ns)
        self._watch(at_ns, event.turn, event.direction)

    def _shift(self, at_ns: Nanos, shared: _Shared, event: Shifted) -> None:
        client = event.turn.order.client
        if shared.carried.get(client) is event.turn:
            shared.link.set_cap(client, self.link.rate_now(client, event.direction, at_ns), at_ns)
            self._watch(at_ns, event.turn, event.direction)

    def _watch(self, at_ns: Nanos, turn: OpenTurn, direction: Direction) -> None:
        until = self.link.steady_until(turn.order.client, at_ns)
        if until is not None:
            self._clock.at(until, Shifted(turn, direction))

    def _plan(self, shared: _Shared, direction: Direction) -> None:
        upcoming = shared.link.next_completion()
        shared.planned += 1
        if upcoming is not None:
            self._clock.at(upcoming[0], Carried(direction, shared.planned))
