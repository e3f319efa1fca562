"""A range coder of bits, adaptive."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import entropy

Octets = NDArray[np.uint8]
Symbols = NDArray[np.int32]


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
            entropy.put(state, octets, no if bit else 0, yes if bit else no, no + yes)
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
            share, held = entropy.reading(state, no + yes)
            bit = int(held >= no)
            entropy.drop(state, octets, no if bit else 0, yes if bit else no, share)
            seen[node, bit] += 2
            node = 2 * node + bit
        symbols[number] = node - (1 << bits)
    return symbols
