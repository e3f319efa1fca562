"""What sorts the numbers of many updates: by their leading bits, and then by exchanging neighbours.

C updates, N numbers of all of them. A pass over 11 bits at a time beats comparing where there are hundreds of
numbers; after the 22 leading bits (sign, exponent, 10 of the significand) hardly anything is out of order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import exact

Line = NDArray[np.float64]
Places = NDArray[np.int64]
Keys = NDArray[np.uint64]

_DIGIT_BITS = 11
_DIGITS = 1 << _DIGIT_BITS
_LAST = np.uint64(_DIGITS - 1)
_SHIFTS = (64 - 2 * _DIGIT_BITS, 64 - _DIGIT_BITS)
_SIGN = np.uint64(1 << 63)
_FEW = 64  # numbers that are exchanged into order from the beginning


@exact
def order_each(points: Line, offsets: Places) -> Places:
    """(N,) what sorts the numbers from offsets[c] to offsets[c + 1], for each c: places from 0.

    Equal numbers stay in their order; NaNs are anywhere.
    """
    order = np.empty(len(points), np.int64)
    most = 0
    for update in range(len(offsets) - 1):
        most = max(most, offsets[update + 1] - offsets[update])
    keys, spare = np.empty(most, np.uint64), np.empty(most, np.uint64)
    places, counts = np.empty(most, np.int64), np.zeros((2, _DIGITS), np.int64)
    for update in range(len(offsets) - 1):
        its = slice(offsets[update], offsets[update + 1])
        count = its.stop - its.start
        _sort(points[its].view(np.uint64), order[its], keys[:count], spare[:count], places[:count], counts)
    return order


@exact
def _sort(bits: Keys, order: Places, keys: Keys, spare: Keys, places: Places, counts: Places) -> None:
    for place in range(len(bits)):
        keys[place] = _rising(bits[place])
        order[place] = place
    if len(bits) > _FEW:
        _count(keys, counts)
        _deal(keys, order, spare, places, counts[0], np.uint64(_SHIFTS[0]))
        _deal(spare, places, keys, order, counts[1], np.uint64(_SHIFTS[1]))
    _exchange(keys, order)


@exact
def _rising(bits: np.uint64) -> np.uint64:
    """A number's bits as an integer that grows with it; both zeros are one number."""
    if bits == _SIGN:
        return _SIGN
    return np.uint64(~bits) if bits & _SIGN else bits | _SIGN


@exact
def _count(keys: Keys, counts: Places) -> None:
    """How many keys have each digit, in both passes."""
    counts[:] = 0
    for key in keys:
        counts[0, (key >> np.uint64(_SHIFTS[0])) & _LAST] += 1
        counts[1, key >> np.uint64(_SHIFTS[1])] += 1


@exact
def _deal(
    keys: Keys, places: Places, keys_after: Keys, places_after: Places, counts: Places, shift: np.uint64
) -> None:
    """One pass: to where the digit's keys begin, in the order in which they came."""
    begin = 0
    for digit in range(_DIGITS):
        begin, counts[digit] = begin + counts[digit], begin
    for place in range(len(keys)):
        digit = (keys[place] >> shift) & _LAST
        target = counts[digit]
        counts[digit] += 1
        keys_after[target], places_after[target] = keys[place], places[place]


@exact
def _exchange(keys: Keys, places: Places) -> None:
    """Insertion: quick where little is out of order."""
    for end in range(1, len(keys)):
        key, place, target = keys[end], places[end], end
        while target > 0 and keys[target - 1] > key:
            keys[target], places[target] = keys[target - 1], places[target - 1]
            target -= 1
        keys[target], places[target] = key, place
