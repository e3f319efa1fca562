"""The entries of largest magnitude, and nothing of the rest.

A. F. Aji, K. Heafield, "Sparse Communication for Distributed Gradient Descent", EMNLP 2017,
arXiv:1704.05021.

n rows in the blob, D width, m entries in the blob. The place of an entry is row · D + column, where the row
counts among the n rows. Body:

| bytes | what |
|---|---|
| 1 | bytes of a value: 4 (f32) or 2 (f16) |
| 4 | m, u32 |
| 4·m, or 2 + 2·m | the values, by place |
| 1 + … | positions: m of n·D places, at least one in every row |
| 1 + … | positions: n of I rows |

Large entries lie together in few rows when an update is nearly rank one, so that places among n·D and then
rows among I cost less than places among I·D.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.floats import floats_bytes, largest_magnitude, pack_floats, unpack_floats
from fedras_ray.codecs.largest import largest, pack_dtype, quota, take_dtype
from fedras_ray.codecs.positions import pack_positions, take_positions
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError

_COUNT = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class TopEntriesCodec:
    """The share of entries with the largest magnitudes, at least one; of equals the first, and no zeros."""

    leaves_out_rows: ClassVar[bool] = True
    config: configs.TopKCodec

    def encode(self, outgoing: Outgoing) -> bytes:
        """Rows without a kept entry are not in the blob."""
        update = outgoing.update
        largest_magnitude(update.rows)
        flat = np.abs(update.rows).ravel()  # (n·D,)
        places = largest(flat, min(quota(self.config.share, flat.size), int(np.count_nonzero(flat))))  # (m,)
        rows, inverse = np.unique(places // update.width, return_inverse=True)  # which of n have an entry
        within = inverse * update.width + places % update.width  # (m,), among the kept rows
        size = len(rows) * update.width
        if size > wire.MOST_ITEMS:
            raise CodecError(f"{len(rows)} rows of width {update.width} have more than 2**31 places")
        body = (
            pack_dtype(self.config.dtype)
            + _COUNT.pack(len(places))
            + pack_floats(update.rows.ravel()[places], self.config.dtype)
            + pack_positions(within.astype(np.int32), size)
            + pack_positions(update.item_ids[rows], update.item_count)
        )
        return wire.pack(wire.CodecId.TOPK_ENTRIES, update.item_count, update.width, len(rows), body)

    def decode(self, blob: bytes) -> ItemUpdate:
        """The rows that have an entry, zero elsewhere."""
        frame = wire.unpack(blob, wire.CodecId.TOPK_ENTRIES)
        n, body, size = frame.rows, frame.body, frame.rows * frame.width
        dtype = take_dtype(body)
        (m,) = _COUNT.unpack(body.take(_COUNT.size))
        if not n <= m <= size <= wire.MOST_ITEMS:
            raise CodecError(f"{m} entries in {n} rows of width {frame.width}")
        values = unpack_floats(body.take(floats_bytes(m, dtype)), m, dtype)  # (m,)
        places = take_positions(body, m, size)  # (m,)
        item_ids = take_positions(body, n, frame.item_count)  # (n,)
        body.finish()
        if np.count_nonzero(np.diff(places // frame.width, prepend=-1)) != n:
            raise CodecError(f"the entries do not lie in each of {n} rows")
        rows = np.zeros(size, np.float32)
        rows[places] = values
        return ItemUpdate(item_ids, rows.reshape(n, frame.width), frame.item_count)
