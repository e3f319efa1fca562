"""Compressed rows: row u of a column stands from offsets[u] to offsets[u + 1]."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedras_ray.errors import DataError


def seal(
    what: str, offsets: NDArray[np.int64], items: NDArray[np.int32], **beside: NDArray[Any] | None
) -> None:
    """Check that rows span their items and the columns beside them, and let nobody write to any of them.

    Raises:
        DataError: the rows do not, or a column has another length than the items.
    """
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(items):
        raise DataError(what, "row offsets do not span the items")
    for name, column in beside.items():
        if column is not None and len(column) != len(items):
            raise DataError(what, f"{name} and items of different lengths")
    for array in (offsets, items, *beside.values()):
        if array is not None:
            array.flags.writeable = False
