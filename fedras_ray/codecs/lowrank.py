"""The best approximation of rank r to the update: a truncated singular value decomposition.

C. Eckart, G. Young, "The Approximation of One Matrix by Another of Lower Rank", Psychometrika 1936,
doi:10.1007/BF02288367. As a way to send updates: J. Konečný, H. B. McMahan, F. X. Yu, P. Richtárik,
A. T. Suresh, D. Bacon, "Federated Learning: Strategies for Improving Communication Efficiency",
arXiv:1610.05492.

n rows touched by this client, D width, r the smaller of the configured rank and the update's own. Body:

| bytes | what |
|---|---|
| 2 | r, u16; 0 for an update without rows, else at least 1 |
| 2 + 2·n·r | U · S / √D in f16 with a shared exponent (see `directions`) |
| 2 + 2·r·D | V in f16 with a shared exponent, a direction per row |
| 1 + … | positions |

The factors come from the eigenvectors of the smaller Gram matrix, D × D or n × n, in f64: singular values
below 1e-6 of the largest are taken for zero, far below what f16 tells apart. In every direction the
largest entry is positive (of equals the first), so that there is one way to write it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.directions import Doubles, coefficients, combine, product, settled
from fedras_ray.codecs.floats import floats_bytes, largest_magnitude, pack_floats, unpack_floats
from fedras_ray.codecs.positions import pack_positions, take_positions
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from fedras_ray.tensors import torch

_COUNT = struct.Struct("<H")
_NEGLIGIBLE = 1e-6  # of the largest singular value


@dataclass(frozen=True, slots=True)
class LowRankCodec:
    """n × r coefficients and r directions of the client's own."""

    config: configs.LowRankCodec

    def encode(self, outgoing: Outgoing) -> bytes:
        """24 + 2·r·(n + D) + positions bytes."""
        update = outgoing.update
        largest_magnitude(update.rows)
        rows = update.rows.astype(np.float64, order="C")  # (n, D)
        own = directions(rows, self.config.rank)  # (r, D)
        body = (
            _COUNT.pack(len(own))
            + pack_floats(coefficients(rows, own), "f16")
            + pack_floats(settled(own), "f16")
            + pack_positions(update.item_ids, update.item_count)
        )
        return wire.pack(wire.CodecId.LOWRANK, update.item_count, update.width, len(rows), body)

    def decode(self, blob: bytes) -> ItemUpdate:
        """Every touched row, zeros included."""
        frame = wire.unpack(blob, wire.CodecId.LOWRANK)
        n, width, body = frame.rows, frame.width, frame.body
        (r,) = _COUNT.unpack(body.take(_COUNT.size))
        if not min(n, 1) <= r <= min(n, width):
            raise CodecError(f"rank {r} for {n} rows of width {width}")
        left = unpack_floats(body.take(floats_bytes(n * r, "f16")), n * r, "f16")
        right = unpack_floats(body.take(floats_bytes(r * width, "f16")), r * width, "f16")
        item_ids = take_positions(body, n, frame.item_count)  # (n,)
        body.finish()
        if np.abs(right).max(initial=0.0) > 1:
            raise CodecError("a direction is longer than 1")
        return ItemUpdate(item_ids, combine(left.reshape(n, r), right.reshape(r, width)), frame.item_count)


def directions(rows: Doubles, rank: int) -> Doubles:
    """The leading right singular vectors of (n, D) rows: (r, D), orthonormal, the strongest first.

    Rows of zeros have one direction, of zeros; no rows have none.
    """
    n, width = rows.shape
    if not rows.any():
        return np.zeros((min(n, 1), width))
    if width <= n:
        right, strength = _leading(product(rows.T, rows), rank)  # (r, D)
    else:
        left, strength = _leading(product(rows, rows.T), rank)  # (r, n)
        right = product(left, rows)  # (r, D), as long as the singular values
    right = right[strength > _NEGLIGIBLE**2 * strength[0]]
    right = right / np.sqrt(np.square(right).sum(axis=1, keepdims=True))
    # Rounded: of two entries as large as each other, noise must not choose.
    largest = np.abs(right).round(6).argmax(axis=1, keepdims=True)  # (r, 1)
    own: Doubles = right * np.sign(np.take_along_axis(right, largest, axis=1))
    return own


def _leading(gram: Doubles, rank: int) -> tuple[Doubles, Doubles]:
    """The eigenvectors, one per row, of the largest eigenvalues, and these: (r, m), (r,)."""
    values, vectors = torch.linalg.eigh(torch.from_numpy(gram))  # increasing
    return vectors.numpy().T[::-1][:rank].copy(), values.numpy()[::-1][:rank].copy()
