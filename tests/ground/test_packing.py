"""Bits as the kernels write them are those that whole numbers and NumPy's bitmaps give."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.kernels import heads, marking, packing

LENGTHS = [0, 1, 2, 3, 7, 8, 9, 31, 64, 65, 200]


def by_hand(values, width):
    """The first value at the lowest bit of the first byte."""
    number = sum(int(value) << (place * width) for place, value in enumerate(values))
    return number.to_bytes((len(values) * width + 7) // 8, "little")


@pytest.mark.parametrize("kind", [np.int32, np.uint32])
@pytest.mark.parametrize("width", range(1, 33))
def test_values_are_packed_and_unpacked_as_whole_numbers_say(width, kind):
    draw = np.random.default_rng(width)
    for length in LENGTHS:
        raw = draw.integers(0, 2**31 if kind is np.int32 else 2**32, length).astype(kind)
        low = raw.astype(np.uint64) & np.uint64((1 << width) - 1)
        expected = by_hand(low, width)
        octets = np.full(3 + len(expected) + 2, 255, np.uint8)
        assert packing.pack_into(octets, 3, raw, width) == 3 + len(expected)
        assert (
            octets.tobytes() == b"\xff" * 3 + expected + b"\xff" * 2
        )  # what is above its bits, and beside it
        values = np.empty(length, np.uint32)
        assert packing.unpack_into(np.frombuffer(expected, np.uint8), values, width)
        np.testing.assert_array_equal(values, low)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 8, 17])
def test_a_bit_behind_the_last_value_and_a_byte_too_many_are_seen(width):
    octets = np.frombuffer(by_hand([1] * 3, width), np.uint8)
    values = np.empty(3, np.int32)
    assert not packing.unpack_into(np.append(octets, np.uint8(0)), values, width)
    if 3 * width % 8:
        changed = octets.copy()
        changed[-1] |= 0x80
        assert not packing.unpack_into(changed, values, width)


@given(st.sets(st.integers(0, 699)), st.integers(700, 720))
def test_a_set_is_the_bitmap_that_numpy_makes(members, size):
    ids = np.array(sorted(members), np.int32)
    is_in = np.zeros(size, np.bool_)
    is_in[ids] = True
    octets = marking.mark(ids, size)
    assert octets.tobytes() == np.packbits(is_in, bitorder="little").tobytes()
    found, exact = marking.marked(octets, len(ids))
    assert exact
    np.testing.assert_array_equal(found, ids)
    assert not marking.marked(octets, len(ids) + 1)[1]
    assert not len(ids) or not marking.marked(octets, len(ids) - 1)[1]


@given(st.sets(st.integers(0, 5_000), min_size=1), st.integers(0, 12))
def test_ids_are_their_low_bits_and_the_rest_in_unary(members, low):
    ids = np.array(sorted(members), np.int32)
    top = 5_000 >> low
    unary = np.zeros(len(ids) + top, np.bool_)
    unary[(ids >> low) + np.arange(len(ids))] = True
    expected = by_hand(ids & ((1 << low) - 1), low) + np.packbits(unary, bitorder="little").tobytes()
    octets = marking.pack_ids(ids, low, top)
    assert octets.tobytes() == expected
    found, exact = marking.unpack_ids(octets, len(ids), low, top)
    assert exact
    np.testing.assert_array_equal(found, ids)


@given(st.lists(st.integers(-3, 12), max_size=8), st.integers(0, 12))
def test_ids_increase_within_a_limit(ids, limit):
    expected = ids == sorted(set(ids)) and all(0 <= one < limit for one in ids)
    assert marking.increasing(np.array(ids, np.int32), limit) == expected


@given(st.binary(max_size=40))
def test_the_checksum_of_a_head_is_that_of_zlib(octets):
    assert heads.crc32(np.frombuffer(octets, np.uint8)) == zlib.crc32(octets)
