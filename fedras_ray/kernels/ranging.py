"""Bits of known probability as bytes: the carry-propagating binary range coder known from LZMA.

After G. N. N. Martin, "Range encoding", Video & Data Recording Conference, 1979. A bit is written with
the chance that it is zero, over 2**16; an *event* is that chance and the bit in one number. Who decides
the chances (`kernels.steps`) makes all events first, which is twice as fast as writing bit by bit.

Everything is integer arithmetic, so the bytes are the same on every machine.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled, inlined

Octets = NDArray[np.uint8]
Events = NDArray[np.uint32]
Words = NDArray[np.uint64]

EVENLY: Final = 1 << 15  # the chance of a bit that is as likely as not
CODE, SPAN, PLACE = 0, 1, 2  # of a reader
TAIL = 5  # bytes that the last bit may need

_BYTE: Final = np.uint64(8)
_SMALL: Final = np.uint64(1 << 24)  # a span below has a byte that is settled


@inlined
def event(chance: int, bit: bool) -> int:
    """A bit and its chance, 1 … 65,535, of being zero."""
    return chance << 1 | (1 if bit else 0)


@compiled
def write(events: Events) -> Octets:
    """All events in order: close to the sum of -log2 of their probabilities, and `TAIL` bytes."""
    octets = np.empty(TAIL + 2 + 2 * len(events), np.uint8)  # a bit moves two bytes at most
    low, span = np.uint64(0), np.uint64(0xFFFFFFFF)
    place, held, waiting = 0, np.int64(-1), 0  # a byte is held back, with 0xFF after it: a carry may come
    for number in range(len(events) + TAIL):
        if number < len(events):
            bound = (span >> np.uint64(16)) * np.uint64(events[number] >> 1)
            if events[number] & 1:
                low += bound
                span -= bound
            else:
                span = bound
            if span >= _SMALL:
                continue
        else:
            span = np.uint64(1 << 16)  # the tail: a byte a turn
        while span < _SMALL:
            span = span << _BYTE
            if low < np.uint64(0xFF000000) or low > np.uint64(0xFFFFFFFF):
                place = _settle(octets, place, held, waiting, np.int64(low >> np.uint64(32)))
                held, waiting = np.int64((low >> np.uint64(24)) & np.uint64(255)), 0
            else:
                waiting += 1
            low = (low & np.uint64(0x00FFFFFF)) << _BYTE
    return octets[:place].copy()


@inlined
def _settle(octets: Octets, place: int, held: np.int64, waiting: int, carry: np.int64) -> int:
    """Write the byte that was held back and the 0xFF after it, now that their carry is known."""
    if held >= 0:
        octets[place] = (held + carry) & 255
        place += 1
    for _ in range(waiting):
        octets[place] = (255 + carry) & 255
        place += 1
    return place


@compiled
def reader(octets: Octets) -> Words:
    """The state that `read` works on."""
    state = np.array([0, 0xFFFFFFFF, 0], np.uint64)
    for _ in range(TAIL - 1):
        _next(state, octets)
    return state


@inlined
def read(state: Words, octets: Octets, chance: int) -> bool:
    """The next bit, whose chance to be zero is known; zeros beyond the end."""
    bound = (state[SPAN] >> np.uint64(16)) * np.uint64(chance)
    bit = state[CODE] >= bound
    if bit:
        state[CODE] -= bound
        state[SPAN] -= bound
    else:
        state[SPAN] = bound
    while state[SPAN] < _SMALL:
        state[SPAN] <<= _BYTE
        _next(state, octets)
    return bool(bit)


@inlined
def overrun(state: Words, octets: Octets) -> int:
    """How many bytes were read beyond the end; below 0: so many are left."""
    return int(state[PLACE]) - len(octets)


@inlined
def _next(state: Words, octets: Octets) -> None:
    place = np.int64(state[PLACE])
    byte = np.uint64(octets[place]) if place < len(octets) else np.uint64(0)
    state[CODE] = state[CODE] << _BYTE | byte
    state[PLACE] = place + 1
