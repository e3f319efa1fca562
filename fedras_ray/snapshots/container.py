"""Trees of JSON and arrays in one file that is whole or refused.

    magic (8 bytes) · format (u16) · length of the header (u64) · header · arrays · SHA-256

The header is JSON: ``about``, what anybody may want to know first; ``trees``; and of every array its type and
shape, in order. All numbers are little-endian. The SHA-256 is over everything before it, so a byte that was
changed, added or lost is noticed before anything is made of it.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fedras_ray.errors import SnapshotError
from fedras_ray.snapshots.writer import Array, Tree

MAGIC = b"fedras\x00\xf5"
FORMAT = 1
_START = struct.Struct("<8sHQ")
_DIGEST_BYTES = hashlib.sha256().digest_size


class ForeignSnapshotError(SnapshotError):
    """The file is whole, and of a format that this version of the program does not know."""


class Contents(NamedTuple):
    """What is in a file."""

    about: dict[str, Any]
    trees: list[Tree]
    arrays: list[list[Array]]  # of each tree


def packed(contents: Contents) -> Iterator[bytes | memoryview]:
    """The file, piece by piece: nothing large is copied."""
    whole = hashlib.sha256()
    for piece in _pieces(contents):
        whole.update(piece)
        yield piece
    yield whole.digest()


def _pieces(contents: Contents) -> Iterator[bytes | memoryview]:
    arrays = [[(one.dtype.newbyteorder("<").str, one.shape) for one in some] for some in contents.arrays]
    told = {"about": contents.about, "trees": contents.trees, "arrays": arrays}
    header = json.dumps(told, separators=(",", ":")).encode()
    yield _START.pack(MAGIC, FORMAT, len(header)) + header
    for some in contents.arrays:
        for one in some:
            yield bytes(np.ascontiguousarray(one, one.dtype.newbyteorder("<")).reshape(-1).view(np.uint8))


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
    header = json.loads(blob[_START.size : _START.size + length])
    body = memoryview(blob)[_START.size + length : -_DIGEST_BYTES]
    return Contents(header["about"], header["trees"], _arrays(body, header["arrays"]))


def _arrays(body: memoryview, told: Sequence[Sequence[tuple[str, list[int]]]]) -> list[list[Array]]:
    found: list[list[Array]] = []
    place = 0
    for some in told:
        found.append([])
        for name, shape in some:
            dtype = np.dtype(name)
            size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
            found[-1].append(np.frombuffer(body[place : place + size], dtype).reshape(shape).copy())
            place += size
    return found
