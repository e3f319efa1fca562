"""The line every recommender must clear: ranking by popularity in the train set.

It is a model of dot products with one column that is the same for everyone, so where an item stands in
the whole catalogue follows from sorting it once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.metrics import Hits
from fedras_ray.evaluation.negatives import has_sampled, sample_negatives
from fedras_ray.evaluation.products import standings_of
from fedras_ray.evaluation.quality import CUTS, of_hits, sampled_product_quality
from fedras_ray.evaluation.sample import asked_users

CLIENTS = 16_384  # at once

Users = NDArray[np.int64]


def popularity_quality(
    dataset: Dataset, negatives: int, seed: int, count: int | None = None
) -> dict[str, float]:
    """What ranking by popularity reaches: means over the users that a run's evaluations ask.

    Args:
        dataset: whose train set says what is popular.
        negatives: candidates of sampled metrics, 0: no such metrics.
        seed: of the candidates, and of whom to ask.
        count: how many users, see `asked_users`.
    """
    users = asked_users(dataset, count, seed)
    table = dataset.train.popularity().astype(np.float64)[:, None]  # (I, 1), exact
    parts = []
    for start in range(0, len(users), CLIENTS):
        some = users[start : start + CLIENTS]
        found = of_hits(_hits(table, some, dataset), some, dataset)
        if has_sampled(dataset, negatives):
            drawn = sample_negatives(dataset, some, negatives, seed)
            found |= sampled_product_quality(np.ones((len(some), 1)), table, some, dataset, drawn)
        parts.append(found)
    names = parts[0] if parts else {}
    return {name: float(np.concatenate([part[name] for part in parts]).mean()) for name in names}


def _hits(table: NDArray[np.float64], users: Users, dataset: Dataset) -> Hits:
    """(C, K) hits at the largest cut."""
    standings = standings_of(np.ones((len(users), 1)), table, users, dataset, max(CUTS))
    below = np.searchsorted(np.sort(table[:, 0]), standings.places)  # (C, K) items
    standings.ranks[:] += (len(table) - below).astype(np.int32)
    return standings.hits()
