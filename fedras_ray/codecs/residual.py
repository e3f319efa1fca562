"""Residual actions: S codebooks that add up, each of what the ones before it left.

C. F. Barnes, S. A. Rizvi, N. M. Nasrabadi, "Advances in residual vector quantization: a review", IEEE
Trans. Image Processing 5(2), 1996, doi:10.1109/83.480761. S stages of K actions tell K**S rows apart, for
S·K codewords.

n rows touched by this client, D width, S stages, K actions of each. Body:

| bytes | what |
|---|---|
| 1 | S, u8, from 1 |
| S × (2 + 2 + 2·K·D) | the stages' K and codebooks (`books`), K of each stage its own |
| … | per stage the index of every row, then positions (`taken`) |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.books import as_sent, book_bytes, pack_book, take_book
from fedras_ray.codecs.cohort import Codebook, codebooks
from fedras_ray.codecs.ladder import clustered, relative_loss
from fedras_ray.codecs.taken import pack_taken, take_taken, taken_bytes
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError

if TYPE_CHECKING:
    import torch

_LARGEST = np.finfo(np.float32).max

_IDS = {"packed": wire.CodecId.RESIDUAL, "entropy": wire.CodecId.RESIDUAL_ENTROPY}


@dataclass(frozen=True, slots=True)
class ResidualCodec:
    """Stages of actions; every stage clusters what the decoder would still be missing.

    The distortion of an adaptive K, the same for all stages, is |x − x̂|² / |x|², measured on
    what the server will decode.
    """

    config: configs.ResidualCodec
    device: torch.device | None = None  # that clusters; None: the processor, by machine code where it can

    def encode(self, outgoing: Outgoing) -> bytes:
        """A batch of one."""
        return self.encode_cohort([outgoing])[0]

    def encode_cohort(self, outgoing: Sequence[Outgoing]) -> list[bytes]:
        """Cluster each stage of all updates together."""
        found = clustered(self, outgoing, self.config.actions)
        how = self.config.indices
        return [_blob(one.update, books, how) for one, books in zip(outgoing, found, strict=True)]

    def decode(self, blob: bytes) -> ItemUpdate:
        """Every touched row, as the sum of the actions it took."""
        frame = wire.unpack(blob, _IDS[self.config.indices])
        stages = frame.body.take(1)[0]
        if stages == 0:
            raise CodecError("an update of no stages")
        books = [take_book(frame.body, frame.rows, frame.width) for _ in range(stages)]  # S × (K, D)
        indices, item_ids = take_taken(frame, [len(book) for book in books], self.config.indices)
        rows = _added(books, indices)
        return ItemUpdate(item_ids, rows, frame.item_count, actions=max(len(book) for book in books))

    def cluster(self, outgoing: Sequence[Outgoing], k: int) -> list[list[Codebook]]:
        """Per update, at most K centroids of every stage."""
        config = self.config
        streams = [one.stream() for one in outgoing] if config.start == "k-means++" else []
        found: list[list[Codebook]] = [[] for _ in outgoing]
        left = [one.update.rows for one in outgoing]  # (n, D) each
        for stage in range(config.stages):
            for books, book in zip(
                found, codebooks(left, k, config.start, config.iterations, streams, self.device), strict=True
            ):
                books.append(book)
            if stage + 1 < config.stages:
                left = [_left(one.update.rows, books) for one, books in zip(outgoing, found, strict=True)]
        return found

    def distortion(self, update: ItemUpdate, found: list[Codebook]) -> float:
        """|x − x̂|² / |x|²."""
        return relative_loss(update.rows, _sent(found))

    def most_bytes(self, update: ItemUpdate, k: int) -> int:
        """The size where all K actions of every stage are taken."""
        return residual_bytes(update, k, self.config.stages, self.config.indices)


def residual_bytes(update: ItemUpdate, k: int, stages: int, how: configs.Indices = "packed") -> int:
    """The size where all K actions are taken (exact if packed, otherwise the largest) in every stage."""
    books = stages * book_bytes(k, update.width)
    return wire.HEADER_BYTES + 1 + books + taken_bytes(update, [k] * stages, how)


def _left(rows: NDArray[np.float32], books: Sequence[Codebook]) -> NDArray[np.float32]:
    """What the decoder would still be missing: (n, D), kept within f32 where a difference is not."""
    missing = rows.astype(np.float64, order="C") - _sent(books)
    return missing.clip(-_LARGEST, _LARGEST).astype(np.float32)


def _sent(books: Sequence[Codebook]) -> NDArray[np.float32]:
    return _added([as_sent(book.actions) for book in books], [book.index for book in books])


def _added(
    books: Sequence[NDArray[np.float32]], indices: Sequence[NDArray[np.integer]]
) -> NDArray[np.float32]:
    """The sum of the actions taken, kept within f32: (n, D)."""
    rows = books[0].take(indices[0], axis=0).astype(np.float64)  # (n, D)
    for book, index in zip(books[1:], indices[1:], strict=True):
        rows += book.take(index, axis=0)
    return rows.clip(-_LARGEST, _LARGEST).astype(np.float32)


def _blob(update: ItemUpdate, books: Sequence[Codebook], how: configs.Indices) -> bytes:
    sizes = [len(book.actions) for book in books]
    body = (
        bytes([len(books)])
        + b"".join(pack_book(book.actions) for book in books)
        + pack_taken(update, sizes, [book.index for book in books], how)
    )
    return wire.pack(_IDS[how], update.item_count, update.width, len(update.item_ids), body)
