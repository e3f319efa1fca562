"""Increasing ids as the gaps between them."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Octets = NDArray[np.uint8]
Symbols = NDArray[np.int32]


def rice_bits(count: int, item_count: int) -> int:
    """The bits of a gap that are sent as they are: the best for geometric gaps (A. Kiely, 2004)."""
    return max(0, int(np.floor(np.log2(max(np.log(2) * item_count / count, 1)))))


@numba.njit(cache=True)
def rice_encode(ids: Symbols, low: int) -> Octets:
    """Gaps in Rice's code (S. W. Golomb, 1966; R. F. Rice, 1979): the high bits in unary, then the low."""
    octets, place, before = np.zeros(8 * len(ids) + (ids[-1] >> low) // 8 + 8, np.uint8), 0, -1
    for item in ids:
        gap = item - before - 1
        place += gap >> low
        octets[place >> 3] |= 1 << (place & 7)
        place += 1
        for bit in range(low):
            octets[place >> 3] |= ((gap >> bit) & 1) << (place & 7)
            place += 1
        before = item
    return octets[: (place + 7) >> 3]


@numba.njit(cache=True)
def rice_decode(octets: Octets, count: int, low: int) -> Symbols:
    """The ids of `rice_encode`."""
    ids, place, before = np.empty(count, np.int32), 0, -1
    for number in range(count):
        gap = 0
        while not octets[place >> 3] >> (place & 7) & 1:
            gap += 1
            place += 1
        place += 1
        gap <<= low
        for bit in range(low):
            gap |= ((octets[place >> 3] >> (place & 7)) & 1) << bit
            place += 1
        ids[number] = before = before + gap + 1
    return ids


@numba.njit(cache=True)
def varint_encode(ids: Symbols) -> Octets:
    """Gaps in groups of seven bits (LEB128)."""
    octets, place, before = np.zeros(5 * len(ids), np.uint8), 0, -1
    for item in ids:
        gap = item - before - 1
        while gap > 127:
            octets[place] = 128 | (gap & 127)
            gap >>= 7
            place += 1
        octets[place] = gap
        place += 1
        before = item
    return octets[:place]


@numba.njit(cache=True)
def varint_decode(octets: Octets, count: int) -> Symbols:
    """The ids of `varint_encode`."""
    ids, place, before = np.empty(count, np.int32), 0, -1
    for number in range(count):
        gap = shift = 0
        while True:
            gap |= (octets[place] & 127) << shift
            shift += 7
            place += 1
            if octets[place - 1] < 128:
                break
        ids[number] = before = before + gap + 1
    return ids
