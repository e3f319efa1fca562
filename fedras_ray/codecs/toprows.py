"""The rows of largest 2-norm, and nothing of the rest: an item is sent whole or not at all.

The row-wise form of A. F. Aji, K. Heafield, "Sparse Communication for Distributed Gradient Descent",
EMNLP 2017, arXiv:1704.05021, which drops entries (`topentries`).

n rows in the blob, D width. Body:

| bytes | what |
|---|---|
| 1 | bytes of a value: 4 (f32) or 2 (f16) |
| 4·n·D, or 2 + 2·n·D | the kept rows' values, C order |
| 1 + … | positions |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.floats import largest_magnitude
from fedras_ray.codecs.largest import largest, pack_dtype, quota, take_dtype
from fedras_ray.codecs.sparse import pack_rows, take_rows
from fedras_ray.config import codecs as configs


@dataclass(frozen=True, slots=True)
class TopRowsCodec:
    """The share of rows with the largest norms, at least one; of equals the first."""

    leaves_out_rows: ClassVar[bool] = True
    config: configs.TopKCodec

    def encode(self, outgoing: Outgoing) -> bytes:
        """One byte more than a sparse blob of the kept rows."""
        update = outgoing.update
        largest_magnitude(update.rows)
        energy = np.square(update.rows.astype(np.float64, order="C")).sum(axis=1)  # (n,)
        kept = largest(energy, quota(self.config.share, len(energy)))
        few = ItemUpdate(update.item_ids[kept], update.rows[kept], update.item_count)
        body = pack_dtype(self.config.dtype) + pack_rows(few, self.config.dtype)
        return wire.pack(wire.CodecId.TOPK_ROWS, few.item_count, few.width, len(kept), body)

    def decode(self, blob: bytes) -> ItemUpdate:
        """The rows that were kept."""
        frame = wire.unpack(blob, wire.CodecId.TOPK_ROWS)
        return take_rows(frame, take_dtype(frame.body))
