"""The envelopes of many blobs at once: those of `wire`, byte for byte.

C blobs of one codec and one table, n rows in one, I items, D width.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from fedras_ray.codecs import wire
from fedras_ray.codecs.blobs import Blobs
from fedras_ray.codecs.wire import FIELD_BYTES, HEADER_BYTES

_HEAD = np.dtype(
    {
        "names": ["magic", "version", "codec", "item_count", "width", "rows", "checksum"],
        "formats": ["S2", "u1", "u1", "<u4", "<u2", "<u4", "<u4"],
    }
)
_ALIKE = ["magic", "version", "codec", "item_count", "width"]


def seal_each(
    codec_id: wire.CodecId | int, item_count: int, width: int, counts: NDArray[np.int64], blobs: Blobs
) -> Blobs:
    """Write the headers of C updates of so many rows, whose bodies are there behind the room for them.

    Raises:
        CodecError: as `wire.pack`.
    """
    for rows in (counts.min(initial=0), counts.max(initial=0)):
        wire.check_fields(codec_id, item_count, width, int(rows))
    heads = np.zeros(len(counts), _HEAD)
    for name, value in zip(_ALIKE, (wire.MAGIC, wire.VERSION, codec_id, item_count, width), strict=True):
        heads[name] = value
    heads["rows"] = counts
    heads["checksum"] = _checksums(heads, blobs)
    blobs.octets[_places_of_heads(blobs)] = heads[:, None].view(np.uint8)
    return blobs


def _places_of_heads(blobs: Blobs) -> NDArray[np.int64]:
    """(C, header) where the bytes of each are."""
    return blobs.starts[:-1, None] + np.arange(HEADER_BYTES)


def _checksums(heads: NDArray[np.void], blobs: Blobs) -> list[int]:
    """Over the fields of C headers, and the bodies behind them."""
    crc32, octets, fields = isal_zlib.crc32, blobs.octets.data, memoryview(heads.tobytes())
    begins, bounds = range(0, len(fields), HEADER_BYTES), pairwise(blobs.starts.tolist())
    return [
        crc32(octets[first + HEADER_BYTES : last], crc32(fields[begin : begin + FIELD_BYTES]))
        for begin, (first, last) in zip(begins, bounds, strict=True)
    ]


def unpack_each(blobs: Blobs, codec_id: wire.CodecId) -> tuple[int, int, NDArray[np.int64]] | None:
    """What `wire.unpack` checks, of C blobs of one table: I, D and (C,) n.

    None: `wire.unpack` refuses one of them, or it is of another table than the first.
    """
    lengths = blobs.lengths
    if not len(lengths) or lengths.min() < HEADER_BYTES:
        return None
    heads = blobs.octets[_places_of_heads(blobs)].view(_HEAD)[:, 0]
    item_count, width, rows = int(heads["item_count"][0]), int(heads["width"][0]), heads["rows"]
    alike = heads[_ALIKE]
    if (alike != np.array((wire.MAGIC, wire.VERSION, codec_id, item_count, width), alike.dtype)).any():
        return None
    if not (rows.max() <= item_count <= wire.MOST_ITEMS and width >= 1):
        return None
    rows = rows.astype(np.int64)
    is_lawful = (rows * width <= wire.FREE_FLOATS) | (rows <= 8 * lengths)  # see `wire.obeys_size_law`
    if not is_lawful.all() or heads["checksum"].tolist() != _checksums(heads, blobs):
        return None
    return item_count, width, rows
