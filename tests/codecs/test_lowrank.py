"""The truncated singular value decomposition, against numpy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.lowrank import directions
from fedras_ray.config.codecs import LowRankCodec
from fedras_ray.errors import CodecError
from tests.codecs.conftest import rank_one, send
from tests.codecs.test_laws import sealed


def lowrank(rank):
    return build_codec(LowRankCodec(kind="lowrank", rank=rank))


def truncated(rows, rank):
    u, s, v = np.linalg.svd(rows.astype(np.float64), full_matrices=False)
    return (u[:, :rank] * s[:rank]) @ v[:rank]


@given(st.integers(1, 50), st.integers(1, 12), st.integers(1, 6), st.sampled_from([1e-30, 1.0, 1e30]))
def test_equals_numpys_truncation_within_f16(n, width, rank, magnitude):
    one = rank_one(n, 60, width, noise=0.5)
    rows = one.update.rows * np.float32(magnitude)
    back = lowrank(rank).decode(lowrank(rank).encode(send(one.update.item_ids, rows, 60))).rows
    off = np.linalg.norm(back - truncated(rows, rank))
    assert off <= 2**-9 * np.linalg.norm(rows.astype(np.float64))


def test_a_full_rank_keeps_everything_within_f16(rank_one):
    one = rank_one(30, 60, 5, noise=1.0)
    back = lowrank(9).decode(lowrank(9).encode(one)).rows
    assert np.linalg.norm(back - one.update.rows) <= 2**-9 * np.linalg.norm(one.update.rows)


def test_what_has_rank_one_is_sent_with_rank_one(rank_one):
    one = rank_one(30, 60, 5, noise=0)
    assert lowrank(1).encode(one) == lowrank(4).encode(one)
    assert len(lowrank(4).encode(rank_one(60, 60, 5, noise=1))) == 18 + 2 + 2 + 2 * 60 * 4 + 2 + 2 * 4 * 5 + 1


@pytest.mark.parametrize("shape", [(40, 6), (6, 40), (6, 6), (1, 5), (5, 1)])
def test_directions_are_orthonormal_the_strongest_first_and_of_one_sign(shape):
    rows = np.random.default_rng(shape).standard_normal(shape)
    own = directions(rows, 3)
    np.testing.assert_allclose(own @ own.T, np.eye(min(3, *shape)), atol=1e-10)
    strength = np.linalg.norm(rows @ own.T, axis=0)
    assert (np.diff(strength) <= 0).all()
    assert (own.max(axis=1) == np.abs(own).max(axis=1)).all()
    np.testing.assert_array_equal(directions(-rows, 3), own)


def test_of_equal_entries_the_first_is_positive():
    rows = np.outer([1.0, 2.0, 3.0], [-1.0, 1.0])
    np.testing.assert_allclose(directions(rows, 1), [[2**-0.5, -(2**-0.5)]])


def test_rows_of_zeros_have_one_direction_of_zeros(send):
    blob = lowrank(3).encode(send(range(9), np.zeros((9, 4)), 9))
    assert len(blob) == 18 + 2 + 2 + 2 * 9 + 2 + 2 * 4 + 1
    assert not lowrank(3).decode(blob).rows.any()


@pytest.mark.parametrize(
    "body",
    [
        b"\0\0" + b"\0\0" + b"\0\0" + b"\0",  # no direction for a row
        b"\2\0" + b"\0\0" + 2 * b"\0\x3c" + b"\0\0" + 4 * b"\0\0" + b"\0",  # two for one row
        b"\1\0" + b"\0\0" + b"\0\x3c" + b"\0\0" + b"\1\x3c\0\0" + b"\0",  # longer than 1
    ],
)
def test_what_no_encoder_writes(body):
    good = b"\1\0" + b"\0\0" + b"\0\x3c" + b"\0\0" + b"\0\x3c\0\0" + b"\0"
    np.testing.assert_allclose(lowrank(1).decode(sealed(11, 1, 2, 1, good)).rows, [[2**0.5, 0]])
    with pytest.raises(CodecError):
        lowrank(1).decode(sealed(11, 1, 2, 1, body))
