"""Error feedback: what a codec left out of one upload is added to the next.

A client keeps ``residual = sent - decoded`` of the rows it touched, and adds it, times a decay, to those of
its next update. A row waits until it is touched again: no row travels only because of an old error, so an
upload says no more about a client than it does without feedback, and costs no more positions.

F. Seide, H. Fu, J. Droppo, G. Li, D. Yu, "1-bit stochastic gradient descent", Interspeech 2014; S. P.
Karimireddy, Q. Rebjock, S. Stich, M. Jaggi, "Error feedback fixes SignSGD", ICML 2019, arXiv 1901.09847.

n rows of an update, m rows of a residual, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.base import Codec, ItemUpdate
from fedras_ray.codecs.ragged import RaggedOutgoing, decode_each
from fedras_ray.config.codecs import ResidualFeedback
from fedras_ray.snapshots.kinds import kept

Ids = NDArray[np.int32]
Rows = NDArray[np.float32]


@kept()
@dataclass(frozen=True, slots=True, eq=False)
class Residual:
    """A client's own: what it could not say so far."""

    item_ids: Ids  # (m,) strictly increasing
    rows: Rows  # (m, D)


def nothing_left(width: int) -> Residual:
    """Before the first upload."""
    return Residual(np.zeros(0, np.int32), np.zeros((0, width), np.float32))


def compensated(item_ids: Ids, delta: Rows, residual: Residual, decay: float) -> Rows:
    """The rows to send (n, D): what training changed, and the residual of these rows."""
    _, mine, theirs = np.intersect1d(item_ids, residual.item_ids, assume_unique=True, return_indices=True)
    rows = delta.copy()
    rows[mine] += np.float32(decay) * residual.rows[theirs]
    return rows


def left_over(sent: ItemUpdate, decoded: ItemUpdate, before: Residual, most_rows: int) -> Residual:
    """What is still unsaid: the error of the rows sent, and the residual of the others.

    Of more than `most_rows` the largest are kept, which bounds a client's memory.
    """
    error = sent.rows.copy()
    error[np.searchsorted(sent.item_ids, decoded.item_ids)] -= decoded.rows
    waiting = ~np.isin(before.item_ids, sent.item_ids, assume_unique=True)
    ids = np.concatenate([sent.item_ids, before.item_ids[waiting]])
    rows = np.concatenate([error, before.rows[waiting]])
    size = np.square(rows).sum(axis=1)
    kept = np.argsort(-size, kind="stable")[:most_rows]
    kept = kept[size[kept] > 0]
    kept = kept[np.argsort(ids[kept], kind="stable")]
    return Residual(ids[kept], rows[kept])


class Unsaid:
    """The residuals of a host's clients, who never show them to anyone.

    C clients of a batch, N rows of all of them together, as in `codecs.ragged`.
    """

    def __init__(self, config: ResidualFeedback) -> None:
        self._config = config
        self._of: dict[int, Residual] = {}

    def of(self, shard: int, shards: int) -> dict[int, Residual]:
        """The residuals of the clients of one shard, which nobody changes in place."""
        return {client: residual for client, residual in self._of.items() if client % shards == shard}

    def put_back(self, shard: int, shards: int, residuals: dict[int, Residual]) -> None:
        """Those of one shard as they were."""
        self._of = {client: one for client, one in self._of.items() if client % shards != shard} | residuals

    def added(self, clients: Sequence[int], offsets: NDArray[np.int64], item_ids: Ids, delta: Rows) -> Rows:
        """The rows to send (N, D): what changed, and what earlier uploads of its client left out of each."""
        rows = delta.copy()
        for place, client in enumerate(clients):
            if client in self._of:
                its = slice(*offsets[place : place + 2])
                rows[its] = compensated(item_ids[its], rows[its], self._of[client], self._config.decay)
        return rows

    def keep(
        self, clients: Sequence[int], outgoing: RaggedOutgoing, blobs: Sequence[bytes], codec: Codec
    ) -> None:
        """Remember what these uploads leave out, which is what whoever decodes them will not have."""
        for client, one, sent in zip(clients, outgoing.split(), decode_each(codec, blobs), strict=True):
            before = self._of.get(client, nothing_left(outgoing.width))
            self._of[client] = left_over(one.update, sent, before, self._config.most_rows)
