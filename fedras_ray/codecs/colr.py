"""Coefficients in r random directions that all clients of one version share.

After N.-H. Nguyen, T.-A. Nguyen, T. Nguyen, V. T. Hoang, D. D. Le, K.-S. Wong, "Towards Efficient
Communication and Secure Federated Recommendation System via Low-rank Training" (CoLR), WWW 2024,
arXiv:2401.03748. There a round has a random matrix B that is frozen, and a client trains A alone, the
update being A·B: the sum of all A and one B say everything, so that sums can be made of encrypted A.
Here the client trains as always, and the finished update is projected by least squares onto the r
directions of the version: what lies outside is lost, where the paper's client would have gone on
training inside. B's rows are made orthonormal; the coefficients are the paper's A up to a change of basis.

n rows touched by this client, D width, r the smallest of the configured rank, D, and 2**17 / D. Body:

| bytes | what |
|---|---|
| 2 | r, u16 |
| 8 | the seed of the directions, u64: the version in the low 32 bits, the configured seed above |
| 2 + 2·n·r | coefficients / √D in f16 with a shared exponent (see `directions`) |
| 1 + … | positions |

On average over the versions r / D of an update's energy arrives, whatever its direction; in one version
more of one client's and less of another's. Nothing is scaled up for what is lost: it is a contraction.
"""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass

import numpy as np
from numpy.random import PCG64, SeedSequence

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.directions import Doubles, coefficients, combine
from fedras_ray.codecs.floats import floats_bytes, largest_magnitude, pack_floats, unpack_floats
from fedras_ray.codecs.positions import pack_positions, take_positions
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from fedras_ray.tensors import torch

_HEAD = struct.Struct("<HQ")
MOST_RANK = 64
_MOST_ENTRIES = 1 << 17  # of the directions: 1 MiB, whatever a short blob claims


@dataclass(frozen=True, slots=True)
class ColrCodec:
    """n × r coefficients and a seed."""

    config: configs.ColrCodec

    def encode(self, outgoing: Outgoing) -> bytes:
        """30 + 2·n·r + positions bytes."""
        update = outgoing.update
        largest_magnitude(update.rows)
        rank = min(self.config.rank, most_rank(update.width))
        seed = self.config.seed << 32 | outgoing.version & 0xFFFF_FFFF
        shared = projection(seed, rank, update.width)  # (r, D)
        body = (
            _HEAD.pack(rank, seed)
            + pack_floats(coefficients(update.rows.astype(np.float64, order="C"), shared), "f16")
            + pack_positions(update.item_ids, update.item_count)
        )
        return wire.pack(wire.CodecId.COLR, update.item_count, update.width, len(update.item_ids), body)

    def decode(self, blob: bytes) -> ItemUpdate:
        """Every touched row, zeros included."""
        frame = wire.unpack(blob, wire.CodecId.COLR)
        n, width, body = frame.rows, frame.width, frame.body
        rank, seed = _HEAD.unpack(body.take(_HEAD.size))
        if not 1 <= rank <= most_rank(width):
            raise CodecError(f"{rank} shared directions of width {width}")
        flat = unpack_floats(body.take(floats_bytes(n * rank, "f16")), n * rank, "f16")
        item_ids = take_positions(body, n, frame.item_count)  # (n,)
        body.finish()
        if n == 0:  # directions of whatever width a short blob claims would be made for nothing
            return ItemUpdate(item_ids, np.zeros((0, width), np.float32), frame.item_count)
        rows = combine(flat.reshape(n, rank), projection(seed, rank, width))
        return ItemUpdate(item_ids, rows, frame.item_count)


def most_rank(width: int) -> int:
    """The most directions of this width that a blob may ask for."""
    return min(MOST_RANK, width, _MOST_ENTRIES // width)


@functools.lru_cache(maxsize=16)  # versions whose clients are under way together
def projection(seed: int, rank: int, width: int) -> Doubles:
    """Orthonormal rows that span a Gaussian matrix's: (r, D).

    Gaussian by Box and Muller from PCG64's raw output, which numpy promises never to change: a stored
    blob must find the same directions under the next numpy. (`standard_normal` comes without that.)
    """
    bits = PCG64(SeedSequence(seed))
    gaussian = np.sqrt(-2.0 * np.log(_uniform(bits, rank * width)))
    gaussian *= np.cos(2 * np.pi * _uniform(bits, rank * width))
    q, r = torch.linalg.qr(torch.from_numpy(gaussian.reshape(width, rank)))  # torch's, see `directions`
    directions: Doubles = (q * r.diag().sign()).T.contiguous().numpy()
    directions.flags.writeable = False
    return directions


def _uniform(bits: PCG64, count: int) -> Doubles:
    """So many numbers inside (0, 1), with little memory beside them."""
    found: Doubles = (bits.random_raw(count) >> np.uint64(11)).astype(np.float64)
    found += 0.5
    found *= 2.0**-53
    return found
