"""The rows of one client: as it received them, and what they gained.

n rows, I items, D width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Floats = NDArray[np.float32]
Ids = NDArray[np.int32]


@compiled
def receive(rows: Floats, table: Floats, item_ids: Ids) -> None:
    """Into (n, D) `rows` those of a table (I, D) that are asked for (n,)."""
    for place in range(len(item_ids)):
        source, target = table[item_ids[place]], rows[place]
        for column in range(len(target)):  # as quick as a copy of memory; slices of arrays are not
            target[column] = source[column]


@compiled
def keep_gains(rows: Floats, table: Floats, item_ids: Ids) -> None:
    """In place of (n, D) new rows what they are more than those that were received."""
    for place in range(len(item_ids)):
        source, target = table[item_ids[place]], rows[place]
        for column in range(len(target)):
            target[column] = target[column] - source[column]
