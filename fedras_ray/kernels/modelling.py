"""What the range coder is told to expect.

* `put_symbols`: a symbol that was seen c times before has the frequency 2c + 1 (R. E. Krichevsky and V. K.
  Trofimov, IEEE Trans. Inf. Theory 27, 1981, doi:10.1109/TIT.1981.1056331): no table is sent, and what is
  lost against the symbols' own frequencies is about (K − 1) / 2 · log2 n bits for the whole sequence.
* `put_members`: of I places n are members, so the next is one with the odds of those left. Every set costs
  log2 of the number of such sets, and nothing else.

n symbols of an alphabet of K; n members of I places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import entropy
from fedras_ray.kernels.compiling import compiled
from fedras_ray.kernels.entropy import Counts, Octets


@compiled
def put_symbols(state: Counts, octets: Octets, symbols: NDArray[np.int32], k: int) -> None:
    """Code symbols below K, each by those before it."""
    tree = _uniform(k)
    total = k
    for symbol in symbols:
        below = _sum_below(tree, symbol)
        frequency = _sum_below(tree, symbol + 1) - below
        entropy.put(state, octets, below, frequency, total)
        _add(tree, symbol, 2)
        total += 2


@compiled
def take_symbols(state: Counts, octets: Octets, count: int, k: int) -> NDArray[np.int32]:
    """The symbols of `put_symbols`: (count,), below K whatever the bytes are."""
    symbols = np.empty(count, np.int32)
    tree = _uniform(k)
    total = k
    for place in range(count):
        share, held = entropy.reading(state, total)
        symbol, below = _holder(tree, held)
        frequency = _sum_below(tree, symbol + 1) - below
        entropy.drop(state, octets, below, frequency, share)
        _add(tree, symbol, 2)
        total += 2
        symbols[place] = symbol
    return symbols


@compiled
def put_members(state: Counts, octets: Octets, ids: NDArray[np.int32], item_count: int) -> None:
    """Code which of I places are members; the last ones need no saying."""
    place = 0
    for rank in range(len(ids)):
        members = len(ids) - rank
        while place <= ids[rank]:
            left = item_count - place
            if left > members:
                absent = left - members
                if place == ids[rank]:
                    entropy.put(state, octets, absent, members, left)
                else:
                    entropy.put(state, octets, 0, absent, left)
            place += 1


@compiled
def take_members(state: Counts, octets: Octets, count: int, item_count: int) -> NDArray[np.int32]:
    """The ids of `put_members`: (count,), strictly increasing below I whatever the bytes are."""
    ids = np.empty(count, np.int32)
    place = 0
    for rank in range(count):
        members = count - rank
        while True:
            left = item_count - place
            absent = left - members
            share = state[entropy.WIDTH] // left
            found = state[entropy.LOW] >= absent * share  # one division less than `entropy.reading`
            if found and absent:
                entropy.drop(state, octets, absent, members, share)
            elif absent:
                entropy.drop(state, octets, 0, absent, share)
            place += 1
            if found:
                break
        ids[rank] = place - 1
    return ids


@compiled
def _uniform(k: int) -> Counts:
    """A tree of sums (P. M. Fenwick, Software: Practice and Experience 24, 1994) over K ones."""
    size = 1
    while size < k:
        size *= 2
    tree = np.zeros(size + 1, np.int64)
    for symbol in range(k):
        _add(tree, symbol, 1)
    return tree


@compiled
def _add(tree: Counts, symbol: int, amount: int) -> None:
    place = symbol + 1
    while place < len(tree):
        tree[place] += amount
        place += place & -place


@compiled
def _sum_below(tree: Counts, symbol: int) -> int:
    total = 0
    while symbol > 0:
        total += tree[symbol]
        symbol -= symbol & -symbol
    return total


@compiled
def _holder(tree: Counts, share: int) -> tuple[int, int]:
    """The symbol that a share belongs to, and the sum below it."""
    place = 0
    below = 0
    step = (len(tree) - 1) >> 1
    while step > 0:
        if below + tree[place + step] <= share:
            place += step
            below += tree[place]
        step >>= 1
    return place, below
