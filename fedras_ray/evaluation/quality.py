"""The quality of some clients: every metric, one number per user.

Full-catalogue metrics (recall, NDCG) are the default. ``sampled_…`` metrics rank one held-out item
among sampled negatives; they exist because the literature reports them, and say so in their name.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.metrics import PerUser, hit_ratio, ndcg, recall
from fedras_ray.evaluation.ranking import full_hits, sampled_hits
from fedras_ray.kernels import counting
from fedras_ray.streams import Purpose, stream

CUTS = (10, 20)
SAMPLED_CUT = 10
POPULARITY_SCORES = 100_000_000
POPULARITY_CHUNK = 4_000_000
METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20", "sampled_hr@10", "sampled_ndcg@10")

Users = NDArray[np.int64]


def full_quality(scores: Tensor, users: Users, dataset: Dataset) -> dict[str, PerUser]:
    """Recall and NDCG at 10 and 20 over the whole catalogue, (C,) each, for users that have a test."""
    test = [dataset.test.of(int(user)) for user in users]
    train = [dataset.train.of(int(user)) for user in users]
    hits = full_hits(scores, train, test, max(CUTS))
    relevant = np.array([len(items) for items in test], dtype=np.int64)
    at = {f"recall@{k}": recall(hits, relevant, k) for k in CUTS}
    return at | {f"ndcg@{k}": ndcg(hits, relevant, k) for k in CUTS}


def sampled_quality(
    scores: Tensor, users: Users, dataset: Dataset, negatives: NDArray[np.int64]
) -> dict[str, PerUser]:
    """Hit ratio and NDCG at 10 among sampled negatives, (C,) each; each user has one test item."""
    held_out = np.array([dataset.test.of(int(user))[0] for user in users], dtype=np.int64)
    hits = sampled_hits(scores.numpy(), held_out, negatives, SAMPLED_CUT)
    one = np.ones(len(users), dtype=np.int64)
    return {"sampled_hr@10": hit_ratio(hits, SAMPLED_CUT), "sampled_ndcg@10": ndcg(hits, one, SAMPLED_CUT)}


def sample_negatives(
    dataset: Dataset, users: Sequence[int] | Users, count: int, seed: int
) -> NDArray[np.int64]:
    """(C, count) distinct items that the user touched neither in train nor in test; -1 beyond what there is.

    A data set that brings its own negatives keeps them.
    """
    if dataset.negatives is not None:
        return np.asarray(dataset.negatives[np.asarray(users)], dtype=np.int64)
    drawn = np.full((len(users), count), -1, dtype=np.int64)
    for row, user in enumerate(users):
        touched = np.union1d(dataset.train.of(int(user)), dataset.test.of(int(user)))
        free = dataset.item_count - len(touched)
        rng = stream(seed, Purpose.EVALUATION_NEGATIVES, int(user))
        rank = rng.choice(free, size=min(count, free), replace=False)
        drawn[row, : len(rank)] = counting.outside(touched, rank)
    return drawn


def popularity_quality(dataset: Dataset, negatives: int, seed: int) -> dict[str, float]:
    """What ranking by popularity in the train set reaches: the line every recommender must clear.

    Means over the users with a test item; over every n-th of them where ranking all would take more
    than `POPULARITY_SCORES` scores.
    """
    tests = dataset.test.counts()
    users = np.flatnonzero(tests > 0)
    users = users[:: max(1, len(users) * dataset.item_count // POPULARITY_SCORES)]
    popularity = torch.from_numpy(dataset.train.popularity().astype(np.float32))
    chunk = max(1, POPULARITY_CHUNK // dataset.item_count)
    sampled = bool((tests <= 1).all()) and (negatives > 0 or dataset.negatives is not None)
    parts = []
    for start in range(0, len(users), chunk):
        some = users[start : start + chunk]
        scores = popularity.expand(len(some), -1)
        found = full_quality(scores, some, dataset)
        if sampled:
            found |= sampled_quality(scores, some, dataset, sample_negatives(dataset, some, negatives, seed))
        parts.append(found)
    return {
        name: float(np.concatenate([part[name] for part in parts]).mean())
        for name in (parts[0] if parts else {})
    }
