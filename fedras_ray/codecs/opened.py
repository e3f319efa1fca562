"""Many blobs opened at once, where they are alike: intact, of one codec, of one table.

C blobs, n rows in one, I items, D width, K actions. Whatever is not alike, or not as it should be, is left to
`wire.unpack` and the codec's `decode`, which go one by one and say what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import envelopes, wire
from fedras_ray.codecs.blobs import Blobs
from fedras_ray.codecs.ragged import RaggedUpdates
from fedras_ray.config.codecs import Indices
from fedras_ray.kernels import forms, reading, tables

Numbers = NDArray[np.int64]
Ids = NDArray[np.int32]
Kernel = Callable[[reading.Bodies, int], tuple[Ids, NDArray[np.float32], Ids, bool]]


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Blobs whose headers hold."""

    blobs: Blobs
    rows: Numbers  # (C,) n
    item_count: int  # I
    width: int  # D

    def updates(
        self, kernel: Kernel, how: Indices, count_at: int, codeword_bytes: int
    ) -> RaggedUpdates | None:
        """What is in bodies of a count K, K codewords in f16, indices and positions.

        Args:
            kernel: reads them.
            how: indices are written.
            count_at: where K stands within a body; the exponent and the codewords follow.
            codeword_bytes: of each.

        Returns:
            None: a body is not such a one.
        """
        lengths = self.blobs.lengths - wire.HEADER_BYTES  # (C,)
        if lengths.min() < count_at + 2:
            return None
        octets, starts = self.blobs.octets, self.blobs.starts[:-1] + wire.HEADER_BYTES  # (C,) of bodies
        at = starts + count_at
        sizes = octets[at].astype(np.int64) | octets[at + 1].astype(np.int64) << 8  # (C,) K
        if (sizes < np.minimum(self.rows, 1)).any() or (sizes > self.rows).any():
            return None
        offsets = np.concatenate(([0], np.cumsum(self.rows)))
        layouts, ends = forms.taken_each(self.rows, sizes, self.item_count, self.width, wire.FREE_FLOATS)
        if (lengths <= count_at + 2 + 2 + codeword_bytes * sizes).any():
            return None
        places, is_told = (octets, starts, starts + lengths), how != "packed"
        bodies = reading.Bodies(*places, offsets, sizes, layouts, ends, self.item_count, is_told)
        ids, words, taken, is_fine = kernel(bodies, self.width)
        if not is_fine:
            return None
        return RaggedUpdates(offsets, ids, words, self.item_count, sizes, taken=taken)

    def plain_rows(self) -> RaggedUpdates | None:
        """What is in bodies of rows in f32 and positions; None: a body is not such a one."""
        offsets = np.concatenate(([0], np.cumsum(self.rows)))
        layouts, ends = forms.positions_each(self.rows, self.item_count)
        floats, starts = self.width * self.rows, self.blobs.starts[:-1] + wire.HEADER_BYTES  # (C,)
        if (self.blobs.lengths != wire.HEADER_BYTES + 4 * floats + ends).any():
            return None
        octets = self.blobs.octets
        flat = np.concatenate(
            [
                np.frombuffer(octets, "<f4", n, begin)
                for begin, n in zip(starts.tolist(), floats.tolist(), strict=True)
            ],
            dtype=np.float32,
        )
        at = starts + 4 * floats  # (C,) of positions
        ids, is_fine = reading.positions_each(octets, at, at + ends, offsets, layouts, self.item_count)
        rows = flat.reshape(-1, self.width)
        if not (is_fine and tables.magnitude(flat.view(np.uint32)) < tables.INFINITE):
            return None
        return RaggedUpdates(offsets, ids, rows, self.item_count, np.zeros_like(self.rows), looked_at=True)


def open_each(blobs: Sequence[bytes], codec_id: wire.CodecId) -> Opened | None:
    """Check the envelopes; None: one of them is not as it should be, or not like the first."""
    together = Blobs.of(blobs)
    heads = envelopes.unpack_each(together, codec_id)
    if heads is None:
        return None
    item_count, width, rows = heads
    return Opened(together, rows, item_count, width)
