"""Bits, positions and floats: exact sizes, exact or bounded contents, and refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fedras_ray.codecs.bits import bits_for, pack_bits, packed_bytes, unpack_bits
from fedras_ray.codecs.floats import floats_bytes, pack_floats, unpack_floats
from fedras_ray.codecs.positions import pack_positions, positions_bytes, take_positions
from fedras_ray.codecs.wire import Body
from fedras_ray.errors import CodecError

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.integers(0, 32), st.data())
def test_bits_come_back(width, data):
    values = np.array(data.draw(st.lists(st.integers(0, 2**width - 1), max_size=70)), np.int64)
    blob = pack_bits(values, width)
    assert len(blob) == packed_bytes(len(values), width)
    assert (unpack_bits(memoryview(blob), len(values), width) == values).all()


@given(st.integers(1, 17), st.binary(min_size=1, max_size=20))
def test_bits_have_one_encoding(width, blob):
    """Whatever is accepted is what the encoder would have written."""
    count = 8 * len(blob) // width
    try:
        values = unpack_bits(memoryview(blob), count, width)
    except CodecError:
        return
    assert pack_bits(values, width) == blob


@pytest.mark.parametrize(("distinct", "bits"), [(0, 0), (1, 0), (2, 1), (3, 2), (16, 4), (17, 5), (4096, 12)])
def test_bits_that_tell_values_apart(distinct, bits):
    assert bits_for(distinct) == bits


@pytest.mark.parametrize(("values", "width"), [([4], 2), ([1], 0), ([-1], 8)])
def test_values_that_do_not_fit_are_refused(values, width):
    with pytest.raises(CodecError, match="do not fit"):
        pack_bits(np.array(values), width)


def test_padding_bits_must_be_zero():
    with pytest.raises(CodecError, match="after the last"):
        unpack_bits(memoryview(b"\x80"), 1, 2)


@st.composite
def id_sets(draw):
    item_count = draw(st.one_of(st.integers(1, 300), st.integers(1, 2**31 - 1)))
    ids = draw(st.sets(st.integers(0, item_count - 1), max_size=60))
    return np.array(sorted(ids), np.int32), item_count


def both_ways(ids, item_count):
    blob = pack_positions(ids, item_count)
    body = Body(memoryview(blob))
    back = take_positions(body, len(ids), item_count)
    body.finish()
    assert back.dtype == np.int32
    assert (back == ids).all()
    return blob


@given(id_sets())
def test_positions_come_back(case):
    ids, item_count = case
    if item_count > 1 << 20 and len(ids) == item_count:
        return
    assert len(both_ways(ids, item_count)) == positions_bytes(len(ids), item_count)


@pytest.mark.parametrize("ids", [[0], [2**31 - 2], [0, 2**31 - 2], range(2**31 - 60, 2**31 - 1), range(50)])
def test_positions_at_the_ends_of_the_largest_catalogue(ids):
    both_ways(np.array(ids, np.int32), 2**31 - 1)


def test_positions_take_the_shortest_form():
    assert len(both_ways(np.arange(1000, dtype=np.int32), 1000)) == 1
    assert len(both_ways(np.arange(0, 1000, 2, dtype=np.int32), 1000)) == 1 + 125
    few = both_ways(np.arange(0, 1000, 50, dtype=np.int32), 1000)
    assert len(few) == 1 + 13 + 7  # 20 ids: 5 low bits each, 20 + (999 >> 5) bits in unary
    assert len(both_ways(np.zeros(0, np.int32), 1000)) == 1


@given(st.integers(0, 40), st.integers(0, 40), st.binary(max_size=30))
def test_positions_from_noise_are_canonical_or_refused(count, extra, noise):
    item_count = count + extra
    body = Body(memoryview(noise))
    try:
        ids = take_positions(body, count, item_count)
        body.finish()
    except CodecError:
        return
    assert pack_positions(ids, item_count) == noise


@given(
    hnp.arrays(np.float32, hnp.array_shapes(max_dims=2, max_side=20, min_side=0, min_dims=2), elements=finite)
)
def test_f32_is_exact(values):
    blob = pack_floats(values, "f32")
    assert len(blob) == floats_bytes(values.size, "f32")
    assert unpack_floats(memoryview(blob), values.size, "f32").tobytes() == values.tobytes()


@given(hnp.arrays(np.float32, st.integers(0, 30), elements=finite))
def test_f16_keeps_eleven_bits(values):
    blob = pack_floats(values, "f16")
    assert len(blob) == floats_bytes(values.size, "f16")
    back = unpack_floats(memoryview(blob), values.size, "f16").astype(np.float64)
    exact = values.astype(np.float64)
    peak = np.abs(exact).max(initial=0.0)
    assert (np.abs(back - exact) <= 2**-11 * np.abs(exact) + 2**-39 * peak + 2.0**-149).all()


@pytest.mark.parametrize("dtype", ["f32", "f16"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_floats_that_are_not_finite_are_refused(dtype, bad):
    with pytest.raises(CodecError, match="finite"):
        pack_floats(np.array([1, bad], np.float32), dtype)


@pytest.mark.parametrize(
    ("blob", "dtype"),
    [
        (np.array([1, np.nan], "<f4").tobytes(), "f32"),
        (np.array([1, np.inf], "<f4").tobytes(), "f32"),
        (b"\0\0" + np.array([1, np.nan], "<f2").tobytes(), "f16"),
        (b"\0\0" + np.array([1, 40_000], "<f2").tobytes(), "f16"),
        (b"\xff\x7f" + np.array([1, 2], "<f2").tobytes(), "f16"),
        (b"\0\0\0", "f16"),
        (b"\0\0\0", "f32"),
    ],
)
def test_floats_that_no_encoder_writes_are_refused(blob, dtype):
    with pytest.raises(CodecError):
        unpack_floats(memoryview(blob), 2, dtype)
