"""Canonical Huffman: the lengths of the codes are sent."""

from __future__ import annotations

import heapq

import numba
import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.bits import pack_bits, unpack_bits

Octets = NDArray[np.uint8]
Symbols = NDArray[np.int32]
Whole = NDArray[np.int64]


def huffman_lengths(counts: Whole) -> Whole:
    """Lengths of an optimal prefix code (D. A. Huffman, 1952): (K,), at least 1 where a symbol occurs."""
    heap = [(int(c), (s,)) for s, c in enumerate(counts) if c]
    lengths = np.zeros(len(counts), np.int64)
    lengths[list(heap[0][1]) if len(heap) == 1 else []] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        (a, left), (b, right) = heapq.heappop(heap), heapq.heappop(heap)
        lengths[list(left + right)] += 1
        heapq.heappush(heap, (a + b, left + right))
    return lengths


def huffman_encode(symbols: Symbols, k: int) -> bytes:
    """Canonical Huffman: a nibble of length per symbol of the alphabet, then the codes."""
    lengths = huffman_lengths(np.bincount(symbols, minlength=k))
    return pack_bits(lengths, 4) + _huffman_put(symbols, lengths, _codes(lengths)).tobytes()


def huffman_decode(data: bytes, count: int, k: int) -> Symbols:
    """The symbols of `huffman_encode`."""
    head = (k + 1) // 2
    lengths = unpack_bits(memoryview(data[:head]), k, 4).astype(np.int64)
    return _huffman_take(np.frombuffer(data, np.uint8, offset=head), count, lengths)


@numba.njit(cache=True)
def _codes(lengths: Whole) -> Whole:
    codes, code = np.zeros_like(lengths), 0
    for length in range(1, 16):
        for symbol in range(len(lengths)):
            if lengths[symbol] == length:
                codes[symbol] = code
                code += 1
        code <<= 1
    return codes


@numba.njit(cache=True)
def _huffman_put(symbols: Symbols, lengths: Whole, codes: Whole) -> Octets:
    octets, place = np.zeros(2 * len(symbols) + 1, np.uint8), 0
    for symbol in symbols:
        for bit in range(lengths[symbol] - 1, -1, -1):
            octets[place >> 3] |= ((codes[symbol] >> bit) & 1) << (place & 7)
            place += 1
    return octets[: (place + 7) >> 3]


@numba.njit(cache=True)
def _huffman_take(octets: Octets, count: int, lengths: Whole) -> Symbols:
    ordered, first, start = np.empty(len(lengths), np.int64), np.zeros(17, np.int64), np.zeros(17, np.int64)
    used = code = place = 0
    for length in range(1, 16):
        first[length], start[length] = code, used
        for symbol in range(len(lengths)):
            if lengths[symbol] == length:
                ordered[used] = symbol
                used += 1
                code += 1
        code <<= 1
        start[length + 1] = used
    symbols = np.empty(count, np.int32)
    for number in range(count):
        code = length = 0
        while True:
            code = code << 1 | ((octets[place >> 3] >> (place & 7)) & 1)
            place += 1
            length += 1
            if code - first[length] < start[length + 1] - start[length]:
                break
        symbols[number] = ordered[start[length] + code - first[length]]
    return symbols
