"""What the actions codec adds to the laws: how many actions, and what they cost."""

import numpy as np
import pytest

from fedras_ray.codecs import wire
from fedras_ray.codecs.actions import ActionsCodec, blob_bytes
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError


def fixed(count, **other):
    return ActionsCodec(
        configs.ActionsCodec(kind="actions", actions=configs.FixedActions(count=count), **other)
    )


def adaptive(**limits):
    return ActionsCodec(
        configs.ActionsCodec(kind="actions", actions=configs.AdaptiveActions(kind="adaptive", **limits))
    )


def distortion(one, back):
    return np.square(one.update.rows - back.rows).sum() / np.square(one.update.rows).sum()


@pytest.mark.parametrize("start", ["principal", "k-means++"])
def test_rows_come_back_as_one_of_the_actions(rank_one, start):
    one = rank_one(300, 400, 8)
    back = fixed(16, start=start).decode(fixed(16, start=start).encode(one))
    assert back.actions == len(np.unique(back.rows, axis=0)) == 16
    assert distortion(one, back) < 0.02


def test_as_many_actions_as_distinct_rows_lose_nothing_but_f16(send):
    kinds = np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32)
    rows = kinds[np.arange(40) % 5]
    back = fixed(8).decode(fixed(8).encode(send(np.arange(40), rows, 60)))
    assert back.actions == 5
    assert (np.abs(back.rows - rows) <= 2**-11 * np.abs(rows) + 2**-39 * np.abs(rows).max()).all()


@pytest.mark.parametrize("k", [1, 2, 3, 16, 17, 100])
@pytest.mark.parametrize(("n", "item_count"), [(200, 200), (200, 4_000), (120, 200)])
def test_the_size_is_the_formula(rank_one, k, n, item_count):
    one = rank_one(n, item_count, 4)
    assert len(fixed(k).encode(one)) == blob_bytes(one.update, k)


def test_a_fixed_number_ignores_the_budget(rank_one):
    one = rank_one(300, 400, 8, budget_bytes=10)
    assert fixed(16).decode(fixed(16).encode(one)).actions == 16


@pytest.mark.parametrize(("target", "noise"), [(0.5, 0.05), (0.05, 0.05), (0.01, 0.001), (0.001, 0.001)])
def test_the_smallest_number_that_meets_the_target(rank_one, target, noise):
    one = rank_one(300, 400, 8, noise=noise)
    codec = adaptive(least=2, most=256, distortion=target)
    back = codec.decode(codec.encode(one))
    assert distortion(one, back) <= target
    if back.actions > 2:
        fewer = fixed(back.actions // 2)
        assert distortion(one, fewer.decode(fewer.encode(one))) > target


def test_never_more_than_the_budget_carries(rank_one):
    codec = adaptive(least=2, most=48, distortion=1e-6)
    sizes = {k: blob_bytes(rank_one(300, 400, 8).update, k) for k in (2, 4, 8, 16, 32, 48)}
    for k, size in sizes.items():
        blob = codec.encode(rank_one(300, 400, 8, budget_bytes=size))
        assert codec.decode(blob).actions == k
        assert len(blob) == size
        if k > 2:
            tight = codec.encode(rank_one(300, 400, 8, budget_bytes=size - 1))
            assert codec.decode(tight).actions < k
            assert len(tight) < size


def test_the_least_is_sent_even_where_it_does_not_fit(rank_one):
    codec = adaptive(least=4, most=64)
    assert codec.decode(codec.encode(rank_one(300, 400, 8, budget_bytes=1))).actions == 4


def test_each_of_a_cohort_gets_its_own_number(rank_one):
    codec = adaptive(least=2, most=64, distortion=0.02)
    cohort = [
        rank_one(300, 400, 8, 0, noise=0.001),
        rank_one(300, 400, 8, 1, noise=0.3),
        rank_one(300, 400, 8, 2, noise=0.3, budget_bytes=600),
    ]
    calm, wild, poor = (codec.decode(blob).actions for blob in codec.encode_cohort(cohort))
    assert calm < wild
    assert poor < wild


def body(k, index, positions=b"\0", width=2):
    book = b"\0\0" + np.ones(k * width, "<f2").tobytes()
    return k.to_bytes(2, "little") + book + index + positions


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (body(3, b"\x0f"), "takes action 3 of 3"),
        (body(5, b"\0\0"), "5 actions for 4 rows"),
        (b"\0\0\0\0\0", "0 actions for 4 rows"),
        (body(3, b"\0", b"\1\x0f"), "form"),
        (body(2, b"\x10"), "after the last"),
        (body(2, b"\x05") + b"\0", "too many"),
    ],
)
def test_bodies_that_no_encoder_writes_are_refused(content, message):
    with pytest.raises(CodecError, match=message):
        fixed(4).decode(wire.pack(wire.CodecId.ACTIONS, 4, 2, 4, content))


def test_a_large_table_of_one_action_obeys_the_law_of_size(send, monkeypatch):
    monkeypatch.setattr("fedras_ray.codecs.wire.FREE_FLOATS", 1_000)
    one = send(np.arange(600), np.ones((600, 2)), 600)
    blob = fixed(1).encode(one)
    assert len(blob) == 18 + 2 + 2 + 4 + 75 + 1  # a bit per row
    assert (fixed(1).decode(blob).rows == 1).all()
