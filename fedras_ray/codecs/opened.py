"""Many blobs opened at once, where they are alike: intact, of one codec, of one table.

C blobs, n rows in one, I items, D width, K actions. Whatever is not alike, or not as it should be, is left to
`wire.unpack` and the codec's `decode`, which go one by one and say what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import wire
from fedras_ray.codecs.ragged import RaggedUpdates
from fedras_ray.codecs.taken import forms_each, positions_each
from fedras_ray.kernels import measuring, reading

Numbers = NDArray[np.int64]
Ids = NDArray[np.int32]
Kernel = Callable[[reading.Blobs, int], tuple[Ids, NDArray[np.float32], Ids, bool]]


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Blobs whose headers hold."""

    blobs: Sequence[bytes]
    rows: Numbers  # (C,) n
    item_count: int  # I
    width: int  # D

    def updates(self, kernel: Kernel, count_at: int, codeword_bytes: int) -> RaggedUpdates | None:
        """What is in bodies of a count K, K codewords in f16, indices and positions.

        Args:
            kernel: reads them.
            count_at: where K stands within a body; the exponent and the codewords follow.
            codeword_bytes: of each.

        Returns:
            None: a body is not such a one.
        """
        lengths = np.array([len(blob) for blob in self.blobs]) - wire.HEADER_BYTES  # (C,)
        if lengths.min() < count_at + 2:
            return None
        octets = np.frombuffer(b"".join(self.blobs), np.uint8)
        starts = np.cumsum(lengths + wire.HEADER_BYTES) - lengths  # (C,) of bodies
        at = starts + count_at
        sizes = octets[at].astype(np.int64) | octets[at + 1].astype(np.int64) << 8  # (C,) K
        if (sizes < np.minimum(self.rows, 1)).any() or (sizes > self.rows).any():
            return None
        offsets = np.concatenate(([0], np.cumsum(self.rows)))
        forms, ends = forms_each(offsets.tolist(), sizes.tolist(), self.item_count, self.width)
        if (lengths != count_at + 2 + 2 + codeword_bytes * sizes + np.diff(ends)).any():
            return None
        bodies = octets, starts, starts + lengths
        blobs = reading.Blobs(*bodies, offsets, sizes, forms, self.item_count)
        ids, words, taken, is_fine = kernel(blobs, self.width)
        if not is_fine:
            return None
        return RaggedUpdates(offsets, ids, words, self.item_count, sizes.tolist(), taken=taken)

    def plain_rows(self) -> RaggedUpdates | None:
        """What is in bodies of rows in f32 and positions; None: a body is not such a one."""
        offsets = np.concatenate(([0], np.cumsum(self.rows)))
        forms, ends = positions_each(self.rows.tolist(), self.item_count)
        floats = (self.width * self.rows).tolist()
        tails = [blob[wire.HEADER_BYTES + 4 * n :] for blob, n in zip(self.blobs, floats, strict=True)]
        if list(map(len, tails)) != np.diff(ends).tolist():
            return None
        flat = np.concatenate(
            [
                np.frombuffer(blob, "<f4", n, wire.HEADER_BYTES)
                for blob, n in zip(self.blobs, floats, strict=True)
            ],
            dtype=np.float32,
        )
        octets = np.frombuffer(b"".join(tails), np.uint8)
        ids, is_fine = reading.positions_each(octets, ends, offsets, forms, self.item_count)
        rows = flat.reshape(-1, self.width)
        lengths = measuring.length_each(rows, offsets)  # finite where all values are
        if not (is_fine and np.isfinite(lengths).all()):
            return None
        return RaggedUpdates(offsets, ids, rows, self.item_count, [0] * len(self.blobs), lengths)


def open_each(blobs: Sequence[bytes], codec_id: wire.CodecId) -> Opened | None:
    """Check the envelopes; None: one of them is not as it should be, or not like the first."""
    heads = wire.unpack_each(blobs, codec_id)
    if heads is None:
        return None
    item_count, width, rows = heads
    return Opened(blobs, rows, item_count, width)
