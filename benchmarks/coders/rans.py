"""Static range ANS: the frequencies are sent, in twelve bits."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.bits import pack_bits, unpack_bits

Octets = NDArray[np.uint8]
Symbols = NDArray[np.int32]
Whole = NDArray[np.int64]

SCALE = 12  # bits of a quantised frequency
BOTTOM = 1 << 23  # of the state


def rans_encode(symbols: Symbols, k: int) -> bytes:
    """Frequencies per symbol, then the bytes of the state (J. Duda, arXiv 1311.2540)."""
    shares = _quantised(np.bincount(symbols, minlength=k))
    return pack_bits(shares, SCALE + 1) + _rans_put(symbols, shares).tobytes()


def rans_decode(data: bytes, count: int, k: int) -> Symbols:
    """The symbols of `rans_encode`."""
    head = (k * (SCALE + 1) + 7) // 8
    shares = unpack_bits(memoryview(data[:head]), k, SCALE + 1).astype(np.int64)
    return _rans_take(np.frombuffer(data, np.uint8, offset=head), count, shares)


def _quantised(counts: Whole) -> Whole:
    shares = np.maximum(counts * (1 << SCALE) // counts.sum(), counts > 0).astype(np.int64)
    shares[shares.argmax()] += (1 << SCALE) - shares.sum()
    return shares


@numba.njit(cache=True)
def _rans_put(symbols: Symbols, shares: Whole) -> Octets:
    below = np.concatenate((np.zeros(1, np.int64), np.cumsum(shares)))
    octets, place = np.empty(2 * len(symbols) + 8, np.uint8), 2 * len(symbols) + 8
    state = BOTTOM
    for symbol in symbols[::-1]:
        while state >= ((BOTTOM >> SCALE) << 8) * shares[symbol]:
            place -= 1
            octets[place] = state & 255
            state >>= 8
        state = (state // shares[symbol] << SCALE) + state % shares[symbol] + below[symbol]
    for _ in range(4):
        place -= 1
        octets[place] = state & 255
        state >>= 8
    return octets[place:]


@numba.njit(cache=True)
def _rans_take(octets: Octets, count: int, shares: Whole) -> Symbols:
    below = np.concatenate((np.zeros(1, np.int64), np.cumsum(shares)))
    holder = np.empty(1 << SCALE, np.int32)
    for symbol in range(len(shares)):
        holder[below[symbol] : below[symbol + 1]] = symbol
    state = place = 0
    for _ in range(4):
        state = state << 8 | octets[place]
        place += 1
    symbols = np.empty(count, np.int32)
    for number in range(count):
        slot = state & ((1 << SCALE) - 1)
        symbols[number] = symbol = holder[slot]
        state = shares[symbol] * (state >> SCALE) + slot - below[symbol]
        while state < BOTTOM and place < len(octets):
            state = state << 8 | octets[place]
            place += 1
    return symbols
