"""The quality of one shard's users, each with its own private state and the view that it holds.

E users of a shard are asked, P private width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.metrics import PerUser
from fedras_ray.evaluation.negatives import has_sampled, sample_negatives
from fedras_ray.evaluation.quality import (
    Candidates,
    Found,
    full_product_quality,
    full_quality,
    sampled_product_quality,
    sampled_quality,
)
from fedras_ray.evaluation.sample import asked_users
from fedras_ray.models.base import Model, ProductModel
from fedras_ray.snapshots.kinds import kept
from fedras_ray.tensors import torch

MATRIX_SCORES = 8_000_000  # held at once where a model needs a matrix of them: 64 MB in float64

Table = NDArray[np.float32]
Users = NDArray[np.int64]


@kept()
@dataclass(frozen=True, slots=True, eq=False)
class ShardQuality:
    """Per-user metrics of one shard; a metric's array has one entry per evaluated user."""

    shard: int
    users: Users  # (E,) those that were asked
    metrics: Mapping[str, PerUser]  # (E,) each
    tested: int  # users of the shard with a test item, of which those asked are a sample


class Ranker:
    """Ranks for the users of shards, on a device or not; what it needs of the data set is looked up once."""

    def __init__(
        self, experiment: Experiment, dataset: Dataset, model: Model, device: torch.device | None = None
    ) -> None:
        self._device = device
        self._seed = experiment.seed
        self._shards = experiment.execution.shards
        self._dataset = dataset
        self._model = model
        self._asked = asked_users(dataset, experiment.evaluation.users, experiment.seed)
        self._tested = np.flatnonzero(dataset.test.counts() > 0)
        self._sampled = experiment.evaluation.sampled_negatives
        self._has_sampled = has_sampled(dataset, self._sampled)
        self._negatives: dict[int, Candidates] = {}  # shard -> (E, N)

    def users(self, shard: int) -> Users:
        """(E,) whom to ask, increasing."""
        mine: Users = self._asked[self._asked % self._shards == shard]
        return mine

    def quality(
        self, shard: int, private: Table, views: NDArray[np.int64], tables: Mapping[int, Table]
    ) -> ShardQuality:
        """Every metric of `users` (E,), in their order.

        Args:
            shard: which.
            private: (E, P) states.
            views: (E,) the view that each ranks with.
            tables: (I, D) by view.
        """
        users = self.users(shard)
        metrics: Found = {}
        for view in np.unique(views):
            mine = np.flatnonzero(views == view)
            for name, values in self._ranked(shard, users, mine, private[mine], tables[int(view)]).items():
                metrics.setdefault(name, np.empty(len(users)))[mine] = values
        return ShardQuality(shard, users, metrics, int((self._tested % self._shards == shard).sum()))

    def _ranked(self, shard: int, users: Users, mine: Users, private: Table, table: Table) -> Found:
        """The users at places `mine` with one table."""
        if isinstance(self._model, ProductModel):
            queries, some = self._model.queries(private), users[mine]
            found = full_product_quality(queries, table, some, self._dataset, self._device)
            if self._has_sampled:
                drawn = self._drawn(shard, users)[mine]
                found |= sampled_product_quality(queries, table, some, self._dataset, drawn)
            return found
        at_once = max(1, MATRIX_SCORES // len(table))
        parts = [
            self._from_scores(
                shard, users, mine[start : start + at_once], private[start : start + at_once], table
            )
            for start in range(0, len(mine), at_once)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _from_scores(self, shard: int, users: Users, mine: Users, private: Table, table: Table) -> Found:
        ours = torch.from_numpy(private), torch.from_numpy(table.copy())
        scores = self._model.scores(*(one.to(self._device) for one in ours))
        found = full_quality(scores, users[mine], self._dataset)
        if self._has_sampled:
            drawn = self._drawn(shard, users)[mine]
            found |= sampled_quality(scores, users[mine], self._dataset, drawn)
        return found

    def _drawn(self, shard: int, users: Users) -> Candidates:
        """(E, N) candidates of the sampled metrics, kept: drawing them takes longer than ranking."""
        if shard not in self._negatives:
            self._negatives[shard] = sample_negatives(self._dataset, users, self._sampled, self._seed)
        return self._negatives[shard]
