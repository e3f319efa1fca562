"""A range coder: any number of symbols, each at the cost of its probability, in one stream.

G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised message", 1979.
All arithmetic is on integers, so a stream is the same on every machine.

The interval of a message is [low, low + width) in units of 2**-48; a byte leaves when width < 2**40, and a
carry runs back into the bytes that already left. The stream ends after the first byte with which some
number of the interval is written, and is read as if zeros followed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Octets = NDArray[np.uint8]
Counts = NDArray[np.int64]

LOW, WIDTH, PLACE = 0, 1, 2  # of an encoder's state; a decoder has its number instead of low
_WHOLE = 1 << 48
_LEAST = 1 << 40
MOST_TOTAL = 1 << 24  # of frequencies: the width of one is then rounded by less than 2**-16


@compiled
def begin() -> Counts:
    """The state of an encoder."""
    return np.array([0, _WHOLE, 0])


@compiled
def put(state: Counts, octets: Octets, below: int, frequency: int, total: int) -> None:
    """Code one of `total` equal shares' `frequency`, after `below` others."""
    share = state[WIDTH] // total
    state[LOW] += below * share
    state[WIDTH] = frequency * share
    if state[LOW] >= _WHOLE:
        state[LOW] -= _WHOLE
        _carry(octets, state[PLACE] - 1)
    while state[WIDTH] < _LEAST:
        octets[state[PLACE]] = state[LOW] >> 40
        state[PLACE] += 1
        state[LOW] = (state[LOW] & (_LEAST - 1)) << 8
        state[WIDTH] <<= 8


@compiled
def _carry(octets: Octets, place: int) -> None:
    while octets[place] == 255:
        octets[place] = 0
        place -= 1
    octets[place] += np.uint8(1)


@compiled
def end(state: Counts, octets: Octets) -> int:
    """Write the shortest number of the interval; how many bytes the stream has, without zeros at its end."""
    for bits in range(48, -1, -8):
        unit = 1 << bits
        number = (state[LOW] + unit - 1) // unit * unit
        if number < state[LOW] + state[WIDTH]:
            if number >= _WHOLE:
                _carry(octets, state[PLACE] - 1)
            for place in range(6):
                octets[state[PLACE] + place] = (number >> (40 - 8 * place)) & 255
            break
    length = int(state[PLACE]) + 6
    while length > 0 and octets[length - 1] == 0:
        length -= 1
    return length


@compiled
def open_stream(octets: Octets) -> Counts:
    """The state of a decoder."""
    number = 0
    for place in range(6):
        number = number << 8 | (octets[place] if place < len(octets) else 0)
    return np.array([number, _WHOLE, 6])


@compiled
def reading(state: Counts, total: int) -> tuple[int, int]:
    """How wide each of `total` equal shares is, and which one comes next."""
    share = state[WIDTH] // total
    return share, min(state[LOW] // share, total - 1)


@compiled
def drop(state: Counts, octets: Octets, below: int, frequency: int, share: int) -> None:
    """Go past what `put` coded with the same numbers, and shares so wide.

    The number stays within [0, width) whatever the bytes are: above the last share no encoder is.
    """
    state[WIDTH] = frequency * share
    state[LOW] = min(state[LOW] - below * share, state[WIDTH] - 1)
    while state[WIDTH] < _LEAST:
        octet = octets[state[PLACE]] if state[PLACE] < len(octets) else 0
        state[LOW] = state[LOW] << 8 | octet
        state[WIDTH] <<= 8
        state[PLACE] += 1
