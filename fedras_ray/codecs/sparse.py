"""The touched rows and which they are: the baseline that is always shown beside the dense one.

n rows touched by this client, D width. Body: n × D floats in C order, then the positions. (They come last
so that every claimed row has been found in the blob before ids are made.)
"""

from __future__ import annotations

from dataclasses import dataclass

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.floats import floats_bytes, pack_floats, unpack_floats
from fedras_ray.codecs.positions import pack_positions, take_positions
from fedras_ray.config import codecs as configs

_IDS = {"f32": wire.CodecId.SPARSE_F32, "f16": wire.CodecId.SPARSE_F16}


@dataclass(frozen=True, slots=True)
class SparseCodec:
    """n × D floats and n positions."""

    config: configs.SparseCodec

    def encode(self, outgoing: Outgoing) -> bytes:
        """18 + floats + positions bytes; exact in f32."""
        update, dtype = outgoing.update, self.config.dtype
        return wire.pack(
            _IDS[dtype], update.item_count, update.width, len(update.item_ids), pack_rows(update, dtype)
        )

    def decode(self, blob: bytes) -> ItemUpdate:
        """Every touched row, zeros included."""
        return take_rows(wire.unpack(blob, _IDS[self.config.dtype]), self.config.dtype)


def pack_rows(update: ItemUpdate, dtype: configs.Float) -> bytes:
    """The body."""
    return pack_floats(update.rows, dtype) + pack_positions(update.item_ids, update.item_count)


def take_rows(frame: wire.Frame, dtype: configs.Float) -> ItemUpdate:
    """The update in the rest of a body.

    Raises:
        CodecError: not what `pack_rows` writes.
    """
    count = frame.rows * frame.width
    flat = unpack_floats(frame.body.take(floats_bytes(count, dtype)), count, dtype)
    item_ids = take_positions(frame.body, frame.rows, frame.item_count)  # (n,)
    frame.body.finish()
    return ItemUpdate(item_ids, flat.reshape(frame.rows, frame.width), frame.item_count)
