"""Weighted sums of many updates at once, shard by shard and along a tree of shards.

C updates, N rows of all of them, I items, D width, S shards, R sums that are left.

A stretch of items is done at a time: its sums of some shards lie beside each other in the cache, and nothing
but what is left in the end leaves it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import counting
from fedras_ray.kernels.compiling import compiled

Ids = NDArray[np.int32]
Rows = NDArray[np.float32]
Numbers = NDArray[np.int64]

_unsigned = np.uint64  # an index that might be negative is compared first, each time: a quarter of all


@compiled
def along_tree(
    items: Ids,
    words: Rows,
    taken: Ids,
    offsets: Numbers,
    places: Numbers,
    weights: Rows,
    begins: Numbers,
    joins: Numbers,
    item_count: int,
    span: int,
) -> tuple[Ids, Rows, Ids, Numbers]:
    """Sums of updates of rows words[taken]; a row of zeros is absent.

    Shards are done in order. After each one its sum is the newest, and `joins` times the newest is added to
    the one before it, and is no more: so sums are those of `counting.add_rows` and `counting.merged`.

    Args:
        items: (N,) increasing within each update.
        words: (B, D)
        taken: (N,)
        offsets: (C + 1,) the rows of update c are those from offsets[c] to offsets[c + 1].
        places: (p,) which updates, in the order in which they are added, one shard after the other.
        weights: (p,) theirs.
        begins: (S + 1,) where those of each shard begin.
        joins: (S,)
        item_count: I.
        span: items at a time.

    Returns:
        Of each sum that is left the items that count (R, m), increasing, their rows (R, m, D) and counts
        (R, m), and of how many places these are (R,); what is beyond is nothing.
    """
    width, left = words.shape[1], len(joins) - joins.sum()
    speaks = np.empty(len(words), np.int32)
    for number in range(len(words)):
        speaks[number] = words[number].any()
    most = min(item_count, len(items))
    ids, counts = np.empty((left, most), np.int32), np.empty((left, most), np.int32)
    rows, sizes = np.empty((left, most, width), np.float32), np.zeros(left, np.int64)
    depth = _most_open(joins)
    total, count = np.zeros((depth, span, width), np.float32), np.zeros((depth, span), np.int32)
    next_row = offsets[places]
    for first in range(0, item_count, span):
        newest = -1
        for shard in range(len(joins)):
            newest += 1
            some = slice(begins[shard], begins[shard + 1])
            given = places[some], weights[some], next_row[some]
            _add(total[newest], count[newest], items, words, speaks, taken, offsets, *given, first)
            for _ in range(joins[shard]):
                _pour(total[newest], count[newest], total[newest - 1], count[newest - 1])
                newest -= 1
        for number in range(left):
            its = ids[number], rows[number], counts[number]
            sizes[number] = counting.drain_into(total[number], count[number], first, *its, sizes[number])
    return ids, rows, counts, sizes


@compiled
def _add(
    total: Rows,
    count: Ids,
    items: Ids,
    words: Rows,
    speaks: Ids,
    taken: Ids,
    offsets: Numbers,
    places: Numbers,
    weights: Rows,
    next_row: Numbers,
    first: int,
) -> None:
    """The updates of a shard: their rows of items from `first` on, as far as the totals go."""
    stop, width = first + len(total), _unsigned(total.shape[1])
    for number in range(len(places)):
        row, weight = _unsigned(next_row[number]), weights[number]
        last = _unsigned(offsets[places[number] + 1])
        while row < last and items[row] < stop:
            item, word = _unsigned(items[row] - first), _unsigned(taken[row])
            count[item] += speaks[word]
            for column in range(width):
                total[item, column] += weight * words[word, column]
            row += _unsigned(1)
        next_row[number] = row


@compiled
def _most_open(joins: Numbers) -> int:
    """How many sums there are at a time."""
    most = newest = 0
    for number in joins:
        newest += 1
        most = max(most, newest)
        newest -= number
    return most


@compiled
def _pour(total: Rows, count: Ids, into: Rows, into_count: Ids) -> None:
    """Add a sum to another; zeros are left."""
    for item in range(len(count)):
        if count[item]:
            into_count[item] += count[item]
            count[item] = 0
            for column in range(total.shape[1]):
                into[item, column] += total[item, column]
                total[item, column] = 0
