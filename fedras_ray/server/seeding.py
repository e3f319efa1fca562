"""The first state of the item table as a message: the seed that it was drawn from.

Body: the seed, u64. A client draws the same table with `Model.initial_items` from the stream of
`Purpose.ITEM_TABLE`; the header says how many items and how wide.
"""

from __future__ import annotations

import struct

from fedras_ray.codecs import wire

_SEED = struct.Struct("<Q")


def pack_seed(seed: int, item_count: int, width: int) -> bytes:
    """The blob for a newcomer: 26 bytes."""
    return wire.pack(wire.CodecId.SEED, item_count, width, 0, _SEED.pack(seed))


def unpack_seed(blob: bytes) -> tuple[int, int, int]:
    """The seed, I and D.

    Raises:
        CodecError: not what `pack_seed` writes.
    """
    frame = wire.unpack(blob, wire.CodecId.SEED)
    (seed,) = _SEED.unpack(frame.body.take(_SEED.size))
    frame.body.finish()
    return int(seed), frame.item_count, frame.width
