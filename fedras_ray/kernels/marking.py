"""Sets of ids as bits that are set: a bitmap, or Elias–Fano (`codecs.positions`); and ids in order.

Bits are written and read 64 at a time, lowest first, as the machines do on which this runs: a word's lowest
byte stands first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import packing
from fedras_ray.kernels.compiling import compiled, inlined
from fedras_ray.kernels.forms import octets_of

Octets = NDArray[np.uint8]
Ids = NDArray[np.int32]
Words = NDArray[np.uint64]

ONE = np.uint64(1)
_DEBRUIJN = np.uint64(0x03F79D71B4CB0A89)
_SHIFT = np.uint64(58)


def _places() -> NDArray[np.uint8]:
    """Which bit is set, by what a power of two brings to the top of a de Bruijn sequence."""
    places = np.zeros(64, np.uint8)
    for bit in range(64):
        places[int(_DEBRUIJN) * 2**bit % 2**64 >> 58] = bit
    return places


_BIT = _places()


@inlined
def place_of(power: np.uint64) -> int:
    """Which bit of a word is set, of which one is."""
    return int(_BIT[(power * _DEBRUIJN) >> _SHIFT])


@compiled
def mark_into(octets: Octets, at: int, ids: Ids, size: int) -> None:
    """A bitmap of `size` bits from `at` on, with the bits of ids (increasing) set."""
    _set(octets, at, octets_of(size), ids, 0, 0)


@compiled
def pack_ids_into(octets: Octets, at: int, ids: Ids, low: int, top: int) -> None:
    """Elias–Fano from `at` on: the `low` lowest bits of each id, then id >> low in unary up to `top`."""
    if low:
        at = packing.pack_into(octets, at, ids, low)
    _set(octets, at, octets_of(len(ids) + top), ids, low, 1)


@compiled
def _set(octets: Octets, at: int, size: int, ids: Ids, low: int, step: int) -> None:
    """So many bytes, with bit (id >> low) + rank · step of each id set; ids increase."""
    words = np.zeros((size + 7) >> 3, np.uint64)
    held, word = np.uint64(0), 0
    for rank in range(len(ids)):
        bit = (int(ids[rank]) >> low) + rank * step
        if bit >> 6 != word:
            words[word], held, word = held, np.uint64(0), bit >> 6
        held |= ONE << np.uint64(bit & 63)
    if len(ids):
        words[word] = held
    octets[at : at + size] = words.view(np.uint8)[:size]


@compiled
def marked_into(octets: Octets, places: Ids) -> bool:
    """The places of bits that are set, increasing; whether there are as many as there is room for."""
    words = np.zeros((len(octets) + 7) >> 3, np.uint64)
    words.view(np.uint8)[: len(octets)] = octets
    found, room = np.uint64(0), np.uint64(len(places))  # an index that may be negative is compared first
    for word in range(len(words)):
        left = words[word]
        while left:
            if found == room:
                return False
            lowest = left & (~left + ONE)
            places[found] = (word << 6) + place_of(lowest)
            found += ONE
            left ^= lowest
    return bool(found == room)


@compiled
def unpack_ids_into(octets: Octets, low: int, top: int, ids: Ids) -> bool:
    """The ids of `pack_ids_into`, and whether these are bytes that it writes, of ids in any order."""
    head = octets_of(len(ids) * low)
    if not marked_into(octets[head:], ids) or (len(ids) and ids[-1] >= len(ids) + top):
        return False
    lowest, clean = np.zeros(len(ids), np.int32), True
    if low:
        clean = packing.unpack_into(octets[:head], lowest, low)
    for rank in range(len(ids)):
        ids[rank] = (ids[rank] - rank) << low | lowest[rank]
    return clean


@compiled
def mark(members: Ids, size: int) -> Octets:
    """A bitmap of `size` bits with the members (increasing) set: (⌈size / 8⌉,)."""
    octets = np.empty(octets_of(size), np.uint8)
    mark_into(octets, 0, members, size)
    return octets


@compiled
def marked(octets: Octets, count: int) -> tuple[Ids, bool]:
    """The places of the set bits, increasing: (count,), and whether there are exactly so many."""
    members = np.empty(count, np.int32)
    clean = marked_into(octets, members)
    return members, clean


@compiled
def pack_ids(ids: Ids, low: int, top: int) -> Octets:
    """See `pack_ids_into`."""
    octets = np.empty(octets_of(len(ids) * low) + octets_of(len(ids) + top), np.uint8)
    pack_ids_into(octets, 0, ids, low, top)
    return octets


@compiled
def unpack_ids(octets: Octets, count: int, low: int, top: int) -> tuple[Ids, bool]:
    """The ids of `pack_ids`, and whether these are bytes that it writes: see `unpack_ids_into`."""
    ids = np.empty(count, np.int32)
    clean = unpack_ids_into(octets, low, top, ids)
    return ids, clean


@compiled
def increasing(ids: Ids, limit: int) -> bool:
    """Whether ids increase strictly within 0 … limit - 1."""
    if not len(ids):
        return limit > -1
    fine = bool(ids[0] >= 0 and ids[-1] < limit)
    for place in range(1, len(ids)):
        fine &= bool(ids[place] > ids[place - 1])
    return fine


@compiled
def increasing_each(ids: Ids, offsets: NDArray[np.int64], limit: int) -> bool:
    """`increasing` for each of C parts of ids, from offsets[c] to offsets[c + 1]."""
    fine = True
    for part in range(len(offsets) - 1):
        fine &= increasing(ids[offsets[part] : offsets[part + 1]], limit)
    return fine
