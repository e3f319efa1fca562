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

    By a bitmap of I bits, which stays in the nearest cache: to sort S samples takes longer, unless I is huge.
    """
    words = (item_count + 63) >> 6
    marks, before = np.zeros(words, np.uint64), np.empty(words, np.int32)
    for item in items:
        marks[item >> 6] |= np.uint64(1) << np.uint64(item & 63)
    distinct, count = np.empty(len(items), np.int32), 0
    for word in range(words):
        before[word] = count
        left = marks[word]
        while left:
            lowest = left & (~left + np.uint64(1))
            distinct[count] = word * 64 + _ones(lowest - np.uint64(1))
            count += 1
            left ^= lowest
    place = np.empty(len(items), np.int32)
    for number in range(len(items)):
        word = items[number] >> 6
        below = (np.uint64(1) << np.uint64(items[number] & 63)) - np.uint64(1)
        place[number] = before[word] + _ones(marks[word] & below)
    return distinct[:count].copy(), place


@compiled
def _ones(word: np.uint64) -> int:
    """How many bits are set: what a compiler knows as one instruction."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


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
    items: Ids,
    labels: NDArray[np.bool_],
    starts: Numbers,
    ends: Numbers,
    item_count: int,
    has_batches: NDArray[np.bool_],
) -> tuple[Numbers, Ids, Ids, Floats, Floats, Floats]:
    """`places` of each client's `items`, those from starts[c] to ends[c], and counts per row.

    Returns:
        (C + 1,) where a client's rows begin, (N,) its distinct items, (M,) the place of each sample among
        them and (M,) 1 where it has a label, (N,) the samples on each row and (N,) how many have a label;
        zeros in both where a client has mini-batches (C,).
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
        if not has_batches[client]:
            for number in range(len(its)):
                weight[first + at[number]] += np.float32(1)
                positive[first + at[number]] += label[done + number]
        done += len(its)
        offsets[client + 1] = last
    rows = offsets[-1]
    return offsets, ids[:rows].copy(), place, label, weight[:rows].copy(), positive[:rows].copy()
