"""The touched rows and which they are: the baseline that is always shown beside the dense one.

n rows touched by this client, D width. Body: n × D floats in C order, then the positions. (They come last
so that every claimed row has been found in the blob before ids are made.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fedras_ray.codecs import envelopes, wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.blobs import Blobs
from fedras_ray.codecs.floats import floats_bytes, largest_magnitude, pack_floats, unpack_floats
from fedras_ray.codecs.opened import open_each
from fedras_ray.codecs.positions import pack_positions, take_positions
from fedras_ray.codecs.ragged import RaggedOutgoing, RaggedUpdates
from fedras_ray.config import codecs as configs
from fedras_ray.kernels import forms, writing

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

    def encode_ragged(self, outgoing: RaggedOutgoing) -> Blobs | None:
        """As `encode`; in a few calls in f32, which is what the rows are."""
        if self.config.dtype != "f32":
            return None
        largest_magnitude(outgoing.rows)
        rows = np.ascontiguousarray(outgoing.rows, "<f4").reshape(-1).view(np.uint8)
        counts, item_count, width = outgoing.counts, outgoing.item_count, outgoing.width
        layouts, ends = forms.positions_each(counts, item_count)
        floats = floats_bytes(1, "f32") * width * outgoing.offsets  # (C + 1,)
        starts = np.concatenate(([0], np.cumsum(wire.HEADER_BYTES + np.diff(floats) + ends)))
        octets = np.zeros(starts[-1], np.uint8)
        at = starts[:-1] + wire.HEADER_BYTES
        for begin, (first, last) in zip(at.tolist(), pairwise(floats.tolist()), strict=True):
            octets[begin : begin + last - first] = rows[first:last]
        nothing = np.zeros(0, np.int32)
        at += np.diff(floats)
        writing.taken_each(octets, at, nothing, outgoing.item_ids, outgoing.offsets, layouts, item_count)
        return envelopes.seal_each(_IDS["f32"], item_count, width, counts, Blobs(octets, starts))

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
