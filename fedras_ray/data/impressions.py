"""What clients were shown and whether they took it: ratings with labels, split.

What was taken is split as interactions are, and the held-out part of it is not trained on. What was not
taken is for training, the held-out item included (to leave it out would tell the client which item it is),
but for a temporal split: there everything later than the instant stays out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.data import SplitConfig, TemporalSplit
from fedras_ray.data.histories import histories
from fedras_ray.data.interactions import Dataset, Interactions
from fedras_ray.data.ratings import RawRatings
from fedras_ray.data.samples import LabelledSamples
from fedras_ray.data.split import last_training_time, split
from fedras_ray.errors import DataError


def divided(
    name: str, raw: RawRatings, labels: NDArray[np.bool_], config: SplitConfig, seed: int, source: str
) -> Dataset:
    """A data set whose clients bring their own samples.

    Args:
        name: of the data set.
        raw: everything that was shown.
        labels: (M,) whether it was taken.
        config: how what was taken is split.
        seed: of a random split.
        source: where it came from.

    Raises:
        DataError: nothing was taken, or a split that cannot be done.
    """
    if not labels.any():
        raise DataError(source, "no label is 1: nothing that was shown was taken")
    taken = histories(_only(raw, labels))
    train, test = split(taken, config, seed)
    keep = ~(labels & _within(test, raw))
    if isinstance(config, TemporalSplit) and raw.timestamps is not None:
        keep &= raw.timestamps <= last_training_time(taken, config.test_fraction)
    return Dataset(name, train, test, source, given=_rows(raw, labels, keep))


def _only(raw: RawRatings, chosen: NDArray[np.bool_]) -> RawRatings:
    """Some rows, under the names of all."""
    times = None if raw.timestamps is None else raw.timestamps[chosen]
    return replace(
        raw, users=raw.users[chosen], items=raw.items[chosen], ratings=None, timestamps=times, labels=None
    )


def _within(interactions: Interactions, raw: RawRatings) -> NDArray[np.bool_]:
    """(M,) whether the user and the item of a row are a pair of `interactions`."""
    users = np.repeat(np.arange(interactions.user_count), interactions.counts())
    pairs = users * interactions.item_count + interactions.items  # increasing
    if not len(pairs):
        return np.zeros(len(raw), np.bool_)
    asked = raw.users * interactions.item_count
    asked += raw.items
    places = np.searchsorted(pairs, asked)  # `isin` sorts what is asked, with several copies
    np.minimum(places, len(pairs) - 1, out=places)
    return np.asarray(pairs[places] == asked)


def _rows(raw: RawRatings, labels: NDArray[np.bool_], keep: NDArray[np.bool_]) -> LabelledSamples:
    """By user, and within a user by time; equal times, and sources without, in the order of the source."""
    columns = (raw.users,) if raw.timestamps is None else (raw.timestamps, raw.users)
    order = np.lexsort(columns)
    order = order[keep[order]]
    offsets = np.zeros(len(raw.user_names) + 1, dtype=np.int64)
    np.cumsum(np.bincount(raw.users[order], minlength=len(raw.user_names)), out=offsets[1:])
    return LabelledSamples(offsets, raw.items[order].astype(np.int32), labels[order])
