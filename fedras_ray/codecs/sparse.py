"""The touched rows and which they are: the baseline that is always shown beside the dense one.

n rows touched by this client, D width. Body: n × D floats in C order, then the positions. (They come last
so that every claimed row has been found in the blob before ids are made.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.floats import floats_bytes, largest_magnitude, pack_floats, unpack_floats
from fedras_ray.codecs.opened import open_each
from fedras_ray.codecs.positions import pack_positions, take_positions
from fedras_ray.codecs.ragged import RaggedOutgoing, RaggedUpdates
from fedras_ray.codecs.taken import pack_positions_each
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

    def encode_ragged(self, outgoing: RaggedOutgoing) -> list[bytes] | None:
        """As `encode`; in a few calls in f32, which is what the rows are."""
        if self.config.dtype != "f32":
            return None
        largest_magnitude(outgoing.rows)
        octets = np.ascontiguousarray(outgoing.rows, "<f4").reshape(-1).view(np.uint8).data
        bounds = (4 * outgoing.width * outgoing.offsets).tolist()
        floats = [octets[first:last] for first, last in pairwise(bounds)]
        sections = floats, pack_positions_each(outgoing)
        return wire.pack_each(_IDS["f32"], outgoing.item_count, outgoing.width, outgoing.offsets, *sections)

    def decode_ragged(self, blobs: Sequence[bytes]) -> RaggedUpdates | None:
        """As `decode`, in a few calls; in f32."""
        opened = open_each(blobs, _IDS["f32"]) if self.config.dtype == "f32" else None
        return None if opened is None else opened.plain_rows()


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
