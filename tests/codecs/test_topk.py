"""The largest rows or entries, against numpy's sort."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from fedras_ray.codecs.base import leaves_out_rows
from fedras_ray.codecs.build import build_codec, sparse_bytes
from fedras_ray.codecs.largest import largest, quota
from fedras_ray.config.codecs import SparseCodec, TopKCodec
from fedras_ray.errors import CodecError
from tests.codecs.conftest import rank_one
from tests.codecs.test_laws import sealed

ONE = struct.pack("<f", 1.0)


def topk(by, share, dtype="f32"):
    return build_codec(TopKCodec(kind="topk", by=by, share=share, dtype=dtype))


def table(update):
    """(I, D), zeros where nothing is said."""
    rows = np.zeros((update.item_count, update.width), np.float32)
    rows[update.item_ids] = update.rows
    return rows


@given(arrays(np.float32, st.integers(1, 50), elements=st.sampled_from([0, 1, 2, 2.5, 7])), st.data())
def test_largest_is_the_head_of_a_stable_sort(values, data):
    count = data.draw(st.integers(0, len(values)))
    expected = np.argsort(-values, kind="stable")[:count]
    assert largest(values, count).tolist() == sorted(expected.tolist())


@pytest.mark.parametrize(
    ("share", "size", "kept"),
    [(0.1, 30, 3), (0.1, 1, 1), (0.001, 9, 1), (1.0, 9, 9), (0.5, 0, 0), (0.3, 5, 2)],
)
def test_quota(share, size, kept):
    assert quota(share, size) == kept


@given(st.integers(1, 40), st.integers(1, 9), st.sampled_from([0.05, 0.3, 1.0]))
def test_rows_of_the_largest_norm_are_kept_as_they_are(n, width, share):
    codec, one = topk("rows", share), rank_one(n, 60, width)
    norms = np.linalg.norm(one.update.rows.astype(np.float64), axis=1)
    kept = np.sort(np.argsort(-norms, kind="stable")[: quota(share, n)])
    back = codec.decode(codec.encode(one))
    assert (back.item_ids == one.update.item_ids[kept]).all()
    assert (back.rows == one.update.rows[kept]).all()


@given(st.integers(1, 40), st.integers(1, 9), st.sampled_from([0.05, 0.3, 1.0]))
def test_the_largest_entries_are_kept_as_they_are(n, width, share):
    codec, one = topk("entries", share), rank_one(n, 60, width)
    flat = np.abs(one.update.rows).ravel()
    expected = np.zeros_like(one.update.rows)
    kept = np.argsort(-flat, kind="stable")[: quota(share, flat.size)]
    expected.ravel()[kept] = one.update.rows.ravel()[kept]
    back = codec.decode(codec.encode(one))
    full = np.zeros((60, width), np.float32)
    full[one.update.item_ids] = expected
    assert (table(back) == full).all()
    assert back.rows.any(axis=1).all()


@pytest.mark.parametrize("by", ["rows", "entries"])
def test_values_in_f16_cost_half(by, rank_one):
    one = rank_one(200, 900, 16)
    short, long = (topk(by, 0.5, dtype).encode(one) for dtype in ("f16", "f32"))
    values = 2 * 1600
    assert len(long) - len(short) == values - 2
    assert (topk(by, 0.1, "f32").decode(short).item_ids == topk(by, 0.1, "f32").decode(long).item_ids).all()


def test_all_rows_cost_one_byte_more_than_a_sparse_blob(rank_one):
    one = rank_one(40, 90, 4)
    assert len(topk("rows", 1.0).encode(one)) == sparse_bytes(40, 90, 4) + 1


def test_zeros_are_never_among_the_entries(send):
    rows = np.array([[0, 0], [1, 0], [0, 0]], np.float32)
    back = topk("entries", 1.0).decode(topk("entries", 1.0).encode(send([2, 4, 6], rows, 9)))
    assert (back.item_ids.tolist(), back.rows.tolist()) == ([4], [[1, 0]])


def test_only_these_leave_rows_out():
    assert all(leaves_out_rows(topk(by, 0.5)) for by in ("rows", "entries"))
    assert not leaves_out_rows(build_codec(SparseCodec(kind="sparse")))


@pytest.mark.parametrize("share", [0.0, 1.01, -0.5, float("nan")])
def test_a_share_is_above_0_and_at_most_1(share):
    with pytest.raises(ValidationError):
        TopKCodec(kind="topk", share=share)


@pytest.mark.parametrize(
    ("number", "rows", "body"),
    [
        (9, 1, b"\3" + ONE + b"\0"),  # values of three bytes
        (10, 1, b"\4\0\0\0\0" + b"\1" + b"\0"),  # a row without an entry
        (10, 1, b"\4\3\0\0\0" + 3 * ONE + b"\0\0"),  # three entries in a row of two
        (10, 2, b"\4\2\0\0\0" + 2 * ONE + b"\1\3" + b"\0"),  # both entries in the first of two rows
    ],
)
def test_what_no_encoder_writes(number, rows, body):
    good = b"\4\2\0\0\0" + 2 * ONE + b"\1\5" + b"\0"  # entries 0 and 2: the first of either row
    assert topk("entries", 0.5).decode(sealed(10, 2, 2, 2, good)).rows.tolist() == [[1, 0], [1, 0]]
    with pytest.raises(CodecError):
        topk("rows" if number == 9 else "entries", 0.5).decode(sealed(number, rows, 2, rows, body))
