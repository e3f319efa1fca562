"""The users of two methods side by side, from the files that their runs left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fedras_ray.errors import RunError
from fedras_ray.evaluation.comparison import Difference, Paired, compare
from workloads.user_quality import UserQuality, read

Directories = Mapping[int, Path]  # by seed


def difference(method: Directories, reference: Directories, metric: str, margin: float) -> Difference:
    """How a method's quality differs from the reference's, over users and seeds.

    Raises:
        RunError: a run has no such file or metric, or they were measured on different users.
    """
    seeds = list(reference)
    ours = [read(method[seed], metric) for seed in seeds]
    theirs = [read(reference[seed], metric) for seed in seeds]
    for seed, one, other in zip(seeds, ours, theirs, strict=True):
        if not np.array_equal(one.users, other.users):
            raise RunError(f"{method[seed]} and {reference[seed]} were measured on different users")
    users = np.unique(np.concatenate([one.users for one in theirs]))  # (U,)
    return compare(_aligned(ours, users), _aligned(theirs, users), margin=margin)


def _aligned(parts: Sequence[UserQuality], users: np.ndarray) -> Paired:
    """(S, U) with NaN where a user has no test item under a seed."""
    table = np.full((len(parts), len(users)), np.nan)
    for row, part in zip(table, parts, strict=True):
        row[np.searchsorted(users, part.users)] = part.values
    return table
