"""What sorts the numbers of many updates: by their leading bits, and then by exchanging neighbours.

A pass over 8 bits at a time beats comparing where there are hundreds of numbers; after the 24 leading bits
(sign, exponent, 12 of the significand) hardly anything is out of order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import exact

Line = NDArray[np.float64]
Places = NDArray[np.int64]
Keys = NDArray[np.uint64]

_DIGIT_BITS = 8
_DIGITS = 1 << _DIGIT_BITS
_LAST = np.uint64(_DIGITS - 1)
_SHIFTS = (64 - 3 * _DIGIT_BITS, 64 - 2 * _DIGIT_BITS, 64 - _DIGIT_BITS)
_PLACE = np.uint64((1 << _SHIFTS[0]) - 1)  # bits that are not sorted by: a number's place travels there
_SIGN = np.uint64(1 << 63)
_FEW = 64  # numbers that are exchanged into order from the beginning


class Scratch(NamedTuple):
    """Where numbers are sorted: for no more than so many, and one update after the other."""

    keys: Keys
    spare: Keys
    other: Keys
    counts: NDArray[np.int32]  # (3, digits)


@exact
def scratch(offsets: Places) -> Scratch:
    """For the longest of some updates."""
    most = 0
    for update in range(len(offsets) - 1):
        most = max(most, offsets[update + 1] - offsets[update])
    return Scratch(
        np.empty(most, np.uint64),
        np.empty(most, np.uint64),
        np.empty(most, np.uint64),
        np.empty((3, _DIGITS), np.int32),
    )


@exact
def order(points: Line, room: Scratch) -> Places:
    """(n,) what sorts some numbers: their places. Equal numbers stay in their order; NaNs are anywhere."""
    count = len(points)
    found, bits = np.empty(count, np.int64), points.view(np.uint64)
    keys, spare, other = room.keys[:count], room.spare[:count], room.other[:count]
    for place in range(count):
        keys[place] = _rising(bits[place])
        spare[place] = keys[place] & ~_PLACE | np.uint64(place)
    if count > _FEW:
        _count(spare, room.counts)
        _deal(spare, other, room.counts[0], np.uint64(_SHIFTS[0]))
        _deal(other, spare, room.counts[1], np.uint64(_SHIFTS[1]))
        _deal(spare, other, room.counts[2], np.uint64(_SHIFTS[2]))
        spare, other = other, spare
    for rank in range(count):
        found[rank] = np.int64(spare[rank] & _PLACE)
    _exchange(keys, found)
    return found


@exact
def _rising(bits: np.uint64) -> np.uint64:
    """A number's bits as an integer that grows with it; both zeros are one number."""
    if bits == _SIGN:
        return _SIGN
    return np.uint64(~bits) if bits & _SIGN else bits | _SIGN


@exact
def _count(keys: Keys, counts: NDArray[np.int32]) -> None:
    """How many keys have each digit, in all passes."""
    counts[:] = 0
    for key in keys:
        counts[0, (key >> np.uint64(_SHIFTS[0])) & _LAST] += 1
        counts[1, (key >> np.uint64(_SHIFTS[1])) & _LAST] += 1
        counts[2, key >> np.uint64(_SHIFTS[2])] += 1


@exact
def _deal(keys: Keys, after: Keys, counts: NDArray[np.int32], shift: np.uint64) -> None:
    """One pass: to where the digit's keys begin, in the order in which they came."""
    begin = np.int32(0)
    for digit in range(_DIGITS):
        begin, counts[digit] = begin + counts[digit], begin
    for key in keys:
        digit = (key >> shift) & _LAST
        after[counts[digit]] = key
        counts[digit] += 1


@exact
def _exchange(keys: Keys, places: Places) -> None:
    """Insertion, of places by their keys: quick where little is out of order."""
    for end in range(1, len(places)):
        place, target = places[end], end
        key = keys[place]
        while target > 0 and keys[places[target - 1]] > key:
            places[target] = places[target - 1]
            target -= 1
        places[target] = place
