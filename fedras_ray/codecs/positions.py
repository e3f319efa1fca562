"""Which rows of the table are in a blob: n strictly increasing ids below I, exactly.

One byte says how, and the rest is the shortest of

* nothing, when every row is there (n = I);
* a bitmap of I bits;
* Elias–Fano: the lowest l bits of every id as they are, and the rest in unary, where bit
  (id >> l) + rank is set; n·l + n + (I−1 >> l) bits with l = floor(log2(I / n)). Within half a bit per id of
  the entropy. (P. Elias, Efficient storage and retrieval by content and address of static files, J. ACM 1974,
  doi:10.1145/321812.321820.)

The choice follows from I and n alone, so a decoder refuses every other.
"""

from __future__ import annotations

import functools
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.bits import packed_bytes
from fedras_ray.codecs.wire import Body
from fedras_ray.errors import CodecError
from fedras_ray.kernels import packing


class Form(IntEnum):
    """How the ids are written. Append only."""

    ALL = 0
    BITMAP = 1
    ELIAS_FANO = 2


@functools.lru_cache(maxsize=65_536)
def positions_bytes(count: int, item_count: int) -> int:
    """The exact size of the section for n of I ids."""
    return 1 + _payload_bytes(_form(count, item_count), count, item_count)


@functools.lru_cache(maxsize=65_536)
def layout(count: int, item_count: int) -> tuple[int, int, int]:
    """For n of I ids: the form, and for Elias–Fano how many low bits and the largest value above them."""
    form = _form(count, item_count)
    return (int(form), *(_split(count, item_count) if form is Form.ELIAS_FANO and count else (0, 0)))


def pack_positions(item_ids: NDArray[np.int32], item_count: int) -> bytes:
    """Strictly increasing ids below `item_count`, as positions_bytes(n, I) bytes."""
    form = _form(len(item_ids), item_count)
    tag = bytes([form])
    if form is Form.ALL or len(item_ids) == 0:
        return tag
    if form is Form.BITMAP:
        return tag + _pack_set(item_ids, item_count)
    return tag + packing.pack_ids(item_ids, *_split(len(item_ids), item_count)).tobytes()


def take_positions(body: Body, count: int, item_count: int) -> NDArray[np.int32]:
    """Read n ids below I: (n,), strictly increasing.

    Raises:
        CodecError: not what `pack_positions` writes.
    """
    form = _form(count, item_count)
    if (tag := body.take(1)[0]) != form:
        raise CodecError(f"positions of form {tag} where {count} of {item_count} ids take form {int(form)}")
    payload = body.take(_payload_bytes(form, count, item_count))
    if form is Form.ALL:
        return np.arange(item_count, dtype=np.int32)
    if count == 0:
        return np.zeros(0, np.int32)
    if form is Form.BITMAP:
        return _unpack_set(payload, count, item_count).astype(np.int32)
    ids, clean = packing.unpack_ids(np.frombuffer(payload, np.uint8), count, *_split(count, item_count))
    if not clean or not packing.increasing(ids, item_count):
        raise CodecError(f"these are not {count} ids that increase strictly within 0 … {item_count - 1}")
    return ids


@functools.lru_cache(maxsize=65_536)
def _form(count: int, item_count: int) -> Form:
    if count == item_count:
        return Form.ALL
    both = (Form.BITMAP, Form.ELIAS_FANO)
    return min(both, key=lambda form: _payload_bytes(form, count, item_count))


@functools.lru_cache(maxsize=65_536)
def _payload_bytes(form: Form, count: int, item_count: int) -> int:
    if form is Form.ALL or count == 0:
        return 0
    if form is Form.BITMAP:
        return packed_bytes(item_count, 1)
    low, top = _split(count, item_count)
    return packed_bytes(count, low) + packed_bytes(count + top, 1)


def _split(count: int, item_count: int) -> tuple[int, int]:
    """The number of low bits, and the largest value of what is above them."""
    low = (item_count // count).bit_length() - 1
    return low, (item_count - 1) >> low


def _pack_set(members: NDArray[np.integer], size: int) -> bytes:
    return packing.mark(members.astype(np.int64), size).tobytes()


def _unpack_set(data: memoryview, count: int, size: int) -> NDArray[np.int64]:
    members, exact = packing.marked(np.frombuffer(data, np.uint8), count)
    if not exact or (count and members[-1] >= size):
        raise CodecError(f"not {count} rows below {size} are marked, though so many were announced")
    return members
