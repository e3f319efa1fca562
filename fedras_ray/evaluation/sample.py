"""A sample of users stands for all of them, and says how far its means may be off.

N users have a test item, n of them are asked. The sample is simple: without replacement, and every n of
the N are as likely (Cochran, "Sampling Techniques", 3rd ed. 1977, chapter 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.data.interactions import Dataset
from fedras_ray.streams import Purpose, stream

Users = NDArray[np.int64]


def asked_users(dataset: Dataset, count: int | None, seed: int) -> Users:
    """(n,) users whose lists are measured, increasing; None: everyone with a test item.

    They follow from the data set, the count and the seed alone, so whatever is compared under one seed
    is compared on the same users.
    """
    tested = np.flatnonzero(dataset.test.counts() > 0)
    if count is None or count >= len(tested):
        return tested
    rng = stream(seed, Purpose.EVALUATION_USERS)
    return np.sort(rng.choice(tested, size=count, replace=False, shuffle=False))


def standard_error(values: NDArray[np.float64], population: int) -> float:
    """Of the mean of n values, for the mean of the N that they were drawn from: √((1 − n/N) s²/n).

    That is Cochran's equation 2.20, with n − 1 in s²; 1 − n/N is the correction for a finite population.
    0 where all were asked; NaN for a single one of many, which says nothing about its spread.
    """
    count = len(values)
    if count >= population:
        return 0.0
    if count < 2:
        return float("nan")
    return float(np.sqrt((1 - count / population) * values.var(ddof=1) / count))
