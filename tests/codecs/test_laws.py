"""The laws of `codecs.base`, for every codec."""

import struct
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import Codec, ItemUpdate, encode_all, leaves_out_rows
from fedras_ray.errors import CodecError

shared_codec = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def sealed(codec_id, item_count, width, rows, body):
    """A blob whose checksum is right, whatever else it claims."""
    fields = struct.pack("<2sBBIHI", b"FR", 1, codec_id, item_count, width, rows)
    return fields + struct.pack("<I", zlib.crc32(body, zlib.crc32(fields))) + body


def test_is_a_codec(codec):
    assert isinstance(codec, Codec)


@pytest.mark.parametrize(
    ("n", "item_count", "width"), [(1, 1, 1), (1, 9, 3), (9, 9, 3), (40, 900, 8), (500, 600, 5)]
)
def test_ids_and_shape_come_back_exactly(codec, rank_one, n, item_count, width):
    one = rank_one(n, item_count, width)
    back = codec.decode(codec.encode(one))
    assert back.item_ids.dtype == np.int32
    assert back.rows.dtype == np.float32
    assert set(back.item_ids) <= set(one.update.item_ids)
    assert len(back.item_ids) == n or (leaves_out_rows(codec) and len(back.item_ids) >= 1)
    assert back.rows.shape == (len(back.item_ids), width)
    assert back.item_count == item_count


def test_an_empty_update_is_a_valid_blob(codec, send):
    back = codec.decode(codec.encode(send([], np.zeros((0, 4)), 9)))
    assert (len(back.item_ids), back.width, back.item_count) == (0, 4, 9)


def test_rows_of_zeros_stay_zero_or_are_left_out(codec, send):
    back = codec.decode(codec.encode(send([1, 4, 7], np.zeros((3, 2)), 9)))
    assert set(back.item_ids) <= {1, 4, 7}
    assert not back.rows.any()


def test_the_same_update_gives_the_same_bytes(codec, rank_one):
    assert codec.encode(rank_one(60, 90, 6)) == codec.encode(rank_one(60, 90, 6))


def test_a_cohort_is_encoded_like_its_members(codec, rank_one):
    """Same length, same ids; rows within 0.1 %: padding changes the order of float sums, no more."""
    cohort = [rank_one(n, 700, 6, client) for client, n in enumerate([5, 300, 17, 640, 300, 90])]
    cohort.insert(2, rank_one(0, 700, 6))
    for one, together in zip(cohort, encode_all(codec, cohort), strict=True):
        alone, in_cohort = codec.decode(codec.encode(one)), codec.decode(together)
        assert len(codec.encode(one)) == len(together)
        assert (alone.item_ids == in_cohort.item_ids).all()
        assert np.linalg.norm(alone.rows - in_cohort.rows) <= 1e-3 * np.linalg.norm(alone.rows)


def test_a_cohort_gives_the_same_bytes_twice(codec, rank_one):
    cohort = [rank_one(n, 700, 6, client) for client, n in enumerate([5, 300, 17, 640])]
    assert encode_all(codec, cohort) == encode_all(codec, cohort)
    assert encode_all(codec, []) == []


def test_two_threads_at_once_get_the_bytes_of_one(codec, rank_one):
    cohorts = [
        [rank_one(n, 700, 6, client) for client, n in enumerate(lengths)]
        for lengths in ([5, 300, 17, 640], [400, 30, 8], [120] * 5, [64, 640])
    ]

    def sent_and_read(cohort):
        blobs = encode_all(codec, cohort)
        return blobs, [codec.decode(one).rows.tolist() for one in blobs]

    with ThreadPoolExecutor(len(cohorts)) as threads:
        found = [*threads.map(sent_and_read, cohorts)]
    assert found == [*map(sent_and_read, cohorts)]


def test_read_only_arrays_are_enough(codec, rank_one):
    one = rank_one(20, 50, 3)
    assert not one.update.rows.flags.writeable
    before = one.update.rows.copy()
    back = codec.decode(codec.encode(one))
    assert not back.rows.flags.writeable
    assert (one.update.rows == before).all()


def test_other_layouts_of_the_rows_are_the_same_update(codec, rank_one, send):
    one = rank_one(20, 50, 4).update
    transposed = send(one.item_ids, np.asfortranarray(one.rows), 50)
    assert codec.encode(transposed) == codec.encode(send(one.item_ids, one.rows, 50))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_cannot_be_sent(codec, rank_one, send, bad):
    rows = rank_one(20, 50, 3).update.rows.copy()
    rows[11, 1] = bad
    with pytest.raises(CodecError):
        codec.encode(send(np.arange(20), rows, 50))


@pytest.mark.parametrize("magnitude", [1e-44, 1e-30, 1e30, 3.4e38])
def test_magnitudes_at_the_ends_of_f32(codec, send, magnitude):
    rows = np.array([[1, 0.5], [-1, 0.25], [0.5, -0.5]], np.float32) * np.float32(magnitude)
    back = codec.decode(codec.encode(send([1, 3, 4], rows, 6)))
    assert np.isfinite(back.rows).all()
    longest = np.linalg.norm(rows.astype(np.float64), axis=1).max()  # what no projection makes longer
    assert float(np.abs(back.rows).max()) <= longest * 1.001
    assert back.rows.any()


def test_every_truncation_is_noticed(codec, rank_one):
    blob = codec.encode(rank_one(5, 11, 2))
    for length in range(len(blob)):
        with pytest.raises(CodecError):
            codec.decode(blob[:length])
    with pytest.raises(CodecError):
        codec.decode(blob + b"\0")


def test_every_flipped_bit_is_noticed(codec, rank_one):
    blob = codec.encode(rank_one(5, 11, 2))
    for bit in range(8 * len(blob)):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CodecError):
            codec.decode(bytes(flipped))


def test_the_blob_of_another_codec_is_refused(codecs, rank_one):
    blobs = {codec.encode(rank_one(5, 11, 6))[3]: codec for codec in codecs.values()}
    assert set(blobs) == {one for one in wire.CodecId if one < wire.CodecId.SEED}
    for codec_id, codec in blobs.items():
        for other in set(wire.CodecId) - {codec_id}:
            with pytest.raises(CodecError, match="codec"):
                codec.decode(sealed(other, 11, 2, 5, b""))


@shared_codec
@given(st.binary(max_size=80))
def test_random_bytes_raise_codec_errors_only(codec, noise):
    with pytest.raises(CodecError):
        codec.decode(noise)


@shared_codec
@given(
    st.integers(0, 40),
    st.integers(0, 3),
    st.integers(0, 40),
    st.binary(max_size=60),
    st.sampled_from([b"", b"\1\0"]),
)
def test_a_sealed_body_of_noise_is_an_update_or_a_codec_error(codec, item_count, width, rows, noise, start):
    codec_id = codec.encode(_nothing())[3]
    try:
        back = codec.decode(sealed(codec_id, item_count, width, rows, start + noise))
    except CodecError:
        return
    assert isinstance(back, ItemUpdate)
    assert np.isfinite(back.rows).all()


@pytest.mark.parametrize(
    ("item_count", "width", "rows"),
    [
        (2**31 - 1, 65_535, 2**31 - 1),
        (2**31 - 1, 1, 2**31 - 1),
        (2**32 - 1, 65_535, 2**32 - 1),
        (2**31 - 1, 32, 2**31 - 2),
        (2**31 - 1, 32, 1),
        (2**31 - 1, 65_535, 64),
        (3_706, 0, 3_706),
    ],
)
@pytest.mark.parametrize("body", [b"", bytes(400), b"\1" + bytes(400), b"\1\0" + bytes(400)])
def test_claims_of_huge_sizes_allocate_nothing(codec, item_count, width, rows, body):
    blob = sealed(codec.encode(_nothing())[3], item_count, width, rows, body)
    tracemalloc.start()
    try:
        with pytest.raises(CodecError):
            codec.decode(blob)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def _nothing():
    from fedras_ray.codecs.base import Outgoing

    return Outgoing(ItemUpdate(np.zeros(0, np.int32), np.zeros((0, 1), np.float32), 0), lambda: None)
