"""A range coder of bits, adaptive."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import entropy

Octets = NDArray[np.uint8]
Symbols = NDArray[np.int32]


@numba.njit(cache=True)
def put(state: entropy.State, octets: Octets, below: int, frequency: int, total: int) -> None:
    """Code one of `total` equal shares' `frequency`, after `below` others."""
    share = state[entropy.WIDTH] // np.uint64(total)
    low, width, place = state[entropy.LOW] + np.uint64(below) * share, np.uint64(frequency) * share, state[2]
    if low >= entropy.WHOLE:
        low -= entropy.WHOLE
        entropy.carry(octets, np.int64(place) - 1)
    while width < entropy.LEAST:
        octets[np.int64(place)] = low >> np.uint64(40)
        low, width = (low & (entropy.LEAST - np.uint64(1))) << np.uint64(8), width << np.uint64(8)
        place += np.uint64(1)
    state[entropy.LOW], state[entropy.WIDTH], state[entropy.PLACE] = low, width, place


@numba.njit(cache=True)
def drop(state: entropy.State, octets: Octets, below: int, frequency: int, share: int) -> None:
    """Go past what `put` coded with the same numbers, and shares so wide."""
    width, number = np.uint64(frequency) * share, state[entropy.NUMBER] - np.uint64(below) * share
    while width < entropy.LEAST:
        at = np.int64(state[entropy.PLACE]) + entropy.AHEAD
        number = number << np.uint64(8) | np.uint64(octets[at] if at < len(octets) else 0)
        width <<= np.uint64(8)
        state[entropy.PLACE] += np.uint64(1)
    state[entropy.WIDTH], state[entropy.NUMBER] = width, number


@numba.njit(cache=True)
def binary_encode(symbols: Symbols, bits: int) -> Octets:
    """Bits of each symbol from the top, each by what came before at its node of the tree."""
    seen, octets, state = (
        np.ones((1 << bits, 2), np.int64),
        np.zeros(3 * len(symbols) + 64, np.uint8),
        entropy.begin(),
    )
    for symbol in symbols:
        node = 1
        for place in range(bits - 1, -1, -1):
            bit = (symbol >> place) & 1
            no, yes = seen[node]
            put(state, octets, no if bit else 0, yes if bit else no, no + yes)
            seen[node, bit] += 2
            node = 2 * node + bit
    return octets[: entropy.end(state, octets)]


@numba.njit(cache=True)
def binary_decode(octets: Octets, count: int, bits: int) -> Symbols:
    """The symbols of `binary_encode`."""
    seen, state = np.ones((1 << bits, 2), np.int64), entropy.open_stream(octets)
    symbols = np.empty(count, np.int32)
    for number in range(count):
        node = 1
        for _ in range(bits):
            no, yes = seen[node]
            share = state[entropy.WIDTH] // np.uint64(no + yes)
            bit = int(state[entropy.NUMBER] >= np.uint64(no) * share)
            drop(state, octets, no if bit else 0, yes if bit else no, share)
            seen[node, bit] += 2
            node = 2 * node + bit
        symbols[number] = node - (1 << bits)
    return symbols
