"""Indices by a range coder: near their entropy, exact, and refused when they are somebody else's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs import coded, wire
from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.gain_shape import gain_shape_bytes
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from tests.codecs.conftest import rank_one, send


@st.composite
def messages(draw):
    """Indices below K for a few codebooks, and ids; skewed or not."""
    n = draw(st.integers(1, 200))
    item_count = n + draw(st.integers(0, 40) | st.integers(0, 9_000))
    sizes = draw(st.lists(st.integers(1, 300), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    kept = draw(st.sampled_from([0.0, 0.05, 1.0]))
    indices = [(rng.integers(0, k, n) * (rng.random(n) < kept)).astype(np.int32) for k in sizes]
    ids = np.sort(rng.choice(item_count, n, replace=False)).astype(np.int32)
    return sizes, indices, ids, item_count


def decoded(blob, sizes, ids, item_count):
    known = None if coded.walks(len(ids), item_count) else ids
    return coded.decode(memoryview(blob), len(ids), sizes, item_count, known)


@given(messages())
def test_indices_and_ids_come_back(message):
    sizes, indices, ids, item_count = message
    back, back_ids = decoded(coded.code(*message), sizes, ids, item_count)
    assert (back_ids == ids).all()
    assert all((one == other).all() for one, other in zip(back, indices, strict=True))


NOISE = st.binary(max_size=40) | st.integers(0, 999).map(lambda size: b"\xff" * size)


@given(messages(), NOISE)
def test_other_bytes_are_another_message_or_refused(message, noise):
    """Whatever is accepted is what the encoder would have written."""
    sizes, _, ids, item_count = message
    try:
        back, back_ids = decoded(noise, sizes, ids, item_count)
    except CodecError:
        return
    assert coded.code(sizes, back, back_ids, item_count) == noise


def bits_of_sets(count, item_count):
    return (
        math.lgamma(item_count + 1) - math.lgamma(count + 1) - math.lgamma(item_count - count + 1)
    ) / math.log(2)


@pytest.mark.parametrize(("n", "item_count"), [(1, 2), (1, 32), (700, 3_706), (3_000, 3_706), (900, 28_000)])
def test_a_set_costs_what_it_must_and_at_most_two_bytes_more(n, item_count):
    ids = np.sort(np.random.default_rng(n).choice(item_count, n, replace=False)).astype(np.int32)
    assert coded.walks(n, item_count)
    size = len(coded.code([1], [np.zeros(n, np.int32)], ids, item_count))
    assert size <= bits_of_sets(n, item_count) / 8 + 2
    low = np.arange(n, dtype=np.int32)  # a set is as dear as any other
    assert abs(len(coded.code([1], [np.zeros(n, np.int32)], low, item_count)) - size) <= 1 + n / 1_000


@pytest.mark.parametrize("k", [2, 16, 100])
def test_indices_cost_their_entropy_and_what_learning_it_costs(k):
    rng = np.random.default_rng(k)
    index = rng.choice(k, 2_000, p=rng.dirichlet(np.full(k, 0.5))).astype(np.int32)
    shares = np.bincount(index)[np.bincount(index) > 0] / 2_000
    entropy = -(shares * np.log2(shares)).sum() * 2_000
    size = len(coded.code([k], [index], np.arange(2_000, dtype=np.int32), 2_000))
    assert entropy / 8 <= size <= (entropy + (k - 1) / 2 * math.log2(2_000) + 8) / 8 + 2


def gain_shape(indices, count=16):
    actions = configs.FixedActions(count=count)
    return build_codec(configs.GainShapeCodec(kind="gain-shape", actions=actions, indices=indices))


@pytest.mark.parametrize("item_count", [600, 3_706, 200_000])
def test_the_update_is_the_same_and_the_blob_is_shorter(item_count):
    one = rank_one(600, item_count, 8)
    packed, entropy = gain_shape("packed"), gain_shape("entropy")
    back, other = (codec.decode(codec.encode(one)) for codec in (packed, entropy))
    assert (back.rows == other.rows).all()
    assert (back.item_ids == other.item_ids).all()
    assert len(entropy.encode(one)) < len(packed.encode(one))


def test_fixed_bits_where_they_are_shorter():
    rows = np.resize([[1.0], [2.0]], (16, 1))
    one = send(np.arange(16), rows, 16)
    assert len(gain_shape("entropy").encode(one)) == len(gain_shape("packed").encode(one)) + 1


def test_never_more_than_the_budget_carries():
    wanted = configs.AdaptiveActions(kind="adaptive", least=2, most=64, distortion=1e-9)
    codec = build_codec(configs.GainShapeCodec(kind="gain-shape", actions=wanted))
    for budget in range(400, 900, 7):
        one = rank_one(500, 700, 8, budget_bytes=budget)
        assert len(codec.encode(one)) <= max(budget, gain_shape_bytes(one.update, 2, "entropy"))


def test_a_large_table_of_one_action_obeys_the_law_of_size(monkeypatch):
    monkeypatch.setattr("fedras_ray.codecs.wire.FREE_FLOATS", 1_000)
    one = send(np.arange(600), np.ones((600, 2)), 600)
    blob = gain_shape("entropy").encode(one)
    assert wire.obeys_size_law(600, 2, len(blob))
    assert (gain_shape("entropy").decode(blob).rows == 1).all()


@pytest.mark.parametrize(
    ("tail", "message"), [(b"\2", "form 2"), (b"\1" + bytes(9), "shorter when they are packed")]
)
def test_forms_that_no_encoder_writes_are_refused(tail, message):
    head = b"\xf2\xff" + np.array([2**14, 0], "<f2").tobytes() + b"\2\0\0\0" + np.ones(2, "<f2").tobytes()
    with pytest.raises(CodecError, match=message):
        gain_shape("entropy").decode(wire.pack(wire.CodecId.GAIN_SHAPE_ENTROPY, 4, 2, 4, head + tail))
