"""What the range coder is told to expect.

* `put_symbols`: a symbol that was seen c times before has the frequency 2c + 1 (R. E. Krichevsky and V. K.
  Trofimov, IEEE Trans. Inf. Theory 27, 1981, doi:10.1109/TIT.1981.1056331): no table is sent, and what is
  lost against the symbols' own frequencies is about (K − 1) / 2 · log2 n bits for the whole sequence.
* `put_members`: of I places n are members, so the next is one with the odds of those left. Every set costs
  log2 of the number of such sets, and nothing else.

Whoever takes puts the same again beside it, as what a decoder accepts is only what an encoder writes; the
widths of both are the same, so that this costs no division. Loops hold a coder's state in variables of their
own, and unsigned, as the machine divides those sooner.

n symbols of an alphabet of K; n members of I places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled, inlined
from fedras_ray.kernels.entropy import (
    AHEAD,
    LEAST,
    LOW,
    NUMBER,
    PLACE,
    WHOLE,
    WIDTH,
    Counts,
    Octets,
    Place,
    State,
    carry,
)

FEW = 64  # symbols: up to so many, the sums below all of them are held as they are
_ONE, _BYTE, _TOP = np.uint64(1), np.uint64(8), np.uint64(40)
_INNER = LEAST - _ONE


@inlined
def _left(low: Any, width: Any, at: Any, octets: Octets) -> tuple[Any, Any, Any]:
    """What an interval is once the bytes that are certain have left it."""
    if low >= WHOLE:
        low -= WHOLE
        carry(octets, at - 1)
    while width < LEAST:
        octets[at] = low >> _TOP
        low, width, at = (low & _INNER) << _BYTE, width << _BYTE, at + 1
    return low, width, at


@inlined
def _come(number: Any, octets: Octets, at: Any, until: Any) -> Any:
    """A decoder's number once as many bytes have come."""
    for place in range(at + AHEAD, until + AHEAD):
        number = number << _BYTE | np.uint64(octets[place] if place < len(octets) else 0)
    return number


@compiled
def put_symbols(state: State, octets: Octets, symbols: NDArray[np.int32], k: int) -> None:
    """Code symbols below K, each by those before it."""
    low, width, at = state[LOW], state[WIDTH], np.int64(state[PLACE])
    sums, total = _uniform(k), np.uint64(k)
    for symbol in symbols:
        below = _sum_below(sums, symbol, k)
        frequency = _sum_below(sums, symbol + 1, k) - below
        share = width // total
        low += np.uint64(below) * share
        width = np.uint64(frequency) * share
        low, width, at = _left(low, width, at, octets)
        _add(sums, symbol, 2, k)
        total += np.uint64(2)
    state[LOW], state[WIDTH], state[PLACE] = low, width, np.uint64(at)


@compiled
def take_symbols(state: State, octets: Octets, again: Octets, count: int, k: int) -> NDArray[np.int32]:
    """The symbols of `put_symbols`: (count,), below K whatever the bytes are; and put `again`."""
    symbols = np.empty(count, np.int32)
    number, width, at = state[NUMBER], state[WIDTH], np.int64(state[PLACE])
    low = state[LOW]
    sums, total = _uniform(k), np.uint64(k)
    for place in range(count):
        share = width // total
        held = min(number // share, total - _ONE)
        symbol, under = _holder(sums, np.int64(held), k)
        below = np.uint64(under)
        width = np.uint64(_sum_below(sums, symbol + 1, k) - under) * share
        number = min(number - below * share, width - _ONE)
        low += below * share
        begin = at
        low, width, at = _left(low, width, at, again)
        number = _come(number, octets, begin, at)
        _add(sums, symbol, 2, k)
        total += np.uint64(2)
        symbols[place] = symbol
    state[LOW], state[WIDTH], state[PLACE], state[NUMBER] = low, width, np.uint64(at), number
    return symbols


@compiled
def put_members(state: State, octets: Octets, ids: NDArray[np.int32], item_count: int) -> None:
    """Code which of I places are members; the last ones need no saying."""
    low, width, at = state[LOW], state[WIDTH], np.int64(state[PLACE])
    place = 0
    for rank in range(len(ids)):
        members = len(ids) - rank
        for left in range(item_count - place, item_count - ids[rank], -1):  # that are none
            width = np.uint64(left - members) * (width // np.uint64(left))
            low, width, at = _left(low, width, at, octets)
        left, place = item_count - ids[rank], ids[rank] + 1
        if left > members:
            share = width // np.uint64(left)
            low += np.uint64(left - members) * share
            width = np.uint64(members) * share
            low, width, at = _left(low, width, at, octets)
    state[LOW], state[WIDTH], state[PLACE] = low, width, np.uint64(at)


@compiled
def take_members(
    state: State, octets: Octets, again: Octets, count: int, item_count: int
) -> NDArray[np.int32]:
    """The ids of `put_members`: (count,), increasing below I whatever the bytes are; and put `again`."""
    ids = np.empty(count, np.int32)
    number, width, at = state[NUMBER], state[WIDTH], np.int64(state[PLACE])
    low = state[LOW]
    place = rank = 0
    while rank < count:
        members, left = count - rank, item_count - place
        if left == members:  # they need no saying
            ids[rank], rank, place = place, rank + 1, place + 1
            continue
        share = width // np.uint64(left)
        absent = np.uint64(left - members) * share
        if number >= absent:
            width = np.uint64(members) * share
            number, low = min(number - absent, width - _ONE), low + absent
            ids[rank], rank = place, rank + 1
        else:
            width = absent
        place += 1
        begin = at
        low, width, at = _left(low, width, at, again)
        number = _come(number, octets, begin, at)
    state[LOW], state[WIDTH], state[PLACE], state[NUMBER] = low, width, np.uint64(at), number
    return ids


@compiled
def _uniform(k: int) -> Counts:
    """Sums over K ones: as they are, or a tree of them.

    P. M. Fenwick, Software: Practice and Experience 24, 1994.
    """
    if k <= FEW:
        return np.arange(k + 1)
    size = 1
    while size < k:
        size *= 2
    tree = np.zeros(size + 1, np.int64)
    for symbol in range(k):
        _add(tree, symbol, 1, k)
    return tree


@compiled
def _add(sums: Counts, symbol: int, amount: int, k: int) -> None:
    if k <= FEW:
        for other in range(len(sums)):  # all of them, without a branch: four at a time
            sums[other] += amount * (other > symbol)
        return
    place = symbol + 1
    while place < len(sums):
        sums[place] += amount
        place += place & -place


@compiled
def _sum_below(sums: Counts, symbol: int, k: int) -> int:
    if k <= FEW:
        return int(sums[symbol])
    total = 0
    while symbol > 0:
        total += sums[symbol]
        symbol -= symbol & -symbol
    return total


@compiled
def _holder(sums: Counts, share: Place, k: int) -> tuple[int, int]:
    """The symbol that a share belongs to, and the sum below it."""
    if k <= FEW:
        symbol = 0
        for other in range(1, k):
            symbol += sums[other] <= share
        return symbol, int(sums[symbol])
    place = 0
    below = 0
    step = (len(sums) - 1) >> 1
    while step > 0:
        if below + sums[place + step] <= share:
            place += step
            below += sums[place]
        step >>= 1
    return place, below
