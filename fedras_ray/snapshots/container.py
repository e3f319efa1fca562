"""Trees of JSON and arrays in one file that is whole or refused.

    magic (8 bytes) · format (u16) · length of the header (u64) · header · arrays · SHA-256

The header is JSON: ``about``, what anybody may want to know first; ``trees``; and of every array its type and
shape, in order. One with the bytes of an earlier one has also the number of that, and is written once: the
newest table and what clients are sent of it are most often the same. All numbers are little-endian. The
SHA-256 is over everything before it, so a byte that was changed, added or lost is noticed before anything is
made of it.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.errors import SnapshotError, excerpt
from fedras_ray.snapshots.writer import Array, Tree

MAGIC = b"fedras\x00\xf5"
FORMAT = 5  # one more whenever a state has another shape, be it that of one class
_START = struct.Struct("<8sHQ")
_DIGEST_BYTES = hashlib.sha256().digest_size
_TOGETHER_BYTES = 1 << 20  # that are worth a call of their own; to copy fewer is cheaper than one more call
_LARGE_BYTES = 1 << 16  # of an array that is looked for among the others
_FIRST_BYTES = 64  # that differ most often where arrays do
Piece = bytes | memoryview
# What comes of JSON that no program of ours wrote, though its checksum is right
MADE_UP = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
_DTYPE = re.compile(r"[<|][biufc][0-9]{1,2}")  # numbers and truth; NumPy itself reads whole expressions


class ForeignSnapshotError(SnapshotError):
    """The file is whole, and of a format that this version of the program does not know."""


class Contents(NamedTuple):
    """What is in a file."""

    about: dict[str, Any]
    trees: list[Tree]
    arrays: list[list[Array]]  # of each tree


def packed(contents: Contents) -> Iterator[Piece]:
    """The file in few pieces: to hash and to write each lets Python's lock go. Nothing large is copied."""
    whole = hashlib.sha256()
    for piece in _together(_pieces(contents)):
        whole.update(piece)
        yield piece
    yield whole.digest()


def _together(pieces: Iterable[Piece]) -> Iterator[Piece]:
    waiting: list[Piece] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _TOGETHER_BYTES:
            apart = [waiting.pop()] if len(piece) >= _TOGETHER_BYTES else []
            yield from (b"".join(waiting), *apart)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _pieces(contents: Contents) -> Iterator[Piece]:
    arrays = [[_in_order(one) for one in some] for some in contents.arrays]
    told, bodies = _told(arrays)
    header = {"about": contents.about, "trees": contents.trees, "arrays": told}
    text = json.dumps(header, separators=(",", ":")).encode()
    yield _START.pack(MAGIC, FORMAT, len(text)) + text
    yield from bodies


def _in_order(array: Array) -> Array:
    """In one piece, little-endian; as it is where it is so already."""
    if array.flags.c_contiguous and array.dtype.isnative and sys.byteorder == "little":
        return array
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)


def _told(arrays: Sequence[Sequence[Array]]) -> tuple[list[list[tuple[Any, ...]]], list[Piece]]:
    """What the header says of each array, and the bytes of those that are written."""
    seen: dict[
        tuple[int, bytes], tuple[int, NDArray[np.uint8]]
    ] = {}  # by size and first bytes: number, bytes
    told: list[list[tuple[Any, ...]]] = []
    bodies: list[Piece] = []
    number = 0
    for some in arrays:
        told.append([])
        for one in some:
            same: tuple[int, ...] = ()
            if one.nbytes < _LARGE_BYTES:
                bodies.append(one.tobytes())
            else:
                octets = one.reshape(-1).view(np.uint8)
                place, other = seen.setdefault(
                    (octets.size, octets[:_FIRST_BYTES].tobytes()), (number, octets)
                )
                same = (place,) if place != number and np.array_equal(octets, other) else ()
                if not same:
                    bodies.append(octets.data)
            told[-1].append((one.dtype.str, one.shape, *same))
            number += 1
    return told, bodies


def unpacked(blob: bytes) -> Contents:
    """What is in a file; arrays are copies.

    Raises:
        SnapshotError: it is damaged, cut off, or of another format.
    """
    if len(blob) < _START.size + _DIGEST_BYTES:
        raise SnapshotError(f"is cut off: {len(blob)} bytes")
    magic, found, length = _START.unpack_from(blob)
    if hashlib.sha256(memoryview(blob)[:-_DIGEST_BYTES]).digest() != blob[-_DIGEST_BYTES:]:
        raise SnapshotError("is damaged: its checksum is another one")
    if magic != MAGIC:
        raise SnapshotError("is no snapshot")
    if found != FORMAT:
        raise ForeignSnapshotError(f"has format {found}, and this program reads format {FORMAT}")
    try:
        header = json.loads(blob[_START.size : _START.size + length])
        body = memoryview(blob)[_START.size + length : -_DIGEST_BYTES]
        return Contents(header["about"], header["trees"], _arrays(body, header["arrays"]))
    except MADE_UP as error:
        raise SnapshotError(f"has a header that says nothing: {excerpt(str(error))}") from error


def _arrays(body: memoryview, told: Sequence[Sequence[Sequence[Any]]]) -> list[list[Array]]:
    places: list[int] = []  # of each array, where it begins
    found: list[list[Array]] = []
    end = 0
    for some in told:
        found.append([])
        for name, shape, *same in some:
            dtype = number_type(name)
            size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
            places.append(places[same[0]] if same else end)
            end += 0 if same else size
            place = places[-1]
            found[-1].append(np.frombuffer(body[place : place + size], dtype).reshape(shape).copy())
    return found


def number_type(name: str) -> np.dtype[Any]:
    """NumPy's type of numbers of a name.

    Raises:
        TypeError: it names something else.
    """
    if not _DTYPE.fullmatch(name):
        raise TypeError(f"{excerpt(name)} is no type of numbers")
    return np.dtype(name)
