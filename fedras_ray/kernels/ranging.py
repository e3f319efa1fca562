"""Bits of known probability as bytes: the carry-propagating binary range coder known from LZMA.

After G. N. N. Martin, "Range encoding", Video & Data Recording Conference, 1979. A bit is written with
the chance that it is zero, over 2**16.

Everything is integer arithmetic, so the bytes are the same on every machine. A coder's state is three
numbers that go into a function and come out of it: in a loop they stay in registers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled, inlined

Octets = NDArray[np.uint8]
Writer = tuple[np.uint64, np.uint64, int]  # lower end and span of the interval, and the next byte's place
Reader = tuple[np.uint64, np.uint64, int]  # where in the span the code is, the span, the next byte's place

EVENLY: Final = 1 << 15  # the chance of a bit that is as likely as not
MOST_BYTES = 2  # that one bit moves
TAIL = 4  # bytes that the last bit may need

_BYTE: Final = np.uint64(8)
_SMALL: Final = np.uint64(1 << 24)  # a span below has a byte that is settled
_WHOLE: Final = np.uint64(0xFFFFFFFF)  # a lower end above carries into the bytes before


@inlined
def writer() -> Writer:
    """Before the first bit."""
    return np.uint64(0), np.uint64(0xFFFFFFFF), 0


@inlined
def write(octets: Octets, low: np.uint64, span: np.uint64, place: int, chance: int, bit: bool) -> Writer:
    """One bit, whose chance to be zero is 1 … 65,535 over 2**16; there is room for `MOST_BYTES`."""
    bound = (span >> np.uint64(16)) * np.uint64(chance)
    if bit:
        low += bound
        span -= bound
    else:
        span = bound
    while span < _SMALL:
        if low > _WHOLE:
            _carry(octets, place)
        octets[place] = (low >> np.uint64(24)) & np.uint64(255)
        place += 1
        low = (low & np.uint64(0x00FFFFFF)) << _BYTE
        span = span << _BYTE
    return low, span, place


@compiled
def close(octets: Octets, low: np.uint64, place: int) -> int:
    """Write `TAIL` bytes more; how many there are: close to the sum of -log2 of the bits' chances."""
    if low > _WHOLE:
        _carry(octets, place)
    for shift in (24, 16, 8, 0):
        octets[place] = (low >> np.uint64(shift)) & np.uint64(255)
        place += 1
    return place


@inlined
def _carry(octets: Octets, place: int) -> None:
    """Add one to the number that the bytes before this place are."""
    place -= 1
    while octets[place] == 255:
        octets[place] = 0
        place -= 1
    octets[place] += np.uint8(1)


@compiled
def reader(octets: Octets) -> Reader:
    """Before the first bit."""
    code, place = np.uint64(0), 0
    for place in range(TAIL):
        code = code << _BYTE | (np.uint64(octets[place]) if place < len(octets) else np.uint64(0))
    return code, np.uint64(0xFFFFFFFF), TAIL


@inlined
def read(
    octets: Octets, code: np.uint64, span: np.uint64, place: int, chance: int
) -> tuple[np.uint64, np.uint64, int, bool]:
    """The next bit, whose chance to be zero is known; zeros beyond the end."""
    bound = (span >> np.uint64(16)) * np.uint64(chance)
    bit = code >= bound
    if bit:
        code -= bound
        span -= bound
    else:
        span = bound
    while span < _SMALL:
        code = code << _BYTE | (np.uint64(octets[place]) if place < len(octets) else np.uint64(0))
        span = span << _BYTE
        place += 1
    return code, span, place, bool(bit)
