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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.wire import Body
from fedras_ray.errors import CodecError
from fedras_ray.kernels import forms, marking


class Form(IntEnum):
    """How the ids are written. Append only."""

    ALL = forms.ALL
    BITMAP = forms.BITMAP
    ELIAS_FANO = forms.ELIAS_FANO


class Layout(NamedTuple):
    """How n of I ids are written."""

    form: Form
    low: int  # bits of each that are written as they are, in Elias–Fano
    top: int  # the largest value of what is above them
    payload_bytes: int


@functools.lru_cache(maxsize=65_536)
def layout(count: int, item_count: int) -> Layout:
    """Of the section for n of I ids."""
    form, *numbers = forms.positions(count, item_count)
    return Layout(Form(form), *numbers)


def positions_bytes(count: int, item_count: int) -> int:
    """The exact size of the section for n of I ids."""
    return 1 + layout(count, item_count).payload_bytes


def pack_positions(item_ids: NDArray[np.int32], item_count: int) -> bytes:
    """Strictly increasing ids below `item_count`, as positions_bytes(n, I) bytes."""
    form, low, top, _ = layout(len(item_ids), item_count)
    tag = bytes([form])
    if form is Form.ALL or len(item_ids) == 0:
        return tag
    if form is Form.BITMAP:
        return tag + _pack_set(item_ids, item_count)
    return tag + marking.pack_ids(item_ids, low, top).tobytes()


def take_positions(body: Body, count: int, item_count: int) -> NDArray[np.int32]:
    """Read n ids below I: (n,), strictly increasing.

    Raises:
        CodecError: not what `pack_positions` writes.
    """
    form, low, top, payload_bytes = layout(count, item_count)
    if (tag := body.take(1)[0]) != form:
        raise CodecError(f"positions of form {tag} where {count} of {item_count} ids take form {int(form)}")
    payload = body.take(payload_bytes)
    if form is Form.ALL:
        return np.arange(item_count, dtype=np.int32)
    if count == 0:
        return np.zeros(0, np.int32)
    if form is Form.BITMAP:
        return _unpack_set(payload, count, item_count)
    ids, clean = marking.unpack_ids(np.frombuffer(payload, np.uint8), count, low, top)
    if not clean or not marking.increasing(ids, item_count):
        raise CodecError(f"these are not {count} ids that increase strictly within 0 … {item_count - 1}")
    return ids


def _pack_set(members: NDArray[np.integer], size: int) -> bytes:
    return marking.mark(members.astype(np.int32), size).tobytes()


def _unpack_set(data: memoryview, count: int, size: int) -> NDArray[np.int32]:
    members, exact = marking.marked(np.frombuffer(data, np.uint8), count)
    if not exact or (count and members[-1] >= size):
        raise CodecError(f"not {count} rows below {size} are marked, though so many were announced")
    return members
