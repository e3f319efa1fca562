"""The candidates of sampled metrics: items that a user touched neither in train nor in test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fedras_ray.data.interactions import Dataset
from fedras_ray.kernels import counting
from fedras_ray.streams import Purpose, stream

Users = NDArray[np.int64]
Candidates = NDArray[np.int32]


def has_sampled(dataset: Dataset, count: int) -> bool:
    """Whether there are sampled metrics: candidates are wanted or given, and no user has two test items."""
    return (count > 0 or dataset.negatives is not None) and bool((dataset.test.counts() <= 1).all())


def sample_negatives(dataset: Dataset, users: Sequence[int] | Users, count: int, seed: int) -> Candidates:
    """(C, count) distinct items that the user touched neither in train nor in test; -1 beyond what there is.

    A data set that brings its own negatives keeps them. Each user has a stream of its own, which costs
    40 µs: a million users are a minute and, at 99 items each, 400 MB.
    """
    if dataset.negatives is not None:
        return np.asarray(dataset.negatives[np.asarray(users)], dtype=np.int32)
    drawn = np.full((len(users), count), -1, dtype=np.int32)
    for row, user in enumerate(users):
        touched = np.union1d(dataset.train.of(int(user)), dataset.test.of(int(user)))
        free = dataset.item_count - len(touched)
        rng = stream(seed, Purpose.EVALUATION_NEGATIVES, int(user))
        rank = rng.choice(free, size=min(count, free), replace=False)
        drawn[row, : len(rank)] = counting.outside(touched, rank)
    return drawn
