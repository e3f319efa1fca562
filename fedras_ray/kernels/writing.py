"""Sections of the blobs of many updates at once: indices, positions; `halves` has their floats.

C updates, N rows of all of them, one update after the other. What is written is what `codecs.bits` and
`codecs.positions` write for one update; the tests hold them to each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import marking, packing
from fedras_ray.kernels.compiling import exact
from fedras_ray.kernels.forms import BITMAP, ELIAS_FANO

Octets = NDArray[np.uint8]
Numbers = NDArray[np.int64]


@exact
def taken_each(
    octets: Octets,
    starts: Numbers,
    index: NDArray[np.int32],
    item_ids: NDArray[np.int32],
    offsets: Numbers,
    forms: Numbers,
    item_count: int,
) -> None:
    """From starts[c] on, each update's indices and positions, of the (C, 4) forms of `forms.taken_each`."""
    for update in range(len(forms)):
        its = slice(offsets[update], offsets[update + 1])
        taken(octets, starts[update], index[its], item_ids[its], forms[update], item_count)


@exact
def taken(
    octets: Octets,
    at: int,
    index: NDArray[np.int32],
    item_ids: NDArray[np.int32],
    layout: Numbers,
    item_count: int,
) -> None:
    """`taken_each` of one update, of the (4,) form `layout`."""
    if layout[0]:
        at = packing.pack_into(octets, at, index, layout[0])
    positions(octets, at, item_ids, layout, item_count)


@exact
def positions(octets: Octets, at: int, item_ids: NDArray[np.int32], layout: Numbers, item_count: int) -> None:
    """The positions alone."""
    _, form, low, top = layout
    octets[at] = form
    if len(item_ids) and form == BITMAP:
        marking.mark_into(octets, at + 1, item_ids, item_count)
    elif len(item_ids) and form == ELIAS_FANO:
        marking.pack_ids_into(octets, at + 1, item_ids, low, top)
