"""Where each sample stands among a client's distinct rows.

S samples, n distinct items among them, I items.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Ids = NDArray[np.int32]


@compiled
def places(items: Ids, item_count: int) -> tuple[Ids, Ids]:
    """The distinct items (n,), increasing, and for each of `items` (S,) its place among them.

    By marking an array of I: sorting S samples takes longer unless I is much larger.
    """
    rank = np.zeros(item_count, np.int32)
    for item in items:
        rank[item] = 1
    distinct = np.empty(len(items) + 1, np.int32)  # without a branch: what is not counted is overwritten
    count = 0
    for item in range(item_count):
        distinct[count] = item
        count += rank[item]
        rank[item] = count - 1
    place = np.empty(len(items), np.int32)
    for number in range(len(items)):
        place[number] = rank[items[number]]
    return distinct[:count].copy(), place
