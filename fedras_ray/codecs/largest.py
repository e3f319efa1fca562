"""What the two top-k codecs share: how many to keep, which, and the byte that says how values are written.

The byte is the number of bytes of a value: 4 for f32, 2 for f16. So decoding needs the blob alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import wire
from fedras_ray.config.codecs import Float
from fedras_ray.errors import CodecError

_DTYPES: dict[int, Float] = {4: "f32", 2: "f16"}
_TAGS = {dtype: bytes([tag]) for tag, dtype in _DTYPES.items()}


def quota(share: float, size: int) -> int:
    """How many of `size` are kept: the nearest number to the share, but at least one."""
    return min(size, max(1, round(share * size)))


def largest(values: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Where the `count` largest values are, increasing; of equal ones the first."""
    if count == 0:
        return np.zeros(0, np.intp)
    least = np.partition(values, -count)[-count]
    taken = values > least
    equal = np.flatnonzero(values == least)
    taken[equal[: count - np.count_nonzero(taken)]] = True
    return np.flatnonzero(taken)


def pack_dtype(dtype: Float) -> bytes:
    """One byte."""
    return _TAGS[dtype]


def take_dtype(body: wire.Body) -> Float:
    """How the values that follow are written.

    Raises:
        CodecError: no byte is left, or another byte.
    """
    tag = body.take(1)[0]
    if tag not in _DTYPES:
        raise CodecError(f"values of {tag} bytes")
    return _DTYPES[tag]
