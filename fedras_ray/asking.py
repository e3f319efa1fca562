"""Whom the server asks next: idle clients that are on, as the selection says, and for work they can do.

Everything that is chosen hangs on virtual time, the seed and what happened before. A client that a policy
leaves for later is not asked, counted, and another one chosen instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.asked import Asked, AskedAlike
from fedras_ray.clock import Nanos, nanos
from fedras_ray.config import Experiment
from fedras_ray.config.network import AlwaysAvailable
from fedras_ray.config.pacing import AvailableSelection, UniformSelection, UtilitySelection
from fedras_ray.errors import PolicyError
from fedras_ray.fleet.availability import Availability
from fedras_ray.fleet.profiles import Fleet
from fedras_ray.flight import Flight, IdleClients
from fedras_ray.ordering import Orders
from fedras_ray.server.downlink import Downlink
from fedras_ray.server.schedules import has_rounds
from fedras_ray.server.selection import Candidates, choose, class_shares, select
from fedras_ray.server.utility import no_history
from fedras_ray.snapshots.kinds import kept
from fedras_ray.streams import Purpose, stream

Clients = NDArray[np.int64]
SPARE = 4  # clients looked at for each one wanted, where they must stay on for a whole turn
CHOICES_PER_STREAM = 256  # where there are no rounds: a client at a time is chosen then


@kept("_history", "idle", "turns", "left_for_later", "_choices", "_stream")
class Asker:
    """See the module.

    Args:
        experiment: with selection, availability and seed.
        fleet: the devices.
        availability: when they are on.
        orders: how much each is asked for.
        samples: (U,) of one epoch; those with none are never asked.
        tier_of: (U,).
        downlink: what it would send.
        flight: who can say which rows a turn will touch.
    """

    def __init__(
        self,
        experiment: Experiment,
        fleet: Fleet,
        availability: Availability,
        orders: Orders,
        samples: NDArray[np.int64],
        tier_of: NDArray[np.int32],
        downlink: Downlink,
        flight: Flight,
    ) -> None:
        self._seed = experiment.seed
        self._selection = experiment.selection
        self._availability = availability
        self._always_on = isinstance(experiment.network.availability, AlwaysAvailable)
        self._orders = orders
        self._samples = samples
        self._tier_of = tier_of
        self._tiers = int(tier_of.max(initial=0)) + 1
        self._fleet = fleet
        self._downlink = downlink
        self._flight = flight
        self._shares = class_shares(experiment.selection, fleet.class_names)
        selection = experiment.selection
        looks_ahead = isinstance(selection, AvailableSelection | UtilitySelection)
        self._turn_s = orders.full_turn_s(0.0) if looks_ahead else np.zeros(0)  # (U,)
        self.looks_back = isinstance(selection, UtilitySelection)
        self._history = no_history(len(samples) if self.looks_back else 0)
        self.idle = IdleClients(np.flatnonzero(samples > 0))
        self.turns = np.zeros(len(samples), dtype=np.int32)  # (U,) how often each was asked
        self.left_for_later = 0
        self._choices = 0  # how often the server chose clients: the address of the choice
        self._stream = stream(self._seed, Purpose.SELECTION)  # of the latest choice
        self._has_rounds = has_rounds(experiment.schedule)
        self._choices_per_stream = 1 if self._has_rounds else CHOICES_PER_STREAM

    def ask(self, tier: int, count: int, at_ns: Nanos, version: int, alone: bool) -> Sequence[Asked]:
        """Up to `count` clients of a tier, taken from the idle ones; each one's turn begins now.

        Args:
            tier: which.
            count: how many are wanted.
            at_ns: now.
            version: of the table.
            alone: nobody is at work, so somebody must be asked.

        Raises:
            PolicyError: the policy leaves everyone for later while nobody is at work.
        """
        decision, delivery = self._orders.alike, self._downlink.alike
        if decision is not None and delivery is not None and self._has_rounds:
            clients: list[int] = []
            for some in self._tries(tier, count, at_ns, version, alone, clients):
                clients += some
            chosen = np.array(clients, np.int64)
            turns = self.turns[chosen].astype(np.int64)
            self.turns[chosen] += 1  # they are distinct
            return AskedAlike(chosen, turns, delivery, decision)
        return self._ask_each(tier, count, at_ns, version, alone)

    def _tries(
        self, tier: int, count: int, at_ns: Nanos, version: int, alone: bool, asked: Sized
    ) -> Iterator[list[int]]:
        """Clients to be asked, until there are as many in `asked` as are wanted."""
        tries = 0
        while len(asked) < count and (tries < 2 or (alone and not len(asked))):
            clients = self._choose(tier, count - len(asked), at_ns, version)
            if not clients:
                break
            tries += 1
            yield clients

    def _ask_each(self, tier: int, count: int, at_ns: Nanos, version: int, alone: bool) -> list[Asked]:
        """As `ask`, where what clients are sent or told differs."""
        asked: list[Asked] = []
        refused: list[int] = []
        for clients in self._tries(tier, count, at_ns, version, alone, asked):
            self._decide(clients, at_ns, asked, refused)
        for client in refused:
            self.idle.give(client)
        self.left_for_later += len(refused)
        if refused and alone and not asked:
            raise PolicyError(
                "schedule.policy",
                refused[-1],
                f"it and {len(refused) - 1} others are left for later, and nobody is at work: give turns "
                "more time, or set pacing.leave=false",
            )
        return asked

    def _choose(self, tier: int, count: int, at_ns: Nanos, version: int) -> list[int]:
        rng = self._next_stream()
        idle = self.idle.clients
        places = self._places(idle, tier, at_ns)
        if places is None:
            return self.idle.take(self._select(idle, count, rng, version))
        return self.idle.take(places[self._staying(idle[places], count, rng, version, at_ns)])

    def _next_stream(self) -> Generator:
        """What the next choice draws from: a stream of its own, or one that a block of choices shares."""
        block, place = divmod(self._choices, self._choices_per_stream)
        if place == 0:
            self._stream = stream(self._seed, Purpose.SELECTION, 0, block)
        self._choices += 1
        return self._stream

    def _places(self, idle: Clients, tier: int, at_ns: Nanos) -> Clients | None:
        """Places in `idle` of those who can be asked; None: all of them."""
        if self._always_on and self._tiers == 1:
            return None
        can = np.ones(len(idle), dtype=bool) if self._tiers == 1 else self._tier_of[idle] == tier
        if not self._always_on:
            can &= self._availability.on_mask(idle, at_ns)
        return np.flatnonzero(can)

    def _staying(self, clients: Clients, count: int, rng: Generator, version: int, at_ns: Nanos) -> Clients:
        """Places in `clients`; with `available`, of those who stay on for as long as a turn should take."""
        if not isinstance(self._selection, AvailableSelection):
            return self._select(clients, count, rng, version)
        drawn = select(clients, SPARE * count, rng, self._downlink.preferred())
        stay = [place for place in drawn if self._stays(int(clients[place]), at_ns)]
        return np.array(stay[:count], dtype=np.int64)

    def _stays(self, client: int, at_ns: Nanos) -> bool:
        until = self._availability.on_until(client, at_ns)
        return until is None or until >= at_ns + nanos(float(self._turn_s[client]))

    def _select(self, clients: Clients, count: int, rng: Generator, version: int) -> Clients:
        if isinstance(self._selection, UniformSelection | AvailableSelection):
            return select(clients, count, rng, self._downlink.preferred())
        candidates = Candidates(
            self._fleet.device_class,
            self._shares,
            self._samples,
            self._turn_s,
            self._history,
            version,
            preferred=self._downlink.preferred(),
        )
        return choose(self._selection, clients, count, rng, candidates)

    def _decide(self, clients: list[int], at_ns: Nanos, asked: list[Asked], refused: list[int]) -> None:
        rows = self._flight.requests(clients, self.turns) if self._downlink.needs_rows else {}
        offers = self._downlink.offers(clients, rows)
        self._orders.expect(offers)
        for client, delivery in zip(clients, offers, strict=True):
            wanted = rows.get(client)
            turn = self.turns.item(client)
            decision = self._orders.decide(client, turn, at_ns, delivery, wanted)
            if decision.later:
                refused.append(client)
                continue
            self.turns[client] += 1
            asked.append(Asked(client, turn, wanted, delivery, decision))

    def arrived(self, client: int, loss: float, turn_s: float, version: int) -> None:
        """A turn has arrived, while the server's table was of this version."""
        if self.looks_back:
            self._history.note(client, loss, turn_s, version)

    def wakes_ns(self, tier: int, at_ns: Nanos) -> Nanos | None:
        """When the next idle client of a tier comes on; None: there is none."""
        idle = self.idle.clients
        mine = idle if self._tiers == 1 else idle[self._tier_of[idle] == tier]
        return min((self._availability.next_on(int(client), at_ns) for client in mine), default=None)
