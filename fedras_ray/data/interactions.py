"""Who touched what: interactions as compressed rows over int32.

U users, I items, M interactions. One client is one user; client numbers and item numbers are dense
(``0 … U-1``, ``0 … I-1``), the outside names are kept beside them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.data.rows import seal
from fedras_ray.data.samples import LabelledSamples
from fedras_ray.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """A sparse binary U × I matrix in CSR form, each row strictly increasing."""

    offsets: NDArray[np.int64]  # (U + 1,)
    items: NDArray[np.int32]  # (M,)
    item_count: int  # I

    def __post_init__(self) -> None:
        seal("interactions", self.offsets, self.items)

    @property
    def user_count(self) -> int:
        return len(self.offsets) - 1

    def __len__(self) -> int:
        return len(self.items)

    def of(self, user: int) -> NDArray[np.int32]:
        """The items of one user, increasing, as a read-only view."""
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    def counts(self) -> NDArray[np.int64]:
        """(U,) interactions per user."""
        return np.diff(self.offsets)

    def popularity(self) -> NDArray[np.int64]:
        """(I,) users per item."""
        return np.bincount(self.items, minlength=self.item_count)

    def digest(self) -> str:
        """SHA-256 over the arrays: the same interactions, the same digest."""
        state = hashlib.sha256(f"csr {self.user_count} {self.item_count}".encode())
        state.update(self.offsets.astype("<i8").tobytes())
        state.update(self.items.astype("<i4").tobytes())
        return state.hexdigest()


def from_pairs(
    users: NDArray[np.int64], items: NDArray[np.int64], user_count: int, item_count: int
) -> Interactions:
    """Rows from (user, item) pairs in any order; a pair that repeats counts once.

    Raises:
        DataError: a user or an item lies outside its range.
    """
    if len(users) and not (users.min() >= 0 and users.max() < user_count):
        raise DataError("interactions", f"a user lies outside 0 … {user_count - 1}")
    if len(items) and not (items.min() >= 0 and items.max() < item_count):
        raise DataError("interactions", f"an item lies outside 0 … {item_count - 1}")
    keys = np.unique(users.astype(np.int64) * item_count + items)
    rows = keys // item_count
    offsets = np.zeros(user_count + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=user_count), out=offsets[1:])
    return Interactions(offsets, (keys % item_count).astype(np.int32), int(item_count))


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A data set that is split and ready: what clients train on and what they are asked afterwards."""

    name: str
    train: Interactions
    test: Interactions
    source: str  # where it came from, for the tracking server
    negatives: NDArray[np.int32] | None = None  # (U, N) sampled candidates; -1 where a user has no test
    given: LabelledSamples | None = None  # what clients may train on instead of drawing negatives

    def __post_init__(self) -> None:
        if (self.train.user_count, self.train.item_count) != (self.test.user_count, self.test.item_count):
            raise DataError(self.name, "train and test disagree about the number of users or items")
        if self.given is not None and self.given.user_count != self.user_count:
            raise DataError(self.name, "train and the given samples disagree about the number of users")

    @property
    def user_count(self) -> int:
        return self.train.user_count

    @property
    def item_count(self) -> int:
        return self.train.item_count

    def digest(self) -> str:
        """SHA-256 over train and test, and the given negatives and samples, where there are any."""
        state = hashlib.sha256((self.train.digest() + self.test.digest()).encode())
        if self.negatives is not None:
            state.update(self.negatives.astype("<i4").tobytes())
        if self.given is not None:
            state.update(self.given.digest().encode())
        return state.hexdigest()
