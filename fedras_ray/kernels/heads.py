"""The heads of many blobs at once: fields in which they are alike, how many rows one has, and a checksum.

C blobs. The checksum is the CRC-32 of the fields and of the body behind it (`codecs.wire`); here is the part
that the fields have in it, from which that of a body goes on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import exact

Octets = NDArray[np.uint8]
Numbers = NDArray[np.int64]
Sums = NDArray[np.uint32]

_POLYNOMIAL = 0xEDB88320  # of CRC-32, lowest bit first
_ALL = np.uint32(0xFFFFFFFF)


def _by_octet() -> Sums:
    """(256,) what a byte makes of a register of zeros."""
    found = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        found = np.where(found & 1, (found >> 1) ^ np.uint32(_POLYNOMIAL), found >> 1).astype(np.uint32)
    return found


_BY_OCTET = _by_octet()


@exact
def crc32(octets: Octets) -> int:
    """Of few bytes; for many there are quicker ways."""
    register = _ALL
    for octet in octets:
        register = _BY_OCTET[(register ^ octet) & np.uint32(255)] ^ (register >> np.uint32(8))
    return int(register ^ _ALL)


@exact
def put_fields(octets: Octets, starts: Numbers, alike: Octets, rows: Numbers) -> Numbers:
    """From starts[c] on, what is alike and rows[c]; returns the CRC-32 of each one's fields, (C,)."""
    sums = np.empty(len(starts), np.int64)
    for blob in range(len(starts)):
        at = starts[blob] + len(alike)
        octets[starts[blob] : at] = alike
        _put(octets, at, rows[blob])
        sums[blob] = crc32(octets[starts[blob] : at + 4])
    return sums


@exact
def put_checksums(octets: Octets, at: Numbers, sums: Numbers) -> None:
    """sums[c] where at[c] is."""
    for blob in range(len(at)):
        _put(octets, at[blob], sums[blob])


@exact
def take_fields(octets: Octets, starts: Numbers, alike: Octets) -> tuple[Numbers, Numbers, Numbers, bool]:
    """What stands from starts[c] on: rows, the checksum that is claimed, the CRC-32 of the fields, each (C,).

    And whether all of them are alike.
    """
    rows, claimed = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
    sums, fine = np.empty(len(starts), np.int64), True
    for blob in range(len(starts)):
        at = starts[blob] + len(alike)
        for place in range(len(alike)):
            fine &= octets[starts[blob] + place] == alike[place]
        rows[blob], claimed[blob] = _taken(octets, at), _taken(octets, at + 4)
        sums[blob] = crc32(octets[starts[blob] : at + 4])
    return rows, claimed, sums, fine


@exact
def _put(octets: Octets, at: int, value: int) -> None:
    for place in range(4):
        octets[at + place] = (value >> (8 * place)) & 255


@exact
def _taken(octets: Octets, at: int) -> int:
    value = 0
    for place in range(4):
        value |= int(octets[at + place]) << (8 * place)
    return value
