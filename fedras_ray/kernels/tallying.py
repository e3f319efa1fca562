"""What many clients train on, counted per item at once.

C clients, I items, N rows of all clients together. Clients lie one after the other; the rows of client c
are those from offsets[c] to offsets[c + 1]. `counting.drawn` is the same of one client.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import exact
from fedras_ray.kernels.counting import before
from fedras_ray.kernels.marking import place_of

Ids = NDArray[np.int32]
Numbers = NDArray[np.int64]
Rows = NDArray[np.float32]
Marks = NDArray[np.uint64]

LISTED = 64  # up to this multiple of a client's draws, the items it has not are listed; beyond, searched for
_ONE = np.uint64(1)


@exact
def tallied(
    items: Ids, starts: Numbers, ends: Numbers, ranks: Numbers, draws: Numbers, item_count: int
) -> tuple[Numbers, Ids, Rows, Rows]:
    """Each client's positives, and the ranks-th items (from 0) outside of them, counted.

    Args:
        items: client c's positives stand from starts[c] to ends[c], strictly increasing.
        starts: (C,)
        ends: (C,)
        ranks: client c's stand from draws[c] to draws[c + 1].
        draws: (C + 1,)
        item_count: I.

    Returns:
        (C + 1,) offsets; distinct items (N,), increasing within a client; samples on each (N,); positives
        among them (N,).
    """
    most = (ends - starts).sum() + len(ranks)
    found, weight, positive = np.empty(most, np.int32), np.empty(most, np.float32), np.empty(most, np.float32)
    offsets = np.zeros(len(starts) + 1, np.int64)
    count = np.zeros(item_count, np.int32)  # samples; of positives: -1. All zero again after each client
    marks = np.zeros((item_count + 63) >> 6, np.uint64)  # a bit per item with samples; likewise
    free = np.empty(item_count, np.int32)
    for client in range(len(starts)):
        positives, drawn = items[starts[client] : ends[client]], ranks[draws[client] : draws[client + 1]]
        for item in positives:
            count[item] = -1
            marks[item >> 6] |= _ONE << np.uint64(item & 63)
        if item_count <= LISTED * len(drawn):
            _list_others(free, positives, item_count)
            for rank in drawn:
                _add(count, marks, free[rank])
        else:
            for rank in drawn:
                _add(count, marks, rank + before(positives, rank))
        offsets[client + 1] = _collect(count, marks, found, weight, positive, offsets[client])
    size = offsets[-1]
    return offsets, found[:size], weight[:size], positive[:size]


@numba.njit(inline="always")
def _add(count: Ids, marks: Marks, item: int) -> None:
    count[item] += 1
    marks[item >> 6] |= _ONE << np.uint64(item & 63)


@exact
def _list_others(free: Ids, positives: Ids, item_count: int) -> None:
    """The items that are not among the positives, increasing, from the first place on."""
    item = 0
    for rank in range(len(positives) + 1):
        until = positives[rank] if rank < len(positives) else item_count
        for other in range(item, until):
            free[other - rank] = other
        item = until + 1


@exact
def _collect(count: Ids, marks: Marks, found: Ids, weight: Rows, positive: Rows, place: int) -> int:
    """Write down what is marked, from a place on, and clear it; returns the place after."""
    for word in range(len(marks)):
        left = marks[word]
        while left:
            lowest = left & (~left + _ONE)
            item = (word << 6) + place_of(lowest)
            found[place] = item
            weight[place] = abs(count[item])
            positive[place] = count[item] < 0
            count[item] = 0
            place += 1
            left ^= lowest
        marks[word] = 0
    return place
