"""The whole table, touched or not: what FedMF-like systems send, and what reductions are counted against.

I items in the catalogue, n rows with a value in them, D width. Body: I × D floats in C order; the
header's n is I. A row of zeros says nothing, so decoding returns the rows that are not all zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.floats import floats_bytes, pack_floats, unpack_floats
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError

_IDS = {"f32": wire.CodecId.DENSE_F32, "f16": wire.CodecId.DENSE_F16}


@dataclass(frozen=True, slots=True)
class DenseCodec:
    """I × D floats."""

    config: configs.DenseCodec

    def encode(self, outgoing: Outgoing) -> bytes:
        """18 + I·D·4 bytes in f32, 20 + I·D·2 in f16."""
        update = outgoing.update
        table = np.zeros((update.item_count, update.width), np.float32)  # (I, D)
        table[update.item_ids] = update.rows
        body = pack_floats(table, self.config.dtype)
        return wire.pack(_IDS[self.config.dtype], update.item_count, update.width, update.item_count, body)

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
        item_ids = np.flatnonzero(table.any(axis=1)).astype(np.int32)  # (n,)
        return ItemUpdate(item_ids, table[item_ids], frame.item_count)
