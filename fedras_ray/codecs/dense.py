"""The whole table, touched or not: what FedMF-like systems send, and what reductions are counted against.

I items in the catalogue, n rows with a value in them, D width. Body: I × D floats in C order; the
header's n is I. A row of zeros says nothing, so decoding returns the rows that are not all zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.floats import floats_bytes, pack_floats, unpack_floats, view_floats
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from fedras_ray.kernels import tables

_IDS = {"f32": wire.CodecId.DENSE_F32, "f16": wire.CodecId.DENSE_F16}
_FLOAT_BYTES = {"f32": 4, "f16": 2}


@dataclass(frozen=True, slots=True)
class DenseCodec:
    """I × D floats."""

    config: configs.DenseCodec

    def encode(self, outgoing: Outgoing) -> bytes:
        """18 + I·D·4 bytes in f32, 20 + I·D·2 in f16."""
        update, dtype = outgoing.update, self.config.dtype
        packed = view_floats(update.rows) if dtype == "f32" else pack_floats(update.rows, dtype)
        body = _spread(packed, update, dtype)
        return wire.pack(_IDS[dtype], update.item_count, update.width, update.item_count, *body)

    def decode(self, blob: bytes) -> ItemUpdate:
        """The rows that are not all zero."""
        frame = wire.unpack(blob, _IDS[self.config.dtype])
        if frame.rows != frame.item_count:
            raise CodecError(f"a dense blob of {frame.rows} rows for {frame.item_count} items")
        count = frame.item_count * frame.width
        data = frame.body.take(floats_bytes(count, self.config.dtype))
        flat = unpack_floats(data, count, self.config.dtype)
        frame.body.finish()
        table = flat.reshape(frame.item_count, frame.width)  # (I, D)
        item_ids = tables.marked_rows(table.view(np.uint32))  # (n,)
        rows = table.copy() if len(item_ids) == len(table) else table[item_ids]  # floats where they belong
        return ItemUpdate(item_ids, rows, frame.item_count)


def _spread(
    packed: bytes | memoryview, update: ItemUpdate, dtype: configs.Float
) -> tuple[memoryview, memoryview]:
    """What is before the floats of n rows, and these among zeros for the rest of I rows.

    A zero is all zero bits in f32 and in f16, and changes nothing of what f16's exponent is chosen from.
    """
    view, row_bytes = memoryview(packed), update.width * _FLOAT_BYTES[dtype]
    head = len(packed) - row_bytes * len(update.item_ids)
    if len(update.item_ids) == update.item_count:
        return view[:head], view[head:]
    table = np.zeros((update.item_count, row_bytes), np.uint8)
    table[update.item_ids] = np.frombuffer(view[head:], np.uint8).reshape(-1, row_bytes)
    return view[:head], table.data.cast("B")
