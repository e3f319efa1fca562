"""The envelopes of many blobs at once: those of `wire`, byte for byte.

C blobs of one codec and one table, n rows in one, I items, D width.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from fedras_ray.codecs import wire
from fedras_ray.codecs.blobs import Blobs
from fedras_ray.codecs.wire import FIELD_BYTES, HEADER_BYTES
from fedras_ray.kernels import heads

_ALIKE = struct.Struct("<2sBBIH")  # the fields before the number of rows


def seal_each(
    codec_id: wire.CodecId | int, item_count: int, width: int, counts: NDArray[np.int64], blobs: Blobs
) -> Blobs:
    """Write the headers of C updates of so many rows, whose bodies are there behind the room for them.

    Raises:
        CodecError: as `wire.pack`.
    """
    for rows in (counts.min(initial=0), counts.max(initial=0)):
        wire.check_fields(codec_id, item_count, width, int(rows))
    alike = _ALIKE.pack(wire.MAGIC, wire.VERSION, codec_id, item_count, width)
    octets, starts = blobs.octets, blobs.starts[:-1]
    sums = heads.put_fields(octets, starts, np.frombuffer(alike, np.uint8), counts)
    heads.put_checksums(octets, starts + FIELD_BYTES, np.array(_checksums(sums.tolist(), blobs), np.int64))
    return blobs


def _checksums(of_fields: Sequence[int], blobs: Blobs) -> list[int]:
    """Over the fields of C headers, of which that is here, and the bodies behind them."""
    crc32, octets, bounds = isal_zlib.crc32, blobs.octets.data, pairwise(blobs.starts.tolist())
    return [
        crc32(octets[first + HEADER_BYTES : last], fields)
        for fields, (first, last) in zip(of_fields, bounds, strict=True)
    ]


def unpack_each(blobs: Blobs, codec_id: wire.CodecId) -> tuple[int, int, NDArray[np.int64]] | None:
    """What `wire.unpack` checks, of C blobs of one table: I, D and (C,) n.

    None: `wire.unpack` refuses one of them, or it is of another table than the first.
    """
    lengths = blobs.lengths
    if not len(lengths) or lengths.min() < HEADER_BYTES:
        return None
    first = blobs.octets[blobs.starts[0] :][: _ALIKE.size]
    magic, version, codec, item_count, width = _ALIKE.unpack(first.data)
    if (magic, version, codec) != (wire.MAGIC, wire.VERSION, codec_id):
        return None
    rows, claimed, of_fields, is_alike = heads.take_fields(blobs.octets, blobs.starts[:-1], first)
    if not (is_alike and rows.max() <= item_count <= wire.MOST_ITEMS and width >= 1):
        return None
    is_lawful = (rows * width <= wire.FREE_FLOATS) | (rows <= 8 * lengths)  # see `wire.obeys_size_law`
    if not is_lawful.all() or claimed.tolist() != _checksums(of_fields.tolist(), blobs):
        return None
    return item_count, width, rows
