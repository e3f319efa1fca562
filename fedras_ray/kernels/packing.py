"""Bits into bytes and back; the first value starts at the lowest bit of the first byte."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Octets = NDArray[np.uint8]


@compiled
def pack(values: NDArray[np.uint32], width: int) -> Octets:
    """Values below 2**width, back to back: (⌈count · width / 8⌉,), width from 1 to 32."""
    octets = np.zeros((len(values) * width + 7) // 8, np.uint8)
    held = np.uint64(0)
    bits = 0
    place = 0
    for value in values:
        held |= np.uint64(value) << np.uint64(bits)
        bits += width
        while bits >= 8:
            octets[place] = held & np.uint64(255)
            held >>= np.uint64(8)
            bits -= 8
            place += 1
    if bits:
        octets[place] = held & np.uint64(255)
    return octets


@compiled
def unpack(octets: Octets, count: int, width: int) -> tuple[NDArray[np.uint32], bool]:
    """The first `count` values of `width` bits (1 to 32), and whether all bits after them are zero."""
    values = np.empty(count, np.uint32)
    mask = np.uint64((1 << width) - 1)
    held = np.uint64(0)
    bits = 0
    place = 0
    for number in range(count):
        while bits < width:
            held |= np.uint64(octets[place]) << np.uint64(bits)
            bits += 8
            place += 1
        values[number] = held & mask
        held >>= np.uint64(width)
        bits -= width
    return values, held == 0 and place == len(octets)


@compiled
def mark(members: NDArray[np.int64], size: int) -> Octets:
    """A bitmap of `size` bits with the members set: (⌈size / 8⌉,)."""
    octets = np.zeros((size + 7) // 8, np.uint8)
    for member in members:
        octets[member >> 3] |= np.uint8(1 << (member & 7))
    return octets


@compiled
def marked(octets: Octets, count: int) -> tuple[NDArray[np.int64], bool]:
    """The places of the set bits, increasing: (count,), and whether there are exactly so many."""
    members = np.empty(count + 9, np.int64)  # without a branch: what is not set is overwritten
    found = 0
    for place in range(len(octets)):
        octet = int(octets[place])
        if octet:
            for bit in range(8):
                members[found] = 8 * place + bit
                found += octet >> bit & 1
            if found > count:
                break
    return members[:count].copy(), found == count


@compiled
def pack_ids(ids: NDArray[np.int32], low: int, top: int) -> Octets:
    """Elias–Fano: the `low` lowest bits of each id back to back, then id >> low in unary up to `top`."""
    count = len(ids)
    head = (count * low + 7) // 8
    octets = np.zeros(head + (count + top + 7) // 8, np.uint8)
    if low:
        octets[:head] = pack((ids & ((1 << low) - 1)).astype(np.uint32), low)
    for rank in range(count):
        bit = (ids[rank] >> low) + rank
        octets[head + (bit >> 3)] |= np.uint8(1 << (bit & 7))
    return octets


@compiled
def unpack_ids(octets: Octets, count: int, low: int, top: int) -> tuple[NDArray[np.int32], bool]:
    """The ids of `pack_ids`, and whether these are bytes that it writes."""
    head = (count * low + 7) // 8
    unary, exact = marked(octets[head:], count)
    ids = np.empty(count, np.int32)
    if not exact or (count and unary[-1] >= count + top):
        return ids, False
    lowest, clean = np.zeros(count, np.uint32), True
    if low:
        lowest, clean = unpack(octets[:head], count, low)
    for rank in range(count):
        ids[rank] = (unary[rank] - rank) << low | lowest[rank]
    return ids, clean


@compiled
def increasing(ids: NDArray[np.int32], limit: int) -> bool:
    """Whether ids increase strictly within 0 … limit - 1."""
    before = -1
    for item in ids:
        if item <= before:
            return False
        before = item
    return before < limit


@compiled
def increasing_each(ids: NDArray[np.int32], offsets: NDArray[np.int64], limit: int) -> bool:
    """`increasing` for each of C parts of ids, from offsets[c] to offsets[c + 1]."""
    fine = True
    for part in range(len(offsets) - 1):
        fine &= increasing(ids[offsets[part] : offsets[part + 1]], limit)
    return fine
