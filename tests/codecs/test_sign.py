"""Signs and a scale per row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs.build import build_codec
from fedras_ray.config.codecs import SignCodec
from fedras_ray.errors import CodecError
from tests.codecs.conftest import rank_one
from tests.codecs.test_laws import sealed


@pytest.fixture
def codec():
    return build_codec(SignCodec(kind="sign"))


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 99))
def test_every_row_is_its_signs_times_its_mean_magnitude(n, width, client):
    codec = build_codec(SignCodec(kind="sign"))
    one = rank_one(n, 60, width, client)
    rows, back = one.update.rows, codec.decode(codec.encode(one)).rows
    scale = np.abs(rows).mean(axis=1, keepdims=True)
    assert (np.sign(back) == np.sign(rows)).all()
    assert (np.abs(np.abs(back) - scale) <= 2**-11 * scale + 2.0**-39 * scale.max()).all()


def test_no_other_scale_loses_less(codec, rank_one):
    one = rank_one(20, 60, 8)
    rows, back = one.update.rows.astype(np.float64), codec.decode(codec.encode(one)).rows
    lost = np.square(rows - back).sum()
    for factor in (0.98, 1.02):
        assert np.square(rows - factor * back).sum() > lost


def test_a_zero_counts_as_positive(codec, send):
    back = codec.decode(codec.encode(send([2], [[0.0, -0.0, -3.0]], 9)))
    assert back.rows.tolist() == [[1, 1, -1]]


def test_an_entry_costs_a_bit(codec, rank_one):
    assert len(codec.encode(rank_one(64, 64, 32))) == 18 + 2 + 2 * 64 + 64 * 32 // 8 + 1


@pytest.mark.parametrize("body", [b"\0\0\0\xbc\1\0", b"\0\0\0\x80\1\0", b"\0\0\0\x3c\2\0"])
def test_what_no_encoder_writes(codec, body):
    """Scales of −1 and −0; a bit after the last sign."""
    assert codec.decode(sealed(8, 1, 1, 1, b"\0\0\0\x3c\1\0")).rows.tolist() == [[-1]]
    with pytest.raises(CodecError):
        codec.decode(sealed(8, 1, 1, 1, body))
