"""Samples that data bring along: what each client was shown, and whether it took it.

U users, I items, M samples. The same item may be in a row several times, with either label.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.data.rows import seal


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSamples:
    """A row for each user, in the order in which the samples were given."""

    offsets: NDArray[np.int64]  # (U + 1,)
    items: NDArray[np.int32]  # (M,)
    labels: NDArray[np.bool_]  # (M,) whether it was taken

    def __post_init__(self) -> None:
        seal("samples", self.offsets, self.items, labels=self.labels)

    @property
    def user_count(self) -> int:
        return len(self.offsets) - 1

    def __len__(self) -> int:
        return len(self.items)

    def of(self, user: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The items and labels of one user, first to last, as read-only views."""
        row = slice(self.offsets[user], self.offsets[user + 1])
        return self.items[row], self.labels[row]

    def counts(self) -> NDArray[np.int64]:
        """(U,) samples per user."""
        return np.diff(self.offsets)

    def digest(self) -> str:
        """SHA-256 over the arrays: the same samples in the same order, the same digest."""
        state = hashlib.sha256(f"samples {self.user_count}".encode())
        for array, kind in ((self.offsets, "<i8"), (self.items, "<i4"), (self.labels, "u1")):
            state.update(array.astype(kind).tobytes())
        return state.hexdigest()
