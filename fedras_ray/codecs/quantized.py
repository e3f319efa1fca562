"""Integers of 8 or 4 bits with a scale per row, rounded at random so that nothing is biased.

D. Alistarh, D. Grubic, J. Li, R. Tomioka, M. Vojnovic, "QSGD: Communication-Efficient SGD via Gradient
Quantization and Encoding", NeurIPS 2017, arXiv:1610.02132; a bucket is a row, scaled by its largest
magnitude (the paper's experiments; its theory takes the 2-norm), and the integers have a fixed width.

n rows touched by this client, D width, L the largest level: 127 or 7. Body:

| bytes | what |
|---|---|
| 2 + 2·n | the scale s of every row in f16 with a shared exponent |
| ⌈n·D·b / 8⌉ | level + L of every entry in b = 8 or 4 bits |
| 1 + … | positions |

An entry decodes to level / L · s. Its error is below s / L, and s is at most 1 + 2**-10 times the largest
magnitude of the row; its mean over the streams is the entry, except within 2**-11 of the largest f32.

Why a scale per row: on updates of MovieLens-1M's size that are nearly rank one (benchmarks/encode.py), one
scale for the whole update saves 6 % (int8) and 11 % (int4) of the bytes and makes the squared error
10 to 12 times as large, because the lengths of rows differ much more than the entries of one row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.bits import pack_bits, packed_bytes, unpack_bits
from fedras_ray.codecs.floats import floats_bytes, largest_magnitude, pack_floats, unpack_floats
from fedras_ray.codecs.positions import pack_positions, take_positions
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError

_IDS = {"int8": wire.CodecId.INT8, "int4": wire.CodecId.INT4}
_BITS = {"int8": 8, "int4": 4}
_F32_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class QuantizedCodec:
    """n × D levels and n scales."""

    config: configs.QuantizedCodec

    def encode(self, outgoing: Outgoing) -> bytes:
        """One draw per entry; no stream is made for an update without rows."""
        update, bits = outgoing.update, _BITS[self.config.kind]
        n, most = len(update.item_ids), _largest_level(bits)
        largest_magnitude(update.rows)
        scales = pack_floats(_scales(update.rows), "f16")
        sent = unpack_floats(memoryview(scales), n, "f16")  # (n,), what the server will multiply with
        levels = _round(update.rows, sent, most, outgoing) if n else np.zeros(0, np.int32)
        body = (
            scales
            + pack_bits((levels + most).ravel(), bits)
            + pack_positions(update.item_ids, update.item_count)
        )
        return wire.pack(_IDS[self.config.kind], update.item_count, update.width, n, body)

    def decode(self, blob: bytes) -> ItemUpdate:
        """Every touched row, zeros included."""
        frame = wire.unpack(blob, _IDS[self.config.kind])
        n, count, bits = frame.rows, frame.rows * frame.width, _BITS[self.config.kind]
        scales = unpack_floats(frame.body.take(floats_bytes(n, "f16")), n, "f16")  # (n,)
        codes = unpack_bits(frame.body.take(packed_bytes(count, bits)), count, bits)  # (n·D,)
        item_ids = take_positions(frame.body, n, frame.item_count)  # (n,)
        frame.body.finish()
        most = _largest_level(bits)
        if n and (codes.max() > 2 * most or np.signbit(scales).any()):
            raise CodecError(f"a level above {most}, or a negative scale: no encoder writes them")
        fractions = np.arange(-most, most + 1, dtype=np.float32) / np.float32(most)  # (2·L + 1,)
        rows = fractions.take(codes).reshape(n, frame.width)  # (n, D)
        return ItemUpdate(item_ids, rows * scales[:, None], frame.item_count)


def _largest_level(bits: int) -> int:
    return (1 << (bits - 1)) - 1


def _scales(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest magnitude of every row, rounded up to what f16 with a shared exponent holds: (n,).

    Never down: the largest entry would have a level above L.
    """
    peaks = np.abs(rows).max(axis=1).astype(np.float64)  # (n,)
    exponents = np.where(peaks > 0, np.frexp(peaks)[1], -1000)  # zero has none
    finest = exponents.max(initial=-1000) - 38  # the smallest subnormal of f16 under the shared exponent
    steps = np.ldexp(1.0, np.maximum(exponents - 11, finest))
    up: NDArray[np.float64] = np.ceil(peaks / steps) * steps
    return up.clip(max=_F32_LARGEST).astype(np.float32)


def _round(
    rows: NDArray[np.float32], scales: NDArray[np.float32], most: int, outgoing: Outgoing
) -> NDArray[np.int32]:
    """Levels (n, D): the two nearest, each as likely as the entry is near to it."""
    whole = np.where(scales > 0, scales, 1).astype(np.float64)[:, None]  # (n, 1)
    draws = outgoing.stream().random(rows.shape, dtype=np.float32)  # (n, D)
    levels: NDArray[np.int32] = np.floor(rows / whole * most + draws).astype(np.int32)
    return levels.clip(-most, most)
