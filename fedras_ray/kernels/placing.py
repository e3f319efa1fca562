"""Where each sample stands among a client's distinct rows.

S samples, n distinct items among them, I items; C clients, M samples and N rows of all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Ids = NDArray[np.int32]
Numbers = NDArray[np.int64]
Floats = NDArray[np.float32]


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


@compiled
def repeated_each(counts: Numbers, repeats: Numbers) -> Numbers:
    """The numbers of each client's samples (C,), one client after the other, so many times over (C,)."""
    order = np.empty((counts * repeats).sum(), np.int64)
    first = place = 0
    for client in range(len(counts)):
        for _ in range(repeats[client]):
            for number in range(counts[client]):
                order[place] = first + number
                place += 1
        first += counts[client]
    return order


@compiled
def places_each(
    items: Ids, labels: NDArray[np.bool_], starts: Numbers, ends: Numbers, item_count: int
) -> tuple[Numbers, Ids, Ids, Floats, Floats, Floats]:
    """`places` of each client's `items`, those from starts[c] to ends[c], and counts per row.

    Returns:
        (C + 1,) where a client's rows begin, (N,) its distinct items, (M,) the place of each sample among
        them and (M,) 1 where it has a label, (N,) the samples on each row and (N,) how many have a label.
    """
    total = (ends - starts).sum()
    offsets, ids, place = (
        np.zeros(len(starts) + 1, np.int64),
        np.empty(total, np.int32),
        np.empty(total, np.int32),
    )
    label = np.empty(total, np.float32)
    weight, positive = np.zeros(total, np.float32), np.zeros(total, np.float32)
    done = 0
    for client in range(len(starts)):
        its, first = items[starts[client] : ends[client]], offsets[client]
        distinct, at = places(its, item_count)
        last = first + len(distinct)
        ids[first:last] = distinct
        for number in range(len(its)):
            place[done + number] = at[number]
            label[done + number] = np.float32(labels[starts[client] + number])
            weight[first + at[number]] += np.float32(1)
            positive[first + at[number]] += label[done + number]
        done += len(its)
        offsets[client + 1] = last
    rows = offsets[-1]
    return offsets, ids[:rows].copy(), place, label, weight[:rows].copy(), positive[:rows].copy()
