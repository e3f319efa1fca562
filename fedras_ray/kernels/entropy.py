"""A range coder: any number of symbols, each at the cost of its probability, in one stream.

G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised message", 1979.
All arithmetic is on integers, so a stream is the same on every machine.

The interval of a message is [low, low + width) in units of 2**-48; a byte leaves when width < 2**40, and a
carry runs back into the bytes that already left. The stream ends after the first byte with which some
number of the interval is written, and is read as if zeros followed.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Octets = NDArray[np.uint8]
Counts = NDArray[np.int64]
State: TypeAlias = NDArray[np.uint64]
Place: TypeAlias = "int | np.integer[Any]"

LOW, WIDTH, PLACE, NUMBER = 0, 1, 2, 3  # of a coder's state; the number only a decoder has, less low
AHEAD = 6  # bytes: so far before its place in the stream a decoder reads
WHOLE, LEAST = np.uint64(1 << 48), np.uint64(1 << 40)
MOST_TOTAL = 1 << 24  # of frequencies: the width of one is then rounded by less than 2**-16


@compiled
def begin() -> State:
    """The state of an encoder."""
    return np.array([0, WHOLE, 0, 0], np.uint64)


@compiled
def carry(octets: Octets, place: Place) -> None:
    """Add one to the byte at a place, and to those before it as far as it runs."""
    while octets[place] == 255:
        octets[place] = 0
        place -= 1
    octets[place] += np.uint8(1)


@compiled
def end(state: State, octets: Octets) -> int:
    """Write the shortest number of the interval; how many bytes the stream has, without zeros at its end."""
    low, width, place = np.int64(state[LOW]), np.int64(state[WIDTH]), np.int64(state[PLACE])
    for bits in range(48, -1, -8):
        unit = 1 << bits
        number = (low + unit - 1) // unit * unit
        if number < low + width:
            if number >= 1 << 48:
                carry(octets, place - 1)
            for at in range(6):
                octets[place + at] = (number >> (40 - 8 * at)) & 255
            break
    length = int(place) + 6
    while length > 0 and octets[length - 1] == 0:
        length -= 1
    return length


@compiled
def open_stream(octets: Octets) -> State:
    """The state of a decoder."""
    state, number = begin(), 0
    for place in range(AHEAD):
        number = number << 8 | (octets[place] if place < len(octets) else 0)
    state[NUMBER] = np.uint64(number)
    return state
