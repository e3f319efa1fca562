"""Numbers of a fixed number of bits into bytes and back, the first from the lowest bit of the first byte on.

Where a whole number of them is in a byte, as four bits for one of sixteen actions, a byte is made or taken
apart at once, and many of these together: 0.12 us for some 700 of four bits, 0.86 bit after bit.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled, inlined
from fedras_ray.kernels.forms import octets_of

Octets = NDArray[np.uint8]
Values: TypeAlias = NDArray[np.int32] | NDArray[np.uint32]


@compiled
def pack_into(octets: Octets, at: int, values: Values, width: int) -> int:
    """The `width` lowest bits of each value, 1 to 32, back to back from `at` on; returns where they end."""
    if width == 4:
        _join(octets, at, values, 4)
    elif width == 2:
        _join(octets, at, values, 2)
    elif width == 1:
        _join(octets, at, values, 1)
    else:
        _append(octets, at, values, width)
    return at + octets_of(len(values) * width)


@inlined
def _join(octets: Octets, at: int, values: Values, width: int) -> None:
    """Of a width that is known where this is compiled, and that divides 8."""
    each, mask = 8 // width, (1 << width) - 1
    whole = len(values) // each
    for place in range(whole):
        octet = 0
        for number in range(each):
            octet |= (values[place * each + number] & mask) << (number * width)
        octets[at + place] = octet
    if whole * each < len(values):
        octets[at + whole] = 0
        for number in range(whole * each, len(values)):
            octets[at + whole] |= np.uint8((values[number] & mask) << ((number - whole * each) * width))


@compiled
def _append(octets: Octets, at: int, values: Values, width: int) -> None:
    mask, held, bits = np.uint64((1 << width) - 1), np.uint64(0), 0
    for value in values:
        held |= (np.uint64(value) & mask) << np.uint64(bits)
        bits += width
        while bits >= 8:
            octets[at] = held & np.uint64(255)
            held >>= np.uint64(8)
            bits -= 8
            at += 1
    if bits:
        octets[at] = held & np.uint64(255)


@compiled
def unpack_into(octets: Octets, values: Values, width: int) -> bool:
    """As many values as there is room for, of `width` bits (1 to 32); whether nothing comes after them.

    There are bytes enough for them.
    """
    if width == 4:
        _part(octets, values, 4)
    elif width == 2:
        _part(octets, values, 2)
    elif width == 1:
        _part(octets, values, 1)
    else:
        _take(octets, values, width)
    bits = len(values) * width
    return len(octets) == octets_of(bits) and (bits & 7 == 0 or octets[-1] >> (bits & 7) == 0)


@inlined
def _part(octets: Octets, values: Values, width: int) -> None:
    """As `_join`."""
    each, mask = 8 // width, (1 << width) - 1
    whole = len(values) // each
    for place in range(whole):
        octet = np.int32(octets[place])
        for number in range(each):
            values[place * each + number] = (octet >> (number * width)) & mask
    for number in range(whole * each, len(values)):
        values[number] = (octets[whole] >> ((number - whole * each) * width)) & mask


@compiled
def _take(octets: Octets, values: Values, width: int) -> None:
    mask, held, bits, place = np.uint64((1 << width) - 1), np.uint64(0), 0, 0
    for number in range(len(values)):
        while bits < width:
            held |= np.uint64(octets[place]) << np.uint64(bits)
            bits += 8
            place += 1
        values[number] = held & mask
        held >>= np.uint64(width)
        bits -= width


@compiled
def pack(values: NDArray[np.uint32], width: int) -> Octets:
    """Values below 2**width: (⌈count · width / 8⌉,), see `pack_into`."""
    octets = np.empty(octets_of(len(values) * width), np.uint8)
    pack_into(octets, 0, values, width)
    return octets


@compiled
def unpack(octets: Octets, count: int, width: int) -> tuple[NDArray[np.uint32], bool]:
    """The first `count` values, and whether nothing comes after them: see `unpack_into`."""
    values = np.empty(count, np.uint32)
    clean = unpack_into(octets, values, width)
    return values, clean
