"""Blobs of many updates written at once: codebooks, and what each row takes of its own. See `opened`.

C updates, N rows of all of them, D width, K actions, w width of a codeword.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import envelopes, wire
from fedras_ray.codecs.blobs import Blobs
from fedras_ray.codecs.books import book_bytes
from fedras_ray.codecs.floats import floats_bytes
from fedras_ray.codecs.ragged import RaggedOutgoing
from fedras_ray.config.codecs import Indices
from fedras_ray.kernels import forms, halves, streams, writing

Rows = NDArray[np.float32]


class Found(NamedTuple):
    """The codebooks of C updates."""

    words: Rows  # (C, K·w) finite, of which the first used[c]·w count
    width: int  # w
    used: NDArray[np.int64]  # (C,)
    taken: NDArray[np.int32]  # (N,) below the update's `used`
    directions: Rows | None = None  # (C, D) finite, where one goes before every codebook


def write_each(codec_id: wire.CodecId, outgoing: RaggedOutgoing, found: Found, how: Indices) -> Blobs:
    """A blob of each: a direction if there is one, `books.pack_book`, and `taken.pack_taken`."""
    used, counts, width, item_count = found.used, outgoing.counts, outgoing.width, outgoing.item_count
    layouts, ends = forms.taken_each(counts, used, item_count, width, wire.FREE_FLOATS)
    rows = found.taken, outgoing.item_ids, outgoing.offsets
    if how != "packed":
        coded = streams.taken_each(*rows, used, layouts, ends, item_count, wire.FREE_FLOATS // width)
        ends = coded[-1]
    before = 0 if found.directions is None else floats_bytes(width, "f16")
    books = book_bytes(0, found.width) + 2 * found.width * used
    starts = np.concatenate(([0], np.cumsum(wire.HEADER_BYTES + before + books + ends)))
    octets = np.zeros(starts[-1], np.uint8)
    at = starts[:-1] + wire.HEADER_BYTES
    if found.directions is not None:
        halves.put_each(octets, at, found.directions, np.full(len(used), width))
        at += before
    _write_books(octets, at, found)
    at += books
    if how == "packed":
        writing.taken_each(octets, at, *rows, layouts, item_count)
    else:
        streams.place_each(octets, at, *coded)
    return envelopes.seal_each(codec_id, item_count, width, counts, Blobs(octets, starts))


def _write_books(octets: NDArray[np.uint8], at: NDArray[np.int64], found: Found) -> None:
    octets[at], octets[at + 1] = found.used & 255, found.used >> 8
    halves.put_each(octets, at + 2, found.words, found.width * found.used)
