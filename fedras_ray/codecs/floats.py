"""Floats on the wire: f32 as they are, or f16 with one power of two for all of them.

The shared exponent e (int16) brings the largest magnitude into [2**14, 2**15), the top of f16, so
that neither 1e30 nor 1e-30 is lost. Law of f16, for finite x with largest magnitude m:

    |x̂ − x| ≤ 2**-11 · |x| + 2**-39 · m + 2**-149

(half a unit of an 11-bit significand; half the smallest subnormal of f16; the smallest of f32).
What is not finite is refused on both sides.
"""

from __future__ import annotations

import math
import struct

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.codecs import Float
from fedras_ray.errors import CodecError
from fedras_ray.kernels import tables
from fedras_ray.kernels.halves import LARGEST, LEAST_EXPONENT, MOST_EXPONENT, TOP

_EXPONENT = struct.Struct("<h")
_EXPONENTS = range(LEAST_EXPONENT, MOST_EXPONENT + 1)


def floats_bytes(count: int, dtype: Float) -> int:
    """The exact size of `count` floats."""
    return 4 * count if dtype == "f32" else _EXPONENT.size + 2 * count


def pack_floats(values: NDArray[np.float32], dtype: Float) -> bytes:
    """Finite values of any shape, in C order.

    Raises:
        CodecError: a value is not finite.
    """
    if dtype == "f32":
        return view_floats(values).tobytes()
    peak = largest_magnitude(values)
    exponent = math.frexp(peak)[1] - TOP if peak else 0
    scaled = math.ldexp(1.0, -exponent) * values.astype(np.float64)
    if math.ldexp(peak, -exponent) > LARGEST:  # would round to 2**15
        scaled = scaled.clip(-LARGEST, LARGEST)
    halves = scaled.astype("<f2")
    return b"".join((_EXPONENT.pack(exponent), halves.tobytes()))


def view_floats(values: NDArray[np.float32]) -> memoryview:
    """What `pack_floats` makes in f32, of the values where they lie.

    Raises:
        CodecError: a value is not finite.
    """
    largest_magnitude(values)
    return np.ascontiguousarray(values, "<f4").reshape(-1).view(np.uint8).data


def unpack_floats(data: memoryview, count: int, dtype: Float) -> NDArray[np.float32]:
    """The values in exactly floats_bytes(count, dtype) bytes: (count,).

    Raises:
        CodecError: the bytes are too few or too many, or a value cannot come from `pack_floats`.
    """
    if len(data) != floats_bytes(count, dtype):
        raise CodecError(f"{len(data)} bytes cannot be {count} floats of {dtype}")
    if dtype == "f32":
        values = np.frombuffer(data, "<f4").astype(np.float32, copy=False)
        largest_magnitude(values)
        return values
    (exponent,) = _EXPONENT.unpack(data[: _EXPONENT.size])
    halves = np.frombuffer(data, "<f2", offset=_EXPONENT.size).astype(np.float64)  # (count,)
    if exponent not in _EXPONENTS or (count and not max(halves.max(), -halves.min()) <= LARGEST):
        raise CodecError(f"f16 values with exponent {exponent} that no encoder writes")
    return (halves * math.ldexp(1.0, exponent)).astype(np.float32)


def largest_magnitude(values: NDArray[np.float32]) -> float:
    """Largest |x|, 0 for none.

    Raises:
        CodecError: a value is not finite.
    """
    bits = tables.magnitude(values.ravel().view(np.uint32))
    if bits >= tables.INFINITE:
        raise CodecError("a value is not finite, and cannot be sent")
    return float(np.uint32(bits).view(np.float32))
