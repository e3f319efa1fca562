"""Clients at work: who is idle, who is out, and the work that is waiting to be handed over.

The server dispatches clients one event at a time, but computing them one at a time would waste the
machine. So dispatches wait in a pool per shard until the first of them is due on the virtual clock,
or until the model moves on; then all are handed over, each shard's as one batch. Which turns share a batch
follows from the virtual schedule alone.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fedras_ray.executor import Executor, Pending, results
from fedras_ray.kernels import removing
from fedras_ray.site import Rounded
from fedras_ray.snapshots.kinds import kept
from fedras_ray.work import Assignment, Assignments, Receipt, Receipts, Round


@kept("_clients", "_count")
class IdleClients:
    """The clients that could be asked, with removal and return in constant time."""

    def __init__(self, clients: NDArray[np.int64]) -> None:
        self._clients = clients.copy()
        self._count = len(clients)
        self._numbers = int(clients.max(initial=-1)) + 1  # all clients' numbers are below

    def __len__(self) -> int:
        return self._count

    @property
    def clients(self) -> NDArray[np.int64]:
        """(idle,) in an order that follows from the history alone."""
        return self._clients[: self._count]

    def settle(self) -> None:
        """Put them in the order of their numbers: who is chosen then depends on who is idle alone.

        Where nobody is at work, methods that differ in their transfers alone then ask the same clients.
        """
        is_idle = np.zeros(self._numbers, dtype=bool)  # 20 times as fast as to sort them
        is_idle[self.clients] = True
        self._clients[: self._count] = np.flatnonzero(is_idle)

    def take(self, places: NDArray[np.int64]) -> list[int]:
        """Remove the clients at distinct `places` of `clients`; returns them in the order of `places`."""
        taken: list[int] = removing.remove(self._clients, self._count, places).tolist()
        self._count -= len(taken)
        return taken

    def give(self, client: int) -> None:
        """A client is back."""
        self._clients[self._count] = client
        self._count += 1

    def give_each(self, clients: NDArray[np.int64]) -> None:
        """Clients are back, one after the other."""
        self._clients[self._count : self._count + len(clients)] = clients
        self._count += len(clients)


@kept("_waiting", "_batches", "_rounds", "_landed", "_training")
class Flight:
    """The turns between dispatch and training's end, and their computation.

    What is fetched of them are receipts; batches in the order in which they were handed over.
    """

    def __init__(self, executor: Executor, shards: int) -> None:
        self._executor = executor
        self._shards = shards
        self._waiting: dict[int, list[Assignment]] = {}  # shard -> turns not handed over yet
        self._batches: deque[Pending[Receipts]] = deque()
        self._rounds: list[Pending[Rounded]] = []
        self._landed: dict[int, Receipt] = {}  # client -> fetched, but not at the end of its training
        self._training: set[int] = set()

    def requests(self, clients: Sequence[int], turns: NDArray[np.int32]) -> dict[int, NDArray[np.int32]]:
        """The rows that the next turns of some clients will touch, which they ask the server for."""
        shards: dict[int, list[tuple[int, int]]] = {}
        for client in clients:
            shards.setdefault(client % self._shards, []).append((client, turns.item(client)))
        found: dict[int, NDArray[np.int32]] = {}
        for part in self._executor.requests(dict(sorted(shards.items()))):
            found |= part.result()
        return found

    def begin(self, assignment: Assignment) -> None:
        """A client was dispatched."""
        self._waiting.setdefault(assignment.client % self._shards, []).append(assignment)
        self._training.add(assignment.client)

    def begin_round(self, turns: Round) -> None:
        """Clients were dispatched who wait for each other, so their work is handed over at once."""
        self._rounds += self._executor.round(turns.by_shard(self._shards))

    def finish_round(self, clients: NDArray[np.int64]) -> Rounded:
        """What came of the turns of everyone who is at work, in the order of `clients`; wait for it."""
        found = results(self._rounds)
        self._rounds = []
        receipts = Receipts.joined([one.receipts for one in found]).of_clients(clients)
        return Rounded(receipts, [each for one in found for each in one.sums])

    def hand_over(self) -> None:
        """Give everything that waits to the executor, one batch per shard, in the order of shards."""
        if self._waiting:
            waiting = sorted(self._waiting.items())
            self._batches += self._executor.train({shard: Assignments.of(some) for shard, some in waiting})
            self._waiting = {}

    def finish(self, client: int) -> Receipt:
        """The client's training ends now, by the virtual clock; wait for what came of it."""
        if client not in self._landed:
            if not self._batches or self._is_waiting(client):
                self.hand_over()
            self._fetch(client)
        self._training.remove(client)
        return self._landed.pop(client)

    def _is_waiting(self, client: int) -> bool:
        return any(one.client == client for one in self._waiting.get(client % self._shards, ()))

    def _fetch(self, client: int) -> None:
        while client not in self._landed:
            for receipt in self._batches.popleft().result():
                self._landed[receipt.client] = receipt

    @property
    def is_out(self) -> bool:
        """Whether work was handed over that was not fetched yet."""
        return bool(self._batches or self._rounds)

    def at_work(self) -> frozenset[int]:
        """The clients that an evaluation would take as they were before their turn."""
        return frozenset(self._training)

    def training(self, shard: int) -> Sequence[int]:
        """The clients of a shard that are at work, increasing."""
        return sorted(client for client in self._training if client % self._shards == shard)


@kept("_held", "_retired")
class Views:
    """Which states of the table the executor holds; one that a download still needs stays."""

    def __init__(self, executor: Executor, flight: Flight) -> None:
        self._executor = executor
        self._flight = flight
        self._held: Counter[int] = Counter()
        self._retired: set[int] = set()  # but held

    def publish(self, views: dict[int, NDArray[np.float32]]) -> None:
        """Make states known."""
        for view, table in views.items():
            self._executor.publish(view, table)

    def retire(self, views: Sequence[int]) -> None:
        """Let states go that nobody will be sent any more."""
        for view in views:
            if self._held[view]:
                self._retired.add(view)
            else:
                self._executor.retire(view)

    def hold(self, view: int) -> None:
        """Somebody is being sent this state, and will train on it later."""
        self._held[view] += 1

    def release(self, view: int) -> None:
        """Its training waits to be handed over, or never will be; unless it was held, nothing follows."""
        if not self._held[view]:
            return
        self._held[view] -= 1
        if not self._held[view] and view in self._retired:
            self._flight.hand_over()
            self._retired.remove(view)
            self._executor.retire(view)
