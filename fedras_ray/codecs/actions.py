"""FedRAS: the rows of an update clustered into K actions; a codebook, and an index per row.

W. Lu, L. Jia, X. Hu, M. Xie, C. Chen, "Gradients as an Action: Towards Communication-Efficient
Federated Recommender Systems via Adaptive Action Sharing", KDD 2025, arXiv:2507.08842.

n rows touched by this client, D width, K actions. Body:

| bytes | what |
|---|---|
| 2 | K, u16; 0 for an empty update |
| 2 + 2·K·D | the codebook in f16 with a shared exponent |
| ⌈n·b / 8⌉ | the index of every row, b = ⌈log2 K⌉ bits each |
| 1 + … | positions |

An update of more than `wire.FREE_FLOATS` floats spends at least one bit on a row: the wire's law of size.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.bits import bits_for, pack_bits, packed_bytes, unpack_bits
from fedras_ray.codecs.cohort import Codebook, codebooks
from fedras_ray.codecs.floats import floats_bytes, pack_floats, unpack_floats
from fedras_ray.codecs.positions import pack_positions, positions_bytes, take_positions
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError

_COUNT = struct.Struct("<H")


@dataclass(frozen=True, slots=True)
class ActionsCodec:
    """K centroids and an index per row.

    A fixed K ignores the budget. An adaptive K is the smallest of least, 2·least, 4·least, … most whose
    relative distortion |x − x̂|² / |x|², measured on what the server will decode, is within the
    target; but never one whose blob could exceed the budget, unless even `least` does.
    """

    config: configs.ActionsCodec

    def encode(self, outgoing: Outgoing) -> bytes:
        """A batch of one."""
        return self.encode_cohort([outgoing])[0]

    def encode_cohort(self, outgoing: Sequence[Outgoing]) -> list[bytes]:
        """Cluster updates of similar length together."""
        match self.config.actions:
            case configs.FixedActions(count=k):
                books = self._cluster(outgoing, k)
            case configs.AdaptiveActions() as wanted:
                books = self._climb(outgoing, wanted)
        return [_blob(one.update, book) for one, book in zip(outgoing, books, strict=True)]

    def decode(self, blob: bytes) -> ItemUpdate:
        """Every touched row, as the action it took."""
        frame = wire.unpack(blob, wire.CodecId.ACTIONS)
        n, width, body = frame.rows, frame.width, frame.body
        (k,) = _COUNT.unpack(body.take(_COUNT.size))
        if not min(n, 1) <= k <= n:
            raise CodecError(f"{k} actions for {n} rows")
        book = unpack_floats(body.take(floats_bytes(k * width, "f16")), k * width, "f16").reshape(k, width)
        bits = _index_bits(k, n, width)
        index = unpack_bits(body.take(packed_bytes(n, bits)), n, bits)  # (n,)
        item_ids = take_positions(body, n, frame.item_count)  # (n,)
        body.finish()
        if n and index.max() >= k:
            raise CodecError(f"a row takes action {index.max()} of {k}")
        return ItemUpdate(item_ids, book.take(index, axis=0), frame.item_count, actions=k)

    def _cluster(self, outgoing: Sequence[Outgoing], k: int) -> list[Codebook]:
        draws = self.config.start == "k-means++"
        streams = [one.stream() for one in outgoing] if draws else []
        rows = [one.update.rows for one in outgoing]
        return codebooks(rows, k, self.config.start, self.config.iterations, streams)

    def _climb(self, outgoing: Sequence[Outgoing], wanted: configs.AdaptiveActions) -> list[Codebook]:
        """Add actions to those updates that need more and can pay for them."""
        books: dict[int, Codebook] = {}
        waiting = list(range(len(outgoing)))
        ladder = _ladder(wanted.least, wanted.most)
        for k, more in zip(ladder, [*ladder[1:], None], strict=True):
            books.update(zip(waiting, self._cluster([outgoing[i] for i in waiting], k), strict=True))
            if more is None:
                break
            waiting = [i for i in waiting if _wants(outgoing[i], books[i], wanted.distortion, more)]
        return [books[i] for i in range(len(outgoing))]


def blob_bytes(update: ItemUpdate, k: int) -> int:
    """The exact size of a blob whose K actions are all taken."""
    n = len(update.item_ids)
    indices = packed_bytes(n, _index_bits(k, n, update.width))
    rest = floats_bytes(k * update.width, "f16") + positions_bytes(n, update.item_count)
    return wire.HEADER_BYTES + _COUNT.size + indices + rest


def _wants(one: Outgoing, book: Codebook, distortion: float, k: int) -> bool:
    """Whether an update should try K actions: it can pay for them, and has too few."""
    k = min(k, len(one.update.item_ids))  # no blob has more actions than rows
    affordable = one.budget_bytes is None or blob_bytes(one.update, k) <= one.budget_bytes
    return affordable and _distortion(one.update, book) > distortion


def _ladder(least: int, most: int) -> list[int]:
    """Doubling from `least`, and `most`."""
    steps = [least]
    while steps[-1] < most:
        steps.append(min(2 * steps[-1], most))
    return steps


def _index_bits(k: int, n: int, width: int) -> int:
    return max(bits_for(k), int(n * width > wire.FREE_FLOATS))


def _distortion(update: ItemUpdate, book: Codebook) -> float:
    """|x − x̂|² / |x|² of what the server will decode; 0 for an update of zeros."""
    sent = unpack_floats(memoryview(pack_floats(book.actions, "f16")), book.actions.size, "f16")
    rows = update.rows.astype(np.float64)  # (n, D)
    lost = rows - sent.reshape(book.actions.shape)[book.index]  # (n, D)
    energy = float(np.square(rows).sum())  # not np.vdot: BLAS would take every core for it
    return float(np.square(lost).sum()) / energy if energy else 0.0


def _blob(update: ItemUpdate, book: Codebook) -> bytes:
    k, n = len(book.actions), len(update.item_ids)
    body = (
        _COUNT.pack(k)
        + pack_floats(book.actions, "f16")
        + pack_bits(book.index, _index_bits(k, n, update.width))
        + pack_positions(update.item_ids, update.item_count)
    )
    return wire.pack(wire.CodecId.ACTIONS, update.item_count, update.width, n, body)
