"""What is taken of a codebook, coded: the ends of bodies of `codecs.taken` whose indices are `entropy`.

One update, or C with N rows in all; n rows, I items, K actions. An end begins with a byte that says whether
the rest is coded or, as that is not always shorter, packed. `codecs.coded` is the same of one update with any
number of codebooks; the tests hold them to each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import entropy, modelling, writing
from fedras_ray.kernels.compiling import compiled
from fedras_ray.kernels.forms import octets_of

Octets = NDArray[np.uint8]
Numbers = NDArray[np.int64]
Ids = NDArray[np.int32]

PACKED, CODED = 0, 1
SPARSEST = 32  # places per id: beyond, a walk takes long, and gains less than 8 % on Elias–Fano
_SLACK = 64


@compiled
def fits(count: int, most: int) -> bool:
    """Whether n rows of codebooks of at most so many actions can be coded: the range coder counts them."""
    return count > 0 and 2 * count + most <= entropy.MOST_TOTAL


@compiled
def walks(count: int, item_count: int) -> bool:
    """Whether n of I ids are in the stream; the decoder's work is bounded by it."""
    return count < item_count <= min(SPARSEST * count, entropy.MOST_TOTAL)


@compiled
def room(count: int, books: int, item_count: int) -> int:
    """Bytes for any stream of n rows: `entropy.MOST_TOTAL` has 24 bits, a set costs at most a bitmap."""
    return _SLACK + 3 * count * books + (item_count // 8 if walks(count, item_count) else 0)


@compiled
def taken_each(
    index: Ids,
    item_ids: Ids,
    offsets: Numbers,
    sizes: Numbers,
    layouts: Numbers,
    packed: Numbers,
    item_count: int,
    free_rows: int,
) -> tuple[Octets, Numbers, Numbers]:
    """The ends of C bodies.

    Args:
        index: (N,) the action of each row.
        item_ids: (N,)
        offsets: (C + 1,)
        sizes: (C,) K.
        layouts: (C, 4) as `forms.taken_each` gives them.
        packed: (C,) and how long what is packed is.
        item_count: I.
        free_rows: an update of more spends at least one bit on a row.

    Returns:
        Bytes; (C + 1,) where each end begins in them; (C,) how long it is.
    """
    starts, lengths = np.zeros(len(sizes) + 1, np.int64), np.empty(len(sizes), np.int64)
    for update in range(len(sizes)):
        most = packed[update] + room(offsets[update + 1] - offsets[update], 1, item_count)
        starts[update + 1] = starts[update] + 1 + most
    octets = np.zeros(starts[-1], np.uint8)
    for update in range(len(sizes)):
        its, here = slice(offsets[update], offsets[update + 1]), octets[starts[update] : starts[update + 1]]
        n, ids, size = its.stop - its.start, item_ids[its], packed[update]
        length = _coded(here, index[its], ids, sizes[update], layouts[update], size, item_count)
        if 0 < length <= size and (n <= free_rows or n <= 8 * (length - 1)):
            lengths[update] = length
            continue
        here[0] = PACKED
        writing.taken(here, 1, index[its], ids, layouts[update], item_count)
        lengths[update] = 1 + size
    return octets, starts, lengths


@compiled
def _coded(
    octets: Octets, index: Ids, ids: Ids, k: int, layout: Numbers, packed: int, item_count: int
) -> int:
    """One end, coded, and how long it is; 0 where it cannot be."""
    n, at = len(ids), 1
    if not fits(n, k):
        return 0
    octets[0] = CODED
    if not walks(n, item_count):
        writing.positions(octets, at, ids, layout, item_count)
        at += packed - octets_of(n * layout[0])
    stream, state = octets[at:], entropy.begin()
    if k > 1:
        modelling.put_symbols(state, stream, index, k)
    if walks(n, item_count):
        modelling.put_members(state, stream, ids, item_count)
    return at + entropy.end(state, stream)


@compiled
def place_each(octets: Octets, at: Numbers, ends: Octets, starts: Numbers, lengths: Numbers) -> None:
    """Ends of `taken_each` to where they belong."""
    for update in range(len(at)):
        for place in range(lengths[update]):
            octets[at[update] + place] = ends[starts[update] + place]


@compiled
def opened(data: Octets, k: int, ids: Ids, item_count: int, index: Ids) -> bool:
    """Rows' actions (n,) into `index`, and their `ids` where the stream has them; whether all is in order."""
    n = len(ids)
    state, again = entropy.open_stream(data), np.zeros(room(n, 1, item_count), np.uint8)
    index[:] = 0
    if k > 1:
        index[:] = modelling.take_symbols(state, data, again, n, k)
    if walks(n, item_count):
        ids[:] = modelling.take_members(state, data, again, n, item_count)
    length = entropy.end(state, again)
    return length == len(data) and bool((again[:length] == data).all())
