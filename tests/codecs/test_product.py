"""What product actions add to the laws: parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs import wire
from fedras_ray.codecs.actions import ActionsCodec
from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.codecs.product import ProductCodec, product_bytes
from fedras_ray.config import build
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError, ConfigError
from tests.codecs.conftest import rank_one, send

EIGHT = configs.FixedActions(count=8)


def product(parts, count=EIGHT, indices="packed", **other):
    return ProductCodec(
        configs.ProductCodec(kind="product", parts=parts, actions=count, indices=indices, **other)
    )


def distortion(one, codec):
    lost = one.update.rows - codec.decode(codec.encode(one)).rows
    return np.square(lost).sum() / np.square(one.update.rows).sum()


@given(
    st.integers(0, 60),
    st.integers(1, 5),
    st.integers(1, 4),
    st.sampled_from(["principal", "k-means++"]),
    st.sampled_from(["packed", "entropy"]),
)
def test_ids_and_shape_come_back_exactly(n, parts, each, start, indices):
    one = rank_one(n, 90, parts * each)
    codec = product(parts, start=start, indices=indices)
    blob = codec.encode(one)
    back = codec.decode(blob)
    assert blob == codec.encode(one)
    assert (back.item_ids == one.update.item_ids).all()
    assert back.rows.shape == (n, parts * each)
    assert len(blob) <= product_bytes(one.update, min(n, 8), parts, indices)
    for length in range(0, len(blob), 7):
        with pytest.raises(CodecError):
            codec.decode(blob[:length])


@pytest.mark.parametrize(("name", "indices"), [("PRODUCT", "packed"), ("PRODUCT_ENTROPY", "entropy")])
@given(st.binary(max_size=70), st.integers(0, 9), st.integers(0, 6), st.sampled_from([b"", b"\2\1\0", b"\3"]))
def test_a_sealed_body_of_noise_is_an_update_or_a_codec_error(name, indices, noise, rows, width, start):
    blob = wire.pack(wire.CodecId[name], 9, max(width, 1), rows, start + noise)
    try:
        back = product(2, indices=indices).decode(blob)
    except CodecError:
        return
    assert isinstance(back, ItemUpdate)
    assert np.isfinite(back.rows).all()


@pytest.mark.parametrize("n", [20, 600])
def test_one_part_is_what_actions_are(n):
    one = rank_one(n, 700, 8)
    actions = ActionsCodec(configs.ActionsCodec(kind="actions", actions=configs.FixedActions(count=8)))
    back = product(1).decode(product(1).encode(one))
    assert (back.rows == actions.decode(actions.encode(one)).rows).all()


def test_more_parts_lose_less_of_rows_without_a_direction():
    rows = np.random.default_rng(0).standard_normal((600, 8))
    one = send(np.arange(600), rows, 600)
    lost = [distortion(one, product(parts, start="k-means++", iterations=20)) for parts in (1, 2, 4, 8)]
    assert lost == sorted(lost, reverse=True)
    assert lost[-1] < 0.2 * lost[0]


@pytest.mark.parametrize("magnitude", [1e-44, 1e-30, 1e30, 3.4e38])
def test_parts_of_different_magnitudes_keep_their_own(magnitude):
    kinds = np.array([[1, -0.5, 2e-6, 4e-6], [-1, 0.25, 1e-6, -1e-6]])
    one = send(np.arange(8), magnitude * kinds[np.arange(8) % 2], 9)
    back = product(2).decode(product(2).encode(one))
    assert (np.abs(back.rows - one.update.rows) <= 2**-10 * np.abs(one.update.rows) + 2**-149).all()


@pytest.mark.parametrize("k", [1, 2, 16, 17])
def test_the_size_is_the_formula(k):
    one = rank_one(400, 700, 12)
    for parts in (1, 3, 12):
        codec = product(parts, configs.FixedActions(count=k))
        assert len(codec.encode(one)) == product_bytes(one.update, k, parts)


def test_never_more_than_the_budget_carries():
    codec = product(4, configs.AdaptiveActions(kind="adaptive", least=2, most=32, distortion=1e-6))
    for k in (2, 4, 8, 16, 32):
        size = product_bytes(rank_one(300, 400, 8).update, k, 4)
        blob = codec.encode(rank_one(300, 400, 8, budget_bytes=size))
        assert (codec.decode(blob).actions, len(blob)) == (k, size)
        if k > 2:
            assert len(codec.encode(rank_one(300, 400, 8, budget_bytes=size - 1))) < size


def test_parts_must_divide_the_width():
    with pytest.raises(CodecError, match="3 parts do not divide rows of width 8"):
        product(3).encode(rank_one(9, 9, 8))
    with pytest.raises(CodecError, match="3 parts do not divide rows of width 2"):
        product(3).decode(wire.pack(wire.CodecId.PRODUCT, 4, 2, 4, b"\3"))
    with pytest.raises(CodecError, match="0 parts"):
        product(3).decode(wire.pack(wire.CodecId.PRODUCT, 4, 2, 4, b"\0"))
    with pytest.raises(ConfigError, match=r"codec.parts is 5.*does not divide model.width, 32"):
        build({"codec": {"kind": "product", "parts": 5}, "model": {"width": 32}})
    assert build({"codec": {"kind": "product", "parts": 5}, "model": {"width": 40}}).codec.parts == 5
