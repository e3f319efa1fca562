"""Samples counted per item, and rows added to a table.

I items, n distinct items of a client, D width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled, exact

Ids = NDArray[np.int32]
Rows = NDArray[np.float32]
Numbers = NDArray[np.int64]


@exact
def before(items: Ids, rank: int) -> int:
    """How many of `items` (strictly increasing) come before the rank-th (from 0) of those that are not in it.

    #{k: items[k] - k ≤ rank}: exact, without rejection or a list of the others.
    """
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        if items[middle] - middle <= rank:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def outside(items: Ids, rank: NDArray[np.int64]) -> Ids:
    """The rank-th items (from 0) that are not in `items` (strictly increasing)."""
    found = np.empty(len(rank), np.int32)
    for number in range(len(rank)):
        found[number] = rank[number] + before(items, rank[number])
    return found


@compiled
def drawn(positives: Ids, rank: NDArray[np.int64], item_count: int) -> tuple[Ids, Rows, Rows]:
    """A client's samples, counted: its positives, and the rank-th items (from 0) outside of them.

    Returns:
        Distinct items (n,), increasing; samples on each (n,); positives among them (n,).
    """
    samples = np.zeros(item_count, np.int32)  # of the positives: -1
    for item in positives:
        samples[item] = -1
    free = np.empty(item_count - len(positives), np.int32)
    place = 0
    for item in range(item_count):
        if samples[item] == 0:
            free[place] = item
            place += 1
    distinct = len(positives)
    for number in rank:
        item = free[number]
        distinct += samples[item] == 0
        samples[item] += 1
    items = np.empty(distinct, np.int32)
    weight = np.empty(distinct, np.float32)
    positive = np.zeros(distinct, np.float32)
    place = 0
    for item in range(item_count):
        if samples[item] != 0:
            items[place] = item
            positive[place] = samples[item] < 0
            weight[place] = abs(samples[item])
            place += 1
    return items, weight, positive


@compiled
def add_rows(total: Rows, count: Ids, items: Ids, rows: Rows, weight: np.float32) -> None:
    """``total[items] += weight · rows`` and ``count[items] += 1``, for distinct items, in place.

    A row of zeros is absent.
    """
    for place in range(len(items)):
        item = items[place]
        count[item] += rows[place].any()
        for column in range(rows.shape[1]):
            total[item, column] += weight * rows[place, column]


@compiled
def drained(total: Rows, count: Ids) -> tuple[Ids, Rows, Ids]:
    """The items that count, (t,) increasing, their rows and counts; both tables are zeros afterwards."""
    touched = 0
    for item in range(len(count)):
        touched += count[item] != 0
    items = np.empty(touched, np.int32)
    rows = np.empty((touched, total.shape[1]), np.float32)
    counts = np.empty(touched, np.int32)
    drain_into(total, count, 0, items, rows, counts, 0)
    return items, rows, counts


@compiled
def drain_into(total: Rows, count: Ids, first: int, items: Ids, rows: Rows, counts: Ids, size: int) -> int:
    """As `drained`, of items from `first` on, behind `size` that are there; returns how many are then."""
    for item in range(len(count)):
        if count[item]:
            items[size], counts[size], count[item] = first + item, count[item], 0
            for column in range(total.shape[1]):
                rows[size, column], total[item, column] = total[item, column], 0
            size += 1
    return size


@compiled
def merged(
    left: Ids, left_rows: Rows, left_counts: Ids, right: Ids, right_rows: Rows, right_counts: Ids
) -> tuple[Ids, Rows, Ids]:
    """Two sums over items (increasing) as one: left + right where both have an item."""
    width = left_rows.shape[1]
    most = _distinct(left, right)
    items, counts = np.empty(most, np.int32), np.empty(most, np.int32)
    rows = np.empty((most, width), np.float32)
    one = other = 0
    for place in range(most):
        has_one = one < len(left) and (other == len(right) or left[one] <= right[other])
        has_both = has_one and other < len(right) and left[one] == right[other]
        if has_both:
            items[place], counts[place] = left[one], left_counts[one] + right_counts[other]
            for column in range(width):
                rows[place, column] = left_rows[one, column] + right_rows[other, column]
        elif has_one:
            items[place], counts[place] = left[one], left_counts[one]
            for column in range(width):
                rows[place, column] = left_rows[one, column]
        else:
            items[place], counts[place] = right[other], right_counts[other]
            for column in range(width):
                rows[place, column] = right_rows[other, column]
        one += has_one
        other += has_both or not has_one
    return items, rows, counts


@compiled
def _distinct(left: Ids, right: Ids) -> int:
    """How many different items there are in both, each increasing."""
    one = other = both = 0
    while one < len(left) and other < len(right):
        both += left[one] == right[other]
        one, other = one + (left[one] <= right[other]), other + (right[other] <= left[one])
    return len(left) + len(right) - both
