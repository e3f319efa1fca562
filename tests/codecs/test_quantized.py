"""Integers with a scale per row: no bias, a bound on every error, and nothing above the largest level."""

import functools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fedras_ray.codecs.build import build_codec
from fedras_ray.config.codecs import QuantizedCodec
from fedras_ray.errors import CodecError
from fedras_ray.streams import Purpose, stream
from tests.codecs.conftest import send
from tests.codecs.test_laws import sealed

LEVELS = {"int8": 127, "int4": 7}

tables = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=8),
    elements=st.floats(-1.0, 1.0, width=32).map(lambda x: np.float32(x) ** 9),  # over many magnitudes
)


@pytest.fixture(params=LEVELS)
def kind(request):
    return request.param


@pytest.fixture
def codec(kind):
    return build_codec(QuantizedCodec(kind=kind))


def sent_often(codec, outgoing, times):
    """What one update decodes to under different streams: (times, n, D)."""
    draws = [functools.partial(stream, 7, Purpose.ENCODING, 0, turn) for turn in range(times)]
    return np.array([codec.decode(codec.encode(replace(outgoing, stream=draw))).rows for draw in draws])


def test_the_mean_over_streams_is_the_update(codec, kind, rank_one):
    """Within five standard errors; the standard deviation of one rounding is at most half a level."""
    one = rank_one(12, 30, 4)
    rows, times = one.update.rows, 4_000
    step = np.abs(rows).max(axis=1, keepdims=True) / LEVELS[kind]
    off = np.abs(sent_often(codec, one, times).mean(axis=0) - rows)
    assert (off <= 5 * step * 0.5 / np.sqrt(times)).all()


def test_rounding_is_at_random(codec, rank_one):
    one, two = sent_often(codec, rank_one(12, 30, 4), 2)
    assert (one != two).any()


@given(tables, st.sampled_from(sorted(LEVELS)))
def test_no_error_is_larger_than_a_level(rows, kind):
    codec = build_codec(QuantizedCodec(kind=kind))
    back = codec.decode(codec.encode(send(np.arange(len(rows)), rows, len(rows)))).rows
    largest, whole = np.abs(rows).max(axis=1, keepdims=True), np.abs(rows).max()
    step = (largest * (1 + 2**-10) + whole * 2.0**-37) / LEVELS[kind]  # what f16 rounds a scale up by
    assert (np.abs(back - rows) <= step * 1.000_001 + 2.0**-149).all()


def test_the_largest_entry_of_a_row_comes_back(codec, send):
    """Here as it is, because the scales are exact in f16."""
    rows = np.array([[1, 0, 0], [0, -0.25, 0], [0, 0, 96]], np.float32)
    assert (codec.decode(codec.encode(send([1, 3, 4], rows, 9))).rows == rows).all()


def test_a_small_row_beside_a_large_one_keeps_its_own_scale(codec, kind, send):
    rows = np.array([[1000, 900], [1e-4, -0.7e-4]], np.float32)
    back = codec.decode(codec.encode(send([1, 3], rows, 9))).rows
    assert (np.abs(back - rows)[1] <= 1.01e-4 / LEVELS[kind]).all()


def test_an_update_without_rows_draws_nothing(codec, send):
    nothing = replace(send([], np.zeros((0, 4)), 9), stream=None)
    assert len(codec.decode(codec.encode(nothing)).item_ids) == 0


@pytest.mark.parametrize(
    ("scale", "level"), [(b"\0\x3c", b"\xff"), (b"\0\xbc", b"\x77"), (b"\0\x80", b"\x77")]
)
def test_a_level_or_a_scale_that_no_encoder_writes(codec, kind, scale, level):
    """Scales of −1 and −0; the level above the largest."""
    number = {"int8": 6, "int4": 7}[kind]
    width = {"int8": 1, "int4": 2}[kind]
    assert len(codec.decode(sealed(number, 1, width, 1, b"\0\0" + b"\0\x3c" + b"\x77" + b"\0")).item_ids) == 1
    with pytest.raises(CodecError, match="no encoder"):
        codec.decode(sealed(number, 1, width, 1, b"\0\0" + scale + level + b"\0"))
