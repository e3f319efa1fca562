"""Shared random directions: one set per version, and a projection onto them."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.colr import most_rank, projection
from fedras_ray.config.codecs import ColrCodec
from fedras_ray.errors import CodecError
from tests.codecs import fuzz
from tests.codecs.conftest import rank_one, send
from tests.codecs.test_laws import sealed

SEED = slice(20, 28)  # of a blob


def colr(rank, seed=0):
    return build_codec(ColrCodec(kind="colr", rank=rank, seed=seed))


@given(st.integers(0, 2**64 - 1), st.integers(1, 40), st.data())
def test_directions_are_orthonormal(seed, width, data):
    rank = data.draw(st.integers(1, width))
    shared = projection(seed, rank, width)
    assert shared.shape == (rank, width)
    np.testing.assert_allclose(shared @ shared.T, np.eye(rank), atol=1e-9)


def test_the_directions_of_a_seed_never_change():
    """Pinned: a stored blob holds the seed alone."""
    expected = [
        [0.27829355410725, -0.96034074224019, 0.01727300020008],
        [-0.12197526819098, -0.05317314334544, -0.99110778968612],
    ]
    np.testing.assert_allclose(projection(1, 2, 3), expected, atol=1e-12)


def test_directions_are_uniform():
    """The mean of their projections over many seeds is r / D of the whole."""
    mean = np.mean([projection(seed, 2, 5).T @ projection(seed, 2, 5) for seed in range(3_000)], axis=0)
    np.testing.assert_allclose(mean, 0.4 * np.eye(5), atol=0.03)


def test_clients_of_a_version_share_directions_and_versions_do_not():
    blobs = [colr(2).encode(rank_one(9, 30, 6, client, version=v)) for client in (0, 1) for v in (3, 4)]
    seeds = [blob[SEED] for blob in blobs]
    assert seeds[0] == seeds[2] == struct.pack("<Q", 3)
    assert seeds[1] == seeds[3] == struct.pack("<Q", 4)
    assert (projection(3, 2, 6) != projection(4, 2, 6)).all()
    assert colr(2, seed=5).encode(rank_one(9, 30, 6, version=3))[SEED] == struct.pack("<Q", 5 << 32 | 3)


@given(st.integers(1, 30), st.integers(1, 20), st.integers(1, 9), st.integers(0, 5))
def test_rows_are_projected_by_least_squares(n, width, rank, version):
    one = rank_one(n, 40, width, version=version)
    back = colr(rank).decode(colr(rank).encode(one)).rows
    shared = projection(version, min(rank, width), width)
    rows = one.update.rows.astype(np.float64)
    expected = np.linalg.lstsq(shared.T, rows.T, rcond=None)[0].T @ shared
    assert np.linalg.norm(back - expected) <= 2**-10 * np.linalg.norm(rows)


@given(st.integers(1, 30), st.integers(2, 20), st.integers(1, 9))
def test_a_projection_shortens_every_row_and_again_changes_nothing(n, width, rank):
    one = rank_one(n, 40, width)
    once = colr(rank).decode(colr(rank).encode(one))
    rows = np.linalg.norm(one.update.rows, axis=1)
    assert (np.linalg.norm(once.rows, axis=1) <= rows * (1 + 2**-10) + 2.0**-30 * rows.max()).all()
    twice = colr(rank).decode(colr(rank).encode(send(once.item_ids, once.rows, 40)))
    assert np.linalg.norm(twice.rows - once.rows) <= 2**-10 * np.linalg.norm(rows)


def test_as_many_directions_as_columns_keep_everything_within_f16(rank_one):
    one = rank_one(30, 60, 5, noise=1.0)
    back = colr(64).decode(colr(64).encode(one)).rows
    assert np.linalg.norm(back - one.update.rows) <= 2**-10 * np.linalg.norm(one.update.rows)


def test_a_blob_says_which_directions_and_the_configuration_does_not(rank_one):
    blob = colr(3, seed=8).encode(rank_one(30, 60, 5))
    assert (colr(1).decode(blob).rows == colr(3, seed=8).decode(blob).rows).all()


@pytest.mark.parametrize(("width", "rank"), [(1, 1), (32, 32), (64, 64), (512, 64), (4096, 32), (65_535, 2)])
def test_directions_never_take_more_than_a_mebibyte(width, rank):
    assert most_rank(width) == rank
    one = send([0], np.ones((1, width)), 1)
    assert colr(64).decode(colr(64).encode(one)).width == width


@pytest.mark.parametrize("rank", [0, 3, 65, 65_535])
def test_a_rank_that_no_encoder_writes(rank):
    body = struct.pack("<HQ", rank, 1) + b"\0\0" + rank * b"\0\x3c" + b"\0"
    with pytest.raises(CodecError, match="shared directions"):
        colr(2).decode(sealed(12, 1, 2, 1, body))


def test_a_short_blob_of_a_wide_row_takes_no_more_than_the_row_and_its_direction():
    """Found by the fuzzer: 33 bytes that took 3.7 MB."""
    blob = bytes.fromhex("4652010c01000000ffff0100000073f2433c01000000000000000000efff8af500")
    assert fuzz.outcome(colr(2), blob, traced=True) == "update"


def test_no_rows_need_no_directions():
    blob = colr(2).encode(send([], np.zeros((0, 60_000)), 9))
    projection.cache_clear()
    assert colr(2).decode(blob).rows.shape == (0, 60_000)
    assert projection.cache_info().misses == 0
