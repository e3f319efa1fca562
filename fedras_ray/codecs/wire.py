"""The envelope of every blob: who wrote it, how large the update is, and whether it is intact.

I items in the catalogue, n rows in the blob, D width. All numbers are little endian.

| bytes | field | what |
|---|---|---|
| 0–1 | magic | ``FR`` |
| 2 | version | 1 |
| 3 | codec | `CodecId`; or 128–255, for codecs from outside the project |
| 4–7 | I | u32, below 2**31 |
| 8–9 | D | u16, at least 1 |
| 10–13 | n | u32, at most I |
| 14–17 | checksum | CRC-32 (zlib) over bytes 0–13 and 18–end |
| 18– | body | the codec's own |

Numbers up to 127 are the project's. From 128 on nobody keeps a list: such a number tells the codecs of
one experiment apart, and which one it means is the experiment's to say.

The checksum covers the header too: a CRC-32 finds every single flipped bit, wherever it is.

**Law of size.** No blob decodes into much more memory than it has bytes: n·D ≤ `FREE_FLOATS`, or the
blob holds at least one bit per row (n ≤ 8·len). It is checked before anything is allocated, and
every codec's encoder keeps it. Sections are taken from the body by exact size, and what is left over
is an error, so a size that a header claims must be there in bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from isal import isal_zlib

from fedras_ray.errors import CodecError

HEADER_BYTES = 18
FREE_FLOATS = 1 << 22  # 16 MiB of f32: what any blob may decode to, however short it is
MOST_ITEMS = (1 << 31) - 1
OUTSIDE = range(128, 256)  # codec numbers that the project never gives to a codec of its own

_FIELDS = struct.Struct("<2sBBIHI")
FIELD_BYTES = _FIELDS.size  # of the header, before the checksum
_CHECKSUM = struct.Struct("<I")
MAGIC = b"FR"
VERSION = 1


class CodecId(IntEnum):
    """What the body is. Append only: stored blobs carry these numbers."""

    DENSE_F32 = 1
    DENSE_F16 = 2
    SPARSE_F32 = 3
    SPARSE_F16 = 4
    ACTIONS = 5
    INT8 = 6
    INT4 = 7
    SIGN = 8
    TOPK_ROWS = 9
    TOPK_ENTRIES = 10
    LOWRANK = 11
    COLR = 12
    GAIN_SHAPE = 13
    PRODUCT = 14
    RESIDUAL = 15
    GRID = 16
    ACTIONS_ENTROPY = 17
    GAIN_SHAPE_ENTROPY = 18
    PRODUCT_ENTROPY = 19
    RESIDUAL_ENTROPY = 20
    SEED = 21  # from here on, messages of downlinks
    REQUEST = 22
    NOTICE = 23


_NUMBERS = frozenset(CodecId) | frozenset(OUTSIDE)


class Body:
    """A cursor over the bytes behind the header."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0

    def __len__(self) -> int:
        """The bytes not taken yet."""
        return len(self._data) - self._at

    def take(self, count: int) -> memoryview:
        """The next `count` bytes, not copied.

        Raises:
            CodecError: there are fewer.
        """
        left = len(self._data) - self._at
        if count > left:
            raise CodecError(f"truncated: {count} bytes expected at byte {self._at} of the body, {left} left")
        self._at += count
        return self._data[self._at - count : self._at]

    def rest(self) -> memoryview:
        """Everything that is left."""
        return self.take(len(self._data) - self._at)

    def finish(self) -> None:
        """Check that everything was read.

        Raises:
            CodecError: bytes are left over.
        """
        if self._at != len(self._data):
            raise CodecError(f"{len(self._data) - self._at} bytes too many at the end of the body")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What an intact header says, and the body behind it."""

    item_count: int  # I
    width: int  # D
    rows: int  # n
    body: Body


def obeys_size_law(rows: int, width: int, blob_bytes: int) -> bool:
    """Whether a blob of this length may decode to n × D floats (see the module's text)."""
    return rows * width <= FREE_FLOATS or rows <= 8 * blob_bytes


def pack(codec_id: CodecId | int, item_count: int, width: int, rows: int, *body: bytes | memoryview) -> bytes:
    """Put the envelope around a body.

    Args:
        codec_id: the project's number for a codec of its own, or one of `OUTSIDE`.
        item_count: I.
        width: D.
        rows: n.
        body: what the codec itself writes, in as many pieces as it has.

    Raises:
        CodecError: the sizes do not fit the fields of the header, or nobody may use this number.
    """
    check_fields(codec_id, item_count, width, rows)
    fields = _FIELDS.pack(MAGIC, VERSION, codec_id, item_count, width, rows)
    checksum = isal_zlib.crc32(fields)
    for piece in body:
        checksum = isal_zlib.crc32(piece, checksum)
    return b"".join((fields, _CHECKSUM.pack(checksum), *body))


def resealed(blob: bytes) -> bytes:
    """The same blob with the checksum that its bytes have now."""
    fields, body = blob[:FIELD_BYTES], blob[HEADER_BYTES:]
    return b"".join((fields, _CHECKSUM.pack(isal_zlib.crc32(body, isal_zlib.crc32(fields))), body))


def unpack(blob: bytes, codec_id: CodecId | int) -> Frame:
    """Open the envelope, after checking that it is whole and ours.

    Raises:
        CodecError: truncated, corrupt, of another codec or version, or in breach of the law of size.
    """
    view = memoryview(blob)
    if len(view) < HEADER_BYTES:
        raise CodecError(f"{len(view)} bytes are shorter than a header ({HEADER_BYTES} bytes)")
    fields, body = view[:FIELD_BYTES], view[HEADER_BYTES:]
    magic, version, codec, item_count, width, rows = _FIELDS.unpack(fields)
    if (magic, version) != (MAGIC, VERSION):
        raise CodecError(f"not a blob of version {VERSION}: it begins with {bytes(view[:3]).hex()}")
    if _CHECKSUM.unpack(view[FIELD_BYTES:HEADER_BYTES]) != (isal_zlib.crc32(body, isal_zlib.crc32(fields)),):
        raise CodecError("the checksum does not match: bytes were changed or lost on the way")
    if codec != codec_id:
        raise CodecError(f"written by codec {codec}, not by {_name(codec_id)}")
    _check_sizes(item_count, width, rows, len(view))
    return Frame(item_count, width, rows, Body(body))


def _name(codec_id: int) -> str:
    """What to call a number in a message; refuses one that is neither the project's nor open to all."""
    if codec_id in OUTSIDE:
        return f"codec {codec_id}"
    try:
        return f"{CodecId(codec_id).name.lower()} ({int(codec_id)})"
    except ValueError:
        raise CodecError(f"{codec_id} is no codec: from outside the project, take 128 to 255") from None


def check_fields(codec_id: CodecId | int, item_count: int, width: int, rows: int) -> None:
    """What `pack` checks."""
    if codec_id not in _NUMBERS:
        _name(codec_id)
    if not (0 <= rows <= item_count <= MOST_ITEMS and 1 <= width <= 0xFFFF):
        raise CodecError(f"{rows} rows of width {width} from {item_count} items do not fit the wire")


def _check_sizes(item_count: int, width: int, rows: int, blob_bytes: int) -> None:
    if not (rows <= item_count <= MOST_ITEMS and width >= 1):
        raise CodecError(f"{rows} rows of width {width} from {item_count} items cannot be")
    if not obeys_size_law(rows, width, blob_bytes):
        raise CodecError(f"{blob_bytes} bytes claim to hold {rows} rows of width {width}")
