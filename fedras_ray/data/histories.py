"""Who touched what, in which order: what every split starts from.

U users, I items, M interactions. The distinct items of a user, from the first to the last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.data.interactions import Interactions
from fedras_ray.data.ratings import RawRatings, Times
from fedras_ray.data.rows import seal

_SLICE = 2**22  # interactions sorted at a time: bounds the memory beside the result


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Rows of items in the order in which they happened; an item is in a row at most once."""

    offsets: NDArray[np.int64]  # (U + 1,)
    items: NDArray[np.int32]  # (M,)
    item_count: int  # I
    times: Times | None = None  # (M,) not decreasing within a row

    def __post_init__(self) -> None:
        seal("histories", self.offsets, self.items, times=self.times)

    @property
    def user_count(self) -> int:
        return len(self.offsets) - 1

    def __len__(self) -> int:
        return len(self.items)

    def of(self, user: int) -> NDArray[np.int32]:
        """The items of one user, first to last, as a read-only view."""
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    def interactions(self, chosen: NDArray[np.bool_] | None = None) -> Interactions:
        """The rows without their order; with `chosen` (M,) only where it is true. Users keep their row."""
        counts = np.diff(self.offsets)
        items = self.items
        if chosen is not None:
            before = np.concatenate(([0], np.cumsum(chosen, dtype=np.int64)))  # (M + 1,)
            counts = np.diff(before[self.offsets])
            items = self.items[chosen]
        offsets = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        return Interactions(offsets, _sorted_rows(offsets, items, self.item_count), self.item_count)


def _sorted_rows(offsets: NDArray[np.int64], items: NDArray[np.int32], item_count: int) -> NDArray[np.int32]:
    """(M,) each row increasing; whole rows in slices of about `_SLICE` interactions."""
    result = np.empty_like(items)
    user, user_count = 0, len(offsets) - 1
    while user < user_count:
        end = max(user + 1, int(np.searchsorted(offsets, offsets[user] + _SLICE, side="right")) - 1)
        rows = np.repeat(np.arange(end - user), np.diff(offsets[user : end + 1]))
        span = slice(int(offsets[user]), int(offsets[end]))
        keys = np.sort(rows * item_count + items[span])  # distinct, so any sort gives the same
        result[span] = keys % item_count
        user = end
    return result


def histories(raw: RawRatings) -> Histories:
    """Each user's distinct items by time; equal times, and sources without times, by order in the source.

    An item that a user met several times counts once, at its latest meeting.
    """
    columns = (raw.users,) if raw.timestamps is None else (raw.timestamps, raw.users)
    order = np.lexsort(columns)  # stable: the order of the source decides last
    keys = raw.users[order] * len(raw.item_names) + raw.items[order]
    _, from_end = np.unique(keys[::-1], return_index=True)
    order = order[np.sort(len(keys) - 1 - from_end)]
    offsets = np.zeros(len(raw.user_names) + 1, dtype=np.int64)
    np.cumsum(np.bincount(raw.users[order], minlength=len(raw.user_names)), out=offsets[1:])
    times = None if raw.timestamps is None else raw.timestamps[order]
    return Histories(offsets, raw.items[order].astype(np.int32), len(raw.item_names), times)
