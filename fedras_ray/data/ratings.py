"""What a source says, before it is split: who met what, how they liked it, and when.

U users, I items, M ratings in the order of the source.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedras_ray.errors import DataError

Names = NDArray[np.int64] | NDArray[np.str_]
Times = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RawRatings:
    """Ratings with dense numbers for users and items, and the outside names behind the numbers.

    Numbers follow the sorted outside names (numerically where all of them are integers), so they do
    not depend on the order of the source. The name of rating m's user is ``user_names[users[m]]``.
    """

    users: NDArray[np.int64]  # (M,) 0 … U-1
    items: NDArray[np.int64]  # (M,) 0 … I-1
    user_names: Names  # (U,) strictly increasing
    item_names: Names  # (I,) strictly increasing
    ratings: NDArray[np.float64] | None = None  # (M,)
    timestamps: Times | None = None  # (M,) any unit, later is larger
    labels: NDArray[np.bool_] | None = None  # (M,) whether what was shown was taken

    def __post_init__(self) -> None:
        for column in (self.items, self.ratings, self.timestamps, self.labels):
            if column is not None and len(column) != len(self.users):
                raise DataError("ratings", "columns of different lengths")
        for field in fields(self):
            array = getattr(self, field.name)
            if array is not None:
                array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.users)


def number(names: NDArray[Any]) -> tuple[NDArray[np.int64], Names]:
    """Dense numbers in sorted order of the names, and the sorted names: ``names == table[numbers]``."""
    table, numbers = np.unique(names, return_inverse=True)
    return numbers.astype(np.int64), table


def content_digest(raw: RawRatings) -> str:
    """SHA-256 over the sorted (user, item, rating, timestamp), by outside names.

    It holds for the same ratings from any source, whatever the file's format or order: one line
    ``user<TAB>item<TAB>rating<TAB>timestamp`` each, numbers in their shortest form, sorted as text.
    """
    absent = np.zeros(len(raw))
    ratings = absent if raw.ratings is None else raw.ratings
    timestamps = absent if raw.timestamps is None else raw.timestamps
    columns = (raw.user_names[raw.users], raw.item_names[raw.items], ratings, timestamps)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    lines = sorted("\t".join(_shortest(value) for value in row) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _shortest(value: str | float) -> str:
    """3, 3.0 and "3" are the same number in three formats."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
