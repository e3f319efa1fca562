"""Which rows an update has, and the action each row takes: the end of every body of actions.

n rows, I items, S codebooks of K₁ … K_S actions. Packed:

| bytes | what |
|---|---|
| S × ⌈n·b / 8⌉ | per codebook the index of every row, b = ⌈log2 K⌉ bits each |
| 1 + … | positions |

An update of more than `wire.FREE_FLOATS` floats spends at least one bit on a row: the wire's law of size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.codecs.bits import bits_for, pack_bits, packed_bytes, unpack_bits
from fedras_ray.codecs.positions import pack_positions, positions_bytes, take_positions
from fedras_ray.errors import CodecError

Index = NDArray[np.int32]


def taken_bytes(update: ItemUpdate, sizes: Sequence[int]) -> int:
    """The exact size where every one of K₁ … K_S actions is taken."""
    n = len(update.item_ids)
    indices = sum(packed_bytes(n, _index_bits(k, n, update.width)) for k in sizes)
    return indices + positions_bytes(n, update.item_count)


def pack_taken(update: ItemUpdate, sizes: Sequence[int], indices: Sequence[Index]) -> bytes:
    """The index of every row in each codebook, (n,) below K, and which rows they are."""
    bits = (_index_bits(k, len(update.item_ids), update.width) for k in sizes)
    packed = [pack_bits(index, width) for index, width in zip(indices, bits, strict=True)]
    return b"".join((*packed, pack_positions(update.item_ids, update.item_count)))


def take_taken(frame: wire.Frame, sizes: Sequence[int]) -> tuple[list[NDArray[np.uint32]], NDArray[np.int32]]:
    """Read the rest of a body: per codebook (n,) indices below K, and the (n,) item ids.

    Raises:
        CodecError: not what `pack_taken` writes.
    """
    n, body = frame.rows, frame.body
    indices = []
    for k in sizes:
        bits = _index_bits(k, n, frame.width)
        index = unpack_bits(body.take(packed_bytes(n, bits)), n, bits)  # (n,)
        if n and index.max() >= k:
            raise CodecError(f"a row takes action {index.max()} of {k}")
        indices.append(index)
    item_ids = take_positions(body, n, frame.item_count)  # (n,)
    body.finish()
    return indices, item_ids


def _index_bits(k: int, n: int, width: int) -> int:
    return max(bits_for(k), int(n * width > wire.FREE_FLOATS))
