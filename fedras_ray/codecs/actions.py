"""FedRAS: the rows of an update clustered into K actions; a codebook, and an index per row.

W. Lu, L. Jia, X. Hu, M. Xie, C. Chen, "Gradients as an Action: Towards Communication-Efficient
Federated Recommender Systems via Adaptive Action Sharing", KDD 2025, arXiv:2507.08842.

n rows touched by this client, D width, K actions. Body:

| bytes | what |
|---|---|
| 2 + 2 + 2·K·D | K and the codebook (`books`) |
| ⌈n·b / 8⌉ + 1 + … | the index of every row, b = ⌈log2 K⌉ bits each, and positions (`taken`) |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fedras_ray.codecs import wire
from fedras_ray.codecs.accelerated import books_on_device
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.blobs import Blobs
from fedras_ray.codecs.books import as_sent, book_bytes, pack_book, take_book
from fedras_ray.codecs.cohort import Codebook, codebooks, codebooks_each
from fedras_ray.codecs.ladder import clustered, relative_loss
from fedras_ray.codecs.opened import open_each
from fedras_ray.codecs.ragged import RaggedOutgoing, RaggedUpdates
from fedras_ray.codecs.taken import pack_taken, take_taken, taken_bytes
from fedras_ray.codecs.written import Found, write_each
from fedras_ray.config import codecs as configs
from fedras_ray.kernels import reading

if TYPE_CHECKING:
    import torch

_IDS = {"packed": wire.CodecId.ACTIONS, "entropy": wire.CodecId.ACTIONS_ENTROPY}


@dataclass(frozen=True, slots=True)
class ActionsCodec:
    """K centroids and an index per row.

    The distortion of an adaptive K is |x − x̂|² / |x|², measured on what the server will decode.
    """

    config: configs.ActionsCodec
    device: torch.device | None = None  # that clusters; None: the processor, by machine code where it can

    def encode(self, outgoing: Outgoing) -> bytes:
        """A batch of one."""
        return self.encode_cohort([outgoing])[0]

    def encode_cohort(self, outgoing: Sequence[Outgoing]) -> list[bytes]:
        """Cluster updates of similar length together."""
        books = clustered(self, outgoing, self.config.actions)
        how = self.config.indices
        return [_blob(one.update, book, how) for one, book in zip(outgoing, books, strict=True)]

    def encode_ragged(self, outgoing: RaggedOutgoing) -> Blobs | None:
        """As `encode_cohort`; in a few calls where all clusters begin on the line, with one K."""
        how, k = self.config.indices, outgoing.common_actions(self.config.actions)
        start, rounds = self.config.start, self.config.iterations
        if k is None or start != "principal" or (rounds and self.device is None):
            return None
        if self.device is None:
            found = codebooks_each(outgoing.given, outgoing.offsets, k)
        else:
            found = books_on_device(outgoing.rows, outgoing.offsets, k, rounds, self.device)
        flat = found.actions.reshape(len(found.used), -1)  # (C, K·D)
        return write_each(_IDS[how], outgoing, Found(flat, outgoing.width, found.used, found.taken), how)

    def decode(self, blob: bytes) -> ItemUpdate:
        """Every touched row, as the action it took."""
        frame = wire.unpack(blob, _IDS[self.config.indices])
        book = take_book(frame.body, frame.rows, frame.width)  # (K, D)
        (index,), item_ids = take_taken(frame, [len(book)], self.config.indices)
        return ItemUpdate(item_ids, book.take(index, axis=0), frame.item_count, actions=len(book))

    def decode_ragged(self, blobs: Sequence[bytes]) -> RaggedUpdates | None:
        """As `decode`, in a few calls."""
        how = self.config.indices
        opened = open_each(blobs, _IDS[how])
        return None if opened is None else opened.updates(reading.books_each, how, 0, 2 * opened.width)

    def cluster(self, outgoing: Sequence[Outgoing], k: int) -> list[Codebook]:
        """At most K centroids for each update."""
        streams = [one.stream() for one in outgoing] if self.config.start == "k-means++" else []
        rows = [one.update.rows for one in outgoing]
        return codebooks(rows, k, self.config.start, self.config.iterations, streams, self.device)

    def distortion(self, update: ItemUpdate, found: Codebook) -> float:
        """|x − x̂|² / |x|²."""
        return relative_loss(update.rows, as_sent(found.actions)[found.index])

    def most_bytes(self, update: ItemUpdate, k: int) -> int:
        """The size where all K actions are taken."""
        return blob_bytes(update, k, self.config.indices)


def blob_bytes(update: ItemUpdate, k: int, how: configs.Indices = "packed") -> int:
    """The size of a blob whose K actions are all taken: exact if packed, otherwise the largest."""
    return wire.HEADER_BYTES + book_bytes(k, update.width) + taken_bytes(update, [k], how)


def _blob(update: ItemUpdate, book: Codebook, how: configs.Indices) -> bytes:
    body = pack_book(book.actions) + pack_taken(update, [len(book.actions)], [book.index], how)
    return wire.pack(_IDS[how], update.item_count, update.width, len(update.item_ids), body)
