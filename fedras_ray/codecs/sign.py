"""The sign of every entry, and per row the one scale with the least squared error: the mean of |x|.

The row-wise form of J. Bernstein, Y.-X. Wang, K. Azizzadenesheli, A. Anandkumar, "signSGD: Compressed
Optimisation for Non-Convex Problems", ICML 2018, arXiv:1802.04434; with a scale as in S. P. Karimireddy,
Q. Rebjock, S. U. Stich, M. Jaggi, "Error Feedback Fixes SignSGD and other Gradient Compression Schemes",
ICML 2019, arXiv:1901.09847.

n rows touched by this client, D width. Body:

| bytes | what |
|---|---|
| 2 + 2·n | the scale of every row in f16 with a shared exponent |
| ⌈n·D / 8⌉ | 1 for every negative entry |
| 1 + … | positions |

A zero decodes to plus the scale of its row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.bits import pack_bits, packed_bytes, unpack_bits
from fedras_ray.codecs.floats import floats_bytes, pack_floats, unpack_floats
from fedras_ray.codecs.positions import pack_positions, take_positions
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError


@dataclass(frozen=True, slots=True)
class SignCodec:
    """n × D bits and n scales."""

    config: configs.SignCodec

    def encode(self, outgoing: Outgoing) -> bytes:
        """20 + 2·n + ⌈n·D / 8⌉ + positions bytes."""
        update = outgoing.update
        rows = np.ascontiguousarray(update.rows)  # (n, D); a sum depends on the order of its terms
        scales = np.abs(rows).mean(axis=1, dtype=np.float64).astype(np.float32)  # (n,)
        body = (
            pack_floats(scales, "f16")  # refuses what is not finite
            + pack_bits((rows < 0).ravel().view(np.uint8), 1)
            + pack_positions(update.item_ids, update.item_count)
        )
        return wire.pack(wire.CodecId.SIGN, update.item_count, update.width, len(rows), body)

    def decode(self, blob: bytes) -> ItemUpdate:
        """Every touched row, zeros included."""
        frame = wire.unpack(blob, wire.CodecId.SIGN)
        n, count = frame.rows, frame.rows * frame.width
        scales = unpack_floats(frame.body.take(floats_bytes(n, "f16")), n, "f16")[:, None]  # (n, 1)
        negative = unpack_bits(frame.body.take(packed_bytes(count, 1)), count, 1)  # (n·D,)
        item_ids = take_positions(frame.body, n, frame.item_count)  # (n,)
        frame.body.finish()
        if np.signbit(scales).any():
            raise CodecError("a negative scale, which no encoder writes")
        rows = np.where(negative.reshape(n, frame.width), -scales, scales)  # (n, D)
        return ItemUpdate(item_ids, rows, frame.item_count)
