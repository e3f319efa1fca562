"""Private states of the clients of some shards, in one array, with what each was before its latest turn.

P private width, S shards. A machine computes a turn when that is convenient, and its result counts from the
end of the turn by the virtual clock on: who ranks before that, ranks with what it was before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config import Experiment
from fedras_ray.kernels import moving
from fedras_ray.models.base import Model
from fedras_ray.models.start import first_private
from fedras_ray.streams import Purpose, stream

Table = NDArray[np.float32]
Clients = NDArray[np.int64]


class Told(NamedTuple):
    """What is known of one shard, as a copy."""

    states: Table  # (clients of the shard, P)
    began: Clients  # (b,) clients that may rank with what they were before a turn, increasing
    before: Table  # (b, P) what they were before it


class PrivateStates:
    """See the module.

    Args:
        experiment: with its seed, and with how many shards there are.
        model: whose states they are.
        user_count: U, clients of all shards.
        shards: those that are here.
    """

    def __init__(self, experiment: Experiment, model: Model, user_count: int, shards: Sequence[int]) -> None:
        self._shards, self._user_count = experiment.execution.shards, user_count
        counts = [len(self.members(shard)) for shard in shards]
        self._begins = np.full(self._shards, -1)  # (S,) where the clients of a shard begin in what follows
        self._begins[list(shards)] = np.cumsum([0, *counts[:-1]])
        self._now = np.empty((sum(counts), model.private_width), np.float32)  # (clients here, P)
        for shard in shards:
            rng = stream(experiment.seed, Purpose.PRIVATE_STATE, shard)
            self._now[self._at(shard)] = first_private(experiment.model, model, self.members(shard), rng)
        self._before = np.zeros(self._now.shape, np.float32)  # what each was before its latest turn
        self._began = np.zeros(len(self._now), np.bool_)  # and whether anybody may still ask for it

    def members(self, shard: int) -> Clients:
        """The clients of a shard."""
        return np.arange(shard, self._user_count, self._shards)

    def of(self, clients: Clients) -> Table:
        """(n, P) the newest of each."""
        found: Table = self._now.take(self._places(clients), axis=0)
        return found

    def keep(self, clients: Clients, states: Table) -> None:
        """What turns of some clients came to (n, P)."""
        places = self._places(clients)
        self._began[places] = True
        moving.renew(self._now, self._before, places, states)

    def to_rank(self, shard: int, users: Clients, at_work: Clients) -> Table:
        """What some users (n,) of a shard are now by the virtual clock, (n, P).

        `at_work` are clients of it that are, whatever this machine has computed already: they are what they
        were before. What everyone else was before is not asked for any more.
        """
        kept = self._places(at_work)
        kept = kept[self._began[kept]]
        self._began[self._at(shard)] = False
        self._began[kept] = True
        places = self._places(users)
        found, late = self._now[places], self._began[places]  # a copy
        found[late] = self._before[places[late]]
        return found

    def told(self, shard: int, at_work: Collection[int] | None) -> Told:
        """A shard as it is now.

        Args:
            shard: which.
            at_work: see `to_rank`; None: it is not known who is.
        """
        began = self._began_of(shard, at_work)
        before = self._before[self._places(began)] if len(began) else self._before[:0]
        return Told(self._now[self._at(shard)].copy(), began, before)

    def _began_of(self, shard: int, at_work: Collection[int] | None) -> Clients:
        """Who may rank with what it was before, increasing; nobody is looked for in nobody."""
        if at_work is not None and not at_work:
            return np.empty(0, np.int64)
        began: Clients = np.flatnonzero(self._began[self._at(shard)]) * self._shards + shard
        if at_work is None:
            return began
        return np.array([client for client in began.tolist() if client in at_work], np.int64)

    def put_back(self, shard: int, told: Told) -> None:
        """Go on from what was told, be it elsewhere."""
        self._now[self._at(shard)], self._began[self._at(shard)] = told.states, False
        places = self._places(told.began)
        self._before[places], self._began[places] = told.before, True

    def _at(self, shard: int) -> slice:
        begin = self._begins[shard]
        return slice(begin, begin + len(self.members(shard)))

    def _places(self, clients: Clients) -> Clients:
        return self._begins[clients % self._shards] + clients // self._shards
