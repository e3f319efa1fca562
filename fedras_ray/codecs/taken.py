"""Which rows an update has, and the action each row takes: the end of every body of actions.

n rows, I items, S codebooks of K₁ … K_S actions. ``packed``:

| bytes | what |
|---|---|
| S × ⌈n·b / 8⌉ | per codebook the index of every row, b = ⌈log2 K⌉ bits each |
| 1 + … | positions |

An update of more than `wire.FREE_FLOATS` floats spends at least one bit on a row: the wire's law of size.

``entropy``: the same after a byte 0, or, where that is shorter,

| bytes | what |
|---|---|
| 1 | 1 |
| 0, or 1 + … | positions, unless the stream has them (`coded.walks`) |
| the rest | the stream of `coded` |
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import coded, wire
from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.codecs.bits import bits_for, pack_bits, packed_bytes, unpack_bits
from fedras_ray.codecs.positions import pack_positions, positions_bytes, take_positions
from fedras_ray.config.codecs import Indices
from fedras_ray.errors import CodecError
from fedras_ray.kernels.streams import CODED, PACKED

Index = NDArray[np.int32]


def taken_bytes(update: ItemUpdate, sizes: Sequence[int], how: Indices) -> int:
    """The size where every one of K₁ … K_S actions is taken: exact if packed, otherwise the largest."""
    size = packed_taken_bytes(len(update.item_ids), update.width, update.item_count, sizes)
    return size if how == "packed" else 1 + size


def packed_taken_bytes(n: int, width: int, item_count: int, sizes: Sequence[int]) -> int:
    """The exact size for n of I rows, with fixed bits for the indices into each codebook."""
    indices = sum(packed_bytes(n, _index_bits(k, n, width)) for k in sizes)
    return indices + positions_bytes(n, item_count)


def pack_taken(update: ItemUpdate, sizes: Sequence[int], indices: Sequence[Index], how: Indices) -> bytes:
    """The index of every row in each codebook, (n,) below K, and which rows they are."""
    if how == "packed":
        return _pack(update.item_ids, update.item_count, update.width, sizes, indices)
    return _pack_shorter(update.item_ids, update.item_count, update.width, sizes, indices)


def _pack_shorter(
    item_ids: Index, item_count: int, width: int, sizes: Sequence[int], indices: Sequence[Index]
) -> bytes:
    """Coded, or packed where that is not longer."""
    n, size = len(item_ids), packed_taken_bytes(len(item_ids), width, item_count, sizes)
    if coded.fits(n, sizes):
        stream = coded.code(sizes, indices, item_ids, item_count)
        if not coded.walks(n, item_count):
            stream = pack_positions(item_ids, item_count) + stream
        if len(stream) < size and wire.obeys_size_law(n, width, len(stream)):
            return bytes([CODED]) + stream
    return bytes([PACKED]) + _pack(item_ids, item_count, width, sizes, indices)


def take_taken(frame: wire.Frame, sizes: Sequence[int], how: Indices) -> tuple[list[Index], Index]:
    """Read the rest of a body: per codebook (n,) indices below K, and the (n,) item ids.

    Raises:
        CodecError: not what `pack_taken` writes.
    """
    tag = PACKED if how == "packed" else frame.body.take(1)[0]
    if tag == PACKED:
        return _unpack(frame, sizes)
    n, item_count = frame.rows, frame.item_count
    if tag != CODED or not coded.fits(n, sizes):
        raise CodecError(f"indices of form {tag} for {n} rows")
    most = packed_taken_bytes(n, frame.width, item_count, sizes)
    left = len(frame.body)
    item_ids = None if coded.walks(n, item_count) else take_positions(frame.body, n, item_count)
    data = frame.body.take(len(frame.body))
    if left >= most:
        raise CodecError("indices that are shorter when they are packed")
    return coded.decode(data, n, sizes, item_count, item_ids)


def _pack(
    item_ids: Index, item_count: int, width: int, sizes: Sequence[int], indices: Sequence[Index]
) -> bytes:
    bits = (_index_bits(k, len(item_ids), width) for k in sizes)
    packed = [pack_bits(index, each) for index, each in zip(indices, bits, strict=True)]
    return b"".join((*packed, pack_positions(item_ids, item_count)))


def _unpack(frame: wire.Frame, sizes: Sequence[int]) -> tuple[list[Index], Index]:
    n, body = frame.rows, frame.body
    indices = []
    for k in sizes:
        bits = _index_bits(k, n, frame.width)
        index = unpack_bits(body.take(packed_bytes(n, bits)), n, bits)  # (n,)
        if n and index.max() >= k:
            raise CodecError(f"a row takes action {index.max()} of {k}")
        indices.append(index.view(np.int32))  # K is far below 2**31
    item_ids = take_positions(body, n, frame.item_count)  # (n,)
    body.finish()
    return indices, item_ids


def _index_bits(k: int, n: int, width: int) -> int:
    return max(bits_for(k), int(n * width > wire.FREE_FLOATS))
