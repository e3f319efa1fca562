"""Product actions: the columns cut into parts, each with a codebook and an index per row of its own.

H. Jégou, M. Douze, C. Schmid, "Product Quantization for Nearest Neighbor Search", IEEE TPAMI 33(1), 2011,
doi:10.1109/TPAMI.2010.57. Together P parts of K actions tell K**P rows apart, for the floats of one codebook.

n rows touched by this client, D width, P parts, K actions of each. Body:

| bytes | what |
|---|---|
| 1 | P, u8, from 1; divides D |
| P × (2 + 2 + 2·K·D/P) | the parts' K and codebooks (`books`), K of each part its own |
| … | per part the index of every row, then positions (`taken`) |
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

_IDS = {"packed": wire.CodecId.PRODUCT, "entropy": wire.CodecId.PRODUCT_ENTROPY}


@dataclass(frozen=True, slots=True)
class ProductCodec:
    """Actions of sub-vectors.

    The distortion of an adaptive K, the same for all parts, is |x − x̂|² / |x|² of the whole rows,
    measured on what the server will decode.
    """

    config: configs.ProductCodec
    device: torch.device | None = None  # that clusters; None: the processor, by machine code where it can

    def encode(self, outgoing: Outgoing) -> bytes:
        """A batch of one."""
        return self.encode_cohort([outgoing])[0]

    def encode_cohort(self, outgoing: Sequence[Outgoing]) -> list[bytes]:
        """Cluster each part of all updates together.

        Raises:
            CodecError: the parts do not divide the width.
        """
        for width in {one.update.width for one in outgoing}:
            if width % self.config.parts:
                raise CodecError(f"{self.config.parts} parts do not divide rows of width {width}")
        found = clustered(self, outgoing, self.config.actions)
        how = self.config.indices
        return [_blob(one.update, books, how) for one, books in zip(outgoing, found, strict=True)]

    def decode(self, blob: bytes) -> ItemUpdate:
        """Every touched row, as the actions its parts took."""
        frame = wire.unpack(blob, _IDS[self.config.indices])
        n, width = frame.rows, frame.width
        parts = frame.body.take(1)[0]
        if parts == 0 or width % parts:
            raise CodecError(f"{parts} parts do not divide rows of width {width}")
        books = [take_book(frame.body, n, width // parts) for _ in range(parts)]  # P × (K, D/P)
        indices, item_ids = take_taken(frame, [len(book) for book in books], self.config.indices)
        rows = _joined(books, indices)
        return ItemUpdate(item_ids, rows, frame.item_count, actions=max(len(book) for book in books))

    def cluster(self, outgoing: Sequence[Outgoing], k: int) -> list[list[Codebook]]:
        """Per update, at most K centroids of every part."""
        streams = [one.stream() for one in outgoing] if self.config.start == "k-means++" else []
        cut = [np.split(one.update.rows, self.config.parts, axis=1) for one in outgoing]
        found = [
            codebooks(
                [np.ascontiguousarray(parts[part]) for parts in cut],
                k,
                self.config.start,
                self.config.iterations,
                streams,
                self.device,
            )
            for part in range(self.config.parts)
        ]
        return [list(books) for books in zip(*found, strict=True)]

    def distortion(self, update: ItemUpdate, found: list[Codebook]) -> float:
        """|x − x̂|² / |x|² of whole rows."""
        sent = _joined([as_sent(book.actions) for book in found], [book.index for book in found])
        return relative_loss(update.rows, sent)

    def most_bytes(self, update: ItemUpdate, k: int) -> int:
        """The size where all K actions of every part are taken."""
        return product_bytes(update, k, self.config.parts, self.config.indices)


def product_bytes(update: ItemUpdate, k: int, parts: int, how: configs.Indices = "packed") -> int:
    """The size where all K actions are taken (exact if packed, otherwise the largest) in every part."""
    books = parts * book_bytes(k, update.width // parts)
    return wire.HEADER_BYTES + 1 + books + taken_bytes(update, [k] * parts, how)


def _joined(
    books: Sequence[NDArray[np.float32]], indices: Sequence[NDArray[np.integer]]
) -> NDArray[np.float32]:
    """The parts side by side: (n, D)."""
    taken = [book.take(index, axis=0) for book, index in zip(books, indices, strict=True)]
    return np.concatenate(taken, axis=1)


def _blob(update: ItemUpdate, books: Sequence[Codebook], how: configs.Indices) -> bytes:
    sizes = [len(book.actions) for book in books]
    body = (
        bytes([len(books)])
        + b"".join(pack_book(book.actions) for book in books)
        + pack_taken(update, sizes, [book.index for book in books], how)
    )
    return wire.pack(_IDS[how], update.item_count, update.width, len(update.item_ids), body)
