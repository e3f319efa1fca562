"""Many blobs opened at once, where they are alike: intact, of one codec, of one table.

C blobs, n rows in one, I items, D width, K actions. Whatever is not alike, or not as it should be, is left to
`wire.unpack` and the codec's `decode`, which go one by one and say what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.codecs.taken import forms_each
from fedras_ray.kernels import reading

Numbers = NDArray[np.int64]
Kernel = Callable[[reading.Blobs, int], tuple[NDArray[np.int32], NDArray[np.float32], bool]]


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Blobs whose headers hold."""

    octets: NDArray[np.uint8]  # of all, one after the other
    starts: Numbers  # (C + 1,) where each body begins, if another blob followed
    rows: Numbers  # (C,) n
    item_count: int  # I
    width: int  # D

    def updates(self, kernel: Kernel, count_at: int, codeword_bytes: int) -> list[ItemUpdate] | None:
        """What is in bodies of a count K, K codewords in f16, indices and positions.

        Args:
            kernel: reads them.
            count_at: where K stands within a body; the exponent and the codewords follow.
            codeword_bytes: of each.

        Returns:
            None: a body is not such a one.
        """
        lengths = np.diff(self.starts) - wire.HEADER_BYTES  # (C,)
        if lengths.min() < count_at + 2:
            return None
        at = self.starts[:-1] + count_at
        sizes = self.octets[at].astype(np.int64) | self.octets[at + 1].astype(np.int64) << 8  # (C,) K
        if (sizes < np.minimum(self.rows, 1)).any() or (sizes > self.rows).any():
            return None
        offsets = np.concatenate(([0], np.cumsum(self.rows)))
        forms, ends = forms_each(offsets.tolist(), sizes.tolist(), self.item_count, self.width)
        if (lengths != count_at + 2 + 2 + codeword_bytes * sizes + np.diff(ends)).any():
            return None
        bodies = self.starts[:-1], self.starts[1:] - wire.HEADER_BYTES
        blobs = reading.Blobs(self.octets, *bodies, offsets, sizes, forms, self.item_count)
        ids, rows, is_fine = kernel(blobs, self.width)
        if not is_fine:
            return None
        bounds = pairwise(offsets.tolist())
        return [
            ItemUpdate(ids[first:last], rows[first:last], self.item_count, actions=k)
            for (first, last), k in zip(bounds, sizes.tolist(), strict=True)
        ]


def open_each(blobs: Sequence[bytes], codec_id: wire.CodecId) -> Opened | None:
    """Check the envelopes; None: one of them is not as it should be, or not like the first."""
    heads = wire.unpack_each(blobs, codec_id)
    if heads is None:
        return None
    ends = np.cumsum([0, *map(len, blobs)])
    octets = np.frombuffer(b"".join(blobs), np.uint8)
    item_count, width, rows = heads
    return Opened(octets, ends + wire.HEADER_BYTES, rows, item_count, width)
