"""Train and test: pure functions from histories to two sets of interactions.

Every interaction is in exactly one of the two; users and items keep their numbers in both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.data import LeaveLastOut, RatioSplit, SplitConfig
from fedras_ray.data.histories import Histories
from fedras_ray.data.interactions import Interactions
from fedras_ray.errors import DataError
from fedras_ray.streams import Purpose, stream


class Split(NamedTuple):
    """What clients train on, and what they are asked afterwards."""

    train: Interactions
    test: Interactions


def split(histories: Histories, config: SplitConfig, seed: int) -> Split:
    """The split that an experiment asks for.

    Raises:
        DataError: `temporal` where there are no times, or all of them are the same.
    """
    if isinstance(config, LeaveLastOut):
        return leave_last_out(histories)
    if isinstance(config, RatioSplit):
        return ratio(histories, config.test_fraction, seed)
    return temporal(histories, config.test_fraction)


def leave_last_out(histories: Histories) -> Split:
    """The last item of every user is the test; a user with one item keeps it for training."""
    ends = histories.offsets[1:][np.diff(histories.offsets) >= 2]
    is_test = np.zeros(len(histories), dtype=np.bool_)
    is_test[ends - 1] = True
    return _divide(histories, is_test)


def ratio(histories: Histories, test_fraction: float, seed: int) -> Split:
    """A random share of every user's items is the test, at least one stays for training.

    A user with n items has min(n - 1, round(n · test_fraction)) in the test, halves rounded up. Which
    ones depends on the user's set of items, the seed and nothing else, the order of the source included.
    """
    is_test = np.zeros(len(histories), dtype=np.bool_)
    for user in range(histories.user_count):
        start = int(histories.offsets[user])
        items = histories.of(user)
        count = min(len(items) - 1, int(len(items) * test_fraction + 0.5))
        if count > 0:
            drawn = stream(seed, Purpose.SPLIT, client=user).permutation(len(items))[:count]
            is_test[start + np.argsort(items)[drawn]] = True
    return _divide(histories, is_test)


def temporal(histories: Histories, test_fraction: float) -> Split:
    """Everything after one instant is the test: at most the latest `test_fraction` of all interactions.

    Interactions at the very instant are for training. A user who only came later has an empty
    training row, and a user who only came before has no test.

    Raises:
        DataError: there are no times, or nothing lies after the instant.
    """
    cut = last_training_time(histories, test_fraction)
    is_test = np.asarray(histories.times) > cut
    if not is_test.any():
        raise DataError("temporal split", f"no interaction is later than {cut}; the test would be empty")
    return _divide(histories, is_test)


def last_training_time(histories: Histories, test_fraction: float) -> float:
    """The instant of `temporal`, in the unit of the data.

    Raises:
        DataError: there are no times.
    """
    times = histories.times
    if times is None:
        raise DataError(
            "temporal split", "needs timestamps and this data has none; use leave-last-out or ratio"
        )
    kept = int(np.ceil(len(times) * (1 - test_fraction)))
    instant: float = np.partition(times, kept - 1)[kept - 1]
    return instant


def _divide(histories: Histories, is_test: NDArray[np.bool_]) -> Split:
    return Split(histories.interactions(~is_test), histories.interactions(is_test))
