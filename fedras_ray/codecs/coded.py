"""Indices and ids in one range-coded stream, which is the rest of a body.

n rows, I items, S codebooks of K₁ … K_S actions. In order: per codebook the index of every row, each expected
by how often it was taken before (nothing where K = 1); then which rows they are, at log2 of the number of
such sets, where `walks`; positions that are not walked are sent before the stream as they always are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fedras_ray.errors import CodecError
from fedras_ray.kernels import entropy, modelling, streams

Index = NDArray[np.int32]


def fits(count: int, sizes: Sequence[int]) -> bool:
    """Whether n rows of such codebooks can be coded: the range coder counts them."""
    return streams.fits(count, max(sizes))


def walks(count: int, item_count: int) -> bool:
    """Whether n of I ids are in the stream; the decoder's work is bounded by it."""
    return streams.walks(count, item_count)


def code(sizes: Sequence[int], indices: Sequence[Index], item_ids: Index, item_count: int) -> bytes:
    """The stream of (n,) indices below K for each codebook, and of (n,) ids where `walks`."""
    n = len(item_ids)
    octets, state = np.zeros(streams.room(n, len(sizes), item_count), np.uint8), entropy.begin()
    for k, index in zip(sizes, indices, strict=True):
        if k > 1:
            modelling.put_symbols(state, octets, index, k)
    if walks(n, item_count):
        modelling.put_members(state, octets, item_ids, item_count)
    return octets[: entropy.end(state, octets)].tobytes()


def decode(
    data: memoryview, count: int, sizes: Sequence[int], item_count: int, item_ids: Index | None
) -> tuple[list[Index], Index]:
    """The indices and the ids of a stream; `item_ids` where they are not in it.

    Raises:
        CodecError: not the stream that `code` writes for them.
    """
    octets = np.frombuffer(data, np.uint8)
    again = np.zeros(streams.room(count, len(sizes), item_count), np.uint8)
    state = entropy.open_stream(octets)
    indices = [
        modelling.take_symbols(state, octets, again, count, k) if k > 1 else np.zeros(count, np.int32)
        for k in sizes
    ]
    if item_ids is None:
        item_ids = modelling.take_members(state, octets, again, count, item_count)
    if again[: entropy.end(state, again)].tobytes() != data:
        raise CodecError("a stream of indices that no encoder writes")
    return indices, item_ids
