"""The bodies of many blobs as rows, at once: the counterpart of `writing`.

C updates, N rows of all of them, D width, K actions. What is read is what `codecs.books`, `codecs.bits` and
`codecs.positions` read of one blob; the tests hold them to each other. Of what these would refuse nothing is
said here but that there is something: they find the words. That sections are as long as they claim is checked
before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import halves, marking, packing, streams, tables
from fedras_ray.kernels.compiling import exact
from fedras_ray.kernels.forms import ALL, BITMAP, octets_of
from fedras_ray.kernels.streams import CODED, PACKED

Octets = NDArray[np.uint8]
Numbers = NDArray[np.int64]
Rows = NDArray[np.float32]
Ids = NDArray[np.int32]

_ONE = int(np.float32(1).view(np.uint32))  # the largest magnitude of a direction that is not zero


class Bodies(NamedTuple):
    """Bodies of one codec, one after the other, as the kernels are given them."""

    octets: Octets
    starts: Numbers  # (C,) where each body begins
    ends: Numbers  # (C,) and where it ends
    offsets: Numbers  # (C + 1,) the rows of update c are those from offsets[c] to offsets[c + 1]
    sizes: Numbers  # (C,) K
    forms: Numbers  # (C, 4) as `forms.taken_each` gives them
    lengths: Numbers  # (C,) and how long what is taken is where it is packed
    item_count: int
    is_told: bool  # a byte before says whether what is taken is packed or coded


@exact
def books_each(bodies: Bodies, width: int) -> tuple[Ids, Rows, Ids, bool]:
    """Bodies of a codebook and what is taken of it.

    Returns:
        Ids (N,), all codewords (B, D) one book after the other, which of them each row is (N,), and whether
        all is in order.
    """
    ids, taken = np.empty(bodies.offsets[-1], np.int32), np.empty(bodies.offsets[-1], np.int32)
    books, begin = np.empty((bodies.sizes.sum(), width), np.float32), 0
    for update in range(len(bodies.sizes)):
        book = books[begin : begin + bodies.sizes[update]]
        at, its = bodies.starts[update] + 2, slice(bodies.offsets[update], bodies.offsets[update + 1])
        fine = halves.take(bodies.octets, at, book.reshape(-1))
        fine &= _taken(bodies, update, at + 2 + 2 * book.size, begin, ids[its], taken[its])
        if not fine:
            return ids, books, taken, False
        begin += len(book)
    return ids, books, taken, True


@exact
def gains_each(bodies: Bodies, width: int) -> tuple[Ids, Rows, Ids, bool]:
    """Bodies of a direction, gains, and which are taken: as `books_each`, codewords being their products."""
    ids, taken = np.empty(bodies.offsets[-1], np.int32), np.empty(bodies.offsets[-1], np.int32)
    books, begin = np.empty((bodies.sizes.sum(), width), np.float32), 0
    shape = np.empty(width, np.float32)
    for update in range(len(bodies.sizes)):
        at, levels = bodies.starts[update], np.empty(bodies.sizes[update], np.float32)
        its = slice(bodies.offsets[update], bodies.offsets[update + 1])
        fine = halves.take(bodies.octets, at, shape) and tables.magnitude(shape.view(np.uint32)) in (0, _ONE)
        at += 2 + 2 * width + 2
        fine &= halves.take(bodies.octets, at, levels)
        fine &= _taken(bodies, update, at + 2 + 2 * len(levels), begin, ids[its], taken[its])
        if not fine:
            return ids, books, taken, False
        for level in levels:
            for column in range(width):
                books[begin, column] = level * shape[column]
            begin += 1
    return ids, books, taken, True


@exact
def positions_each(
    octets: Octets, starts: Numbers, ends: Numbers, offsets: Numbers, forms: Numbers, item_count: int
) -> tuple[Ids, bool]:
    """Sections of positions alone, from starts[c] to ends[c]: ids (N,), and whether all is in order."""
    ids = np.empty(offsets[-1], np.int32)
    for update in range(len(forms)):
        its, at = ids[offsets[update] : offsets[update + 1]], starts[update]
        _, form, low, top = forms[update]
        section = octets[at + 1 : ends[update]]
        if octets[at] != form or not _positions(section, form, low, top, its):
            return ids, False
        if not marking.increasing(its, item_count):
            return ids, False
    return ids, True


@exact
def _taken(bodies: Bodies, update: int, at: int, begin: int, ids: Ids, taken: Ids) -> bool:
    """The codeword of each row (n,) into `taken`, counted from `begin`, and its id into `ids`.

    Returns whether an encoder writes such.
    """
    n, told = len(ids), PACKED
    bits, form, low, top = bodies.forms[update]
    if bodies.is_told:
        told, at = bodies.octets[at], at + 1
    if told != PACKED:
        return told == CODED and _coded(bodies, update, at, begin, ids, taken)
    if at + bodies.lengths[update] != bodies.ends[update]:
        return False
    clean = True
    if bits:
        end = at + octets_of(n * bits)
        clean = packing.unpack_into(bodies.octets[at:end], taken, bits)
        at = end
    else:
        taken[:] = 0
    most = bodies.sizes[update]
    for place in range(n):
        clean &= taken[place] < most
        taken[place] += begin
    if not clean or bodies.octets[at] != form:
        return False
    section = bodies.octets[at + 1 : bodies.ends[update]]
    return _positions(section, form, low, top, ids) and marking.increasing(ids, bodies.item_count)


@exact
def _coded(bodies: Bodies, update: int, at: int, begin: int, ids: Ids, taken: Ids) -> bool:
    """As `_taken`, behind the byte that says that it is coded."""
    n, k, end, packed = len(ids), bodies.sizes[update], bodies.ends[update], bodies.lengths[update]
    bits, form, low, top = bodies.forms[update]
    if not streams.fits(n, k) or end - at >= packed:
        return False
    if not streams.walks(n, bodies.item_count):
        size = packed - octets_of(n * bits)
        if end - at < size or bodies.octets[at] != form:
            return False
        if not _positions(bodies.octets[at + 1 : at + size], form, low, top, ids):
            return False
        if not marking.increasing(ids, bodies.item_count):
            return False
        at += size
    fine = streams.opened(bodies.octets[at:end], k, ids, bodies.item_count, taken)
    taken += begin
    return fine


@exact
def _positions(section: Octets, form: int, low: int, top: int, ids: Ids) -> bool:
    n, clean = len(ids), True
    if form == ALL:
        ids[:] = np.arange(n)
    elif n and form == BITMAP:
        clean = marking.marked_into(section, ids)
    elif n:
        clean = marking.unpack_ids_into(section, low, top, ids)
    return clean
