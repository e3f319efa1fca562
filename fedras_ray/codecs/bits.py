"""Unsigned integers of a fixed number of bits, back to back.

The first value starts at the lowest bit of the first byte. Bits after the last value are zero, so
that there is one encoding of a sequence and not several. Zero bits hold a sequence of zeros.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.errors import CodecError
from fedras_ray.kernels import packing

MOST_BITS = 32


def bits_for(distinct: int) -> int:
    """The bits that tell `distinct` values apart: ceil(log2), 0 for one or none."""
    return max(distinct - 1, 0).bit_length()


def packed_bytes(count: int, width: int) -> int:
    """The bytes that `count` values of `width` bits take."""
    return (count * width + 7) // 8


def pack_bits(values: NDArray[np.integer], width: int) -> bytes:
    """Values below 2**width, as packed_bytes(len(values), width) bytes.

    Raises:
        CodecError: a value is negative or needs more bits.
    """
    unsigned = values.astype(np.uint32)  # what is negative becomes large
    if len(values) and int(unsigned.max()) >> width:
        raise CodecError(f"values from {values.min()} to {values.max()} do not fit {width} bits")
    if width == 0:
        return b""
    return packing.pack(unsigned, width).tobytes()


def unpack_bits(data: memoryview, count: int, width: int) -> NDArray[np.uint32]:
    """The values in exactly packed_bytes(count, width) bytes: (count,).

    Raises:
        CodecError: the bytes are too few or too many, or bits after the last value are set.
    """
    if not 0 <= width <= MOST_BITS or len(data) != packed_bytes(count, width):
        raise CodecError(f"{len(data)} bytes cannot be {count} values of {width} bits")
    if width == 0:
        return np.zeros(count, np.uint32)
    values, clean = packing.unpack(np.frombuffer(data, np.uint8), count, width)
    if not clean:
        raise CodecError("bits after the last value are set")
    return values
