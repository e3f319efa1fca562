"""Which form positions take, and how long what is taken is: of one update, and of many at once.

n rows of I items, K actions, D width; C updates. The forms are those of `codecs.positions`, which says why.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import exact

Numbers = NDArray[np.int64]

ALL, BITMAP, ELIAS_FANO = 0, 1, 2


@exact
def positions(count: int, item_count: int) -> tuple[int, int, int, int]:
    """Of n of I ids: the form; for Elias–Fano how many low bits, and the largest value above them; bytes."""
    if count == item_count:
        return ALL, 0, 0, 0
    if count == 0:
        return BITMAP, 0, 0, 0
    low = _length(item_count // count) - 1
    top = (item_count - 1) >> low
    as_set, as_ids = octets_of(item_count), octets_of(count * low) + octets_of(count + top)
    if as_set <= as_ids:
        return BITMAP, 0, 0, as_set
    return ELIAS_FANO, low, top, as_ids


@exact
def taken_each(
    counts: Numbers, sizes: Numbers, item_count: int, width: int, free_floats: int
) -> tuple[Numbers, Numbers]:
    """Of C updates with one codebook each: what `writing.taken_each` needs, and how long its sections are.

    Args:
        counts: (C,) n.
        sizes: (C,) K; 1 where there are no indices.
        item_count: I.
        width: D.
        free_floats: an update of more spends at least one bit on a row.

    Returns:
        (C, 4) bits of an index, and of positions the form, the low bits and the largest value above;
        (C,) bytes of indices, a byte for the form, and positions.
    """
    found, lengths = np.empty((len(counts), 4), np.int64), np.empty(len(counts), np.int64)
    for update in range(len(counts)):
        n = counts[update]
        bits = _length(max(sizes[update] - 1, 0))
        if n * width > free_floats:
            bits = max(bits, 1)
        form, low, top, octets = positions(n, item_count)
        found[update] = bits, form, low, top
        lengths[update] = octets_of(n * bits) + 1 + octets
    return found, lengths


@exact
def positions_each(counts: Numbers, item_count: int) -> tuple[Numbers, Numbers]:
    """As `taken_each`, where positions are all there is."""
    return taken_each(counts, np.ones_like(counts), item_count, 0, 0)


@exact
def _length(value: int) -> int:
    """The bits of a number."""
    bits = 0
    while value >> bits:
        bits += 1
    return bits


@exact
def octets_of(bits: int) -> int:
    """The bytes of so many bits."""
    return (bits + 7) // 8
