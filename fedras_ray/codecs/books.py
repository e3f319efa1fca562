"""A codebook on the wire, which several codecs send.

D width of a codeword, K actions. Section:

| bytes | what |
|---|---|
| 2 | K, u16; 0 for an empty update |
| 2 + 2·K·D | the codewords in f16 with a shared exponent |
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.floats import floats_bytes, pack_floats, unpack_floats
from fedras_ray.codecs.wire import Body
from fedras_ray.errors import CodecError

_COUNT = struct.Struct("<H")


def book_bytes(k: int, width: int) -> int:
    """The exact size of a codebook of K actions."""
    return _COUNT.size + floats_bytes(k * width, "f16")


def pack_book(actions: NDArray[np.float32]) -> bytes:
    """(K, D) finite codewords.

    Raises:
        CodecError: a value is not finite.
    """
    return _COUNT.pack(len(actions)) + pack_floats(actions, "f16")


def take_book(body: Body, rows: int, width: int) -> NDArray[np.float32]:
    """Read the codebook of an update of n rows: (K, D), K from 1 to n, or 0 of none.

    Raises:
        CodecError: not what `pack_book` writes for so many rows.
    """
    (k,) = _COUNT.unpack(body.take(_COUNT.size))
    if not min(rows, 1) <= k <= rows:
        raise CodecError(f"{k} actions for {rows} rows")
    return unpack_floats(body.take(floats_bytes(k * width, "f16")), k * width, "f16").reshape(k, width)


def as_sent(actions: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the decoder will have of (K, D) codewords."""
    sent = unpack_floats(memoryview(pack_floats(actions, "f16")), actions.size, "f16")
    return sent.reshape(actions.shape)
