"""What residual actions add to the laws: stages."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs import wire
from fedras_ray.codecs.actions import ActionsCodec
from fedras_ray.codecs.residual import ResidualCodec, residual_bytes
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from tests.codecs.conftest import rank_one, send

EIGHT = configs.FixedActions(count=8)


def residual(stages, count=EIGHT, **other):
    return ResidualCodec(configs.ResidualCodec(kind="residual", stages=stages, actions=count, **other))


def distortion(one, codec):
    lost = one.update.rows.astype(float) - codec.decode(codec.encode(one)).rows
    return np.square(lost).sum() / np.square(one.update.rows.astype(float)).sum()


@given(st.integers(0, 60), st.integers(1, 5), st.integers(1, 4), st.sampled_from(["principal", "k-means++"]))
def test_ids_and_shape_come_back_exactly(n, width, stages, start):
    one = rank_one(n, 90, width)
    codec = residual(stages, start=start)
    blob = codec.encode(one)
    assert blob == codec.encode(one)
    assert (codec.decode(blob).item_ids == one.update.item_ids).all()
    assert len(blob) <= residual_bytes(one.update, min(n, 8), stages)


@pytest.mark.parametrize("n", [20, 600])
def test_one_stage_is_what_actions_are(n):
    one = rank_one(n, 700, 8)
    actions = ActionsCodec(configs.ActionsCodec(kind="actions", actions=configs.FixedActions(count=8)))
    back = residual(1).decode(residual(1).encode(one))
    assert (back.rows == actions.decode(actions.encode(one)).rows).all()


@pytest.mark.parametrize("start", ["principal", "k-means++"])
@pytest.mark.parametrize("noise", [0, 0.3])
def test_every_stage_loses_less(noise, start):
    lost = [distortion(rank_one(600, 700, 8, noise=noise), residual(s, start=start)) for s in (1, 2, 3, 4)]
    assert all(after < 0.95 * before for before, after in pairwise(lost))


def test_differences_beyond_f32_are_kept_within_it():
    rows = np.full((9, 2), -3.4e38)
    rows[0] = 3.4e38
    codec = residual(3, configs.FixedActions(count=1))
    assert np.isfinite(codec.decode(codec.encode(send(np.arange(9), rows, 9))).rows).all()


@pytest.mark.parametrize("k", [1, 2, 15, 16])
def test_the_size_is_the_formula(k):
    one = rank_one(400, 700, 4)
    for stages in (1, 2, 4):
        codec = residual(stages, configs.FixedActions(count=k))
        assert len(codec.encode(one)) == residual_bytes(one.update, k, stages)


def test_never_more_than_the_budget_carries():
    codec = residual(2, configs.AdaptiveActions(kind="adaptive", least=2, most=32, distortion=1e-9))
    for k in (2, 4, 8, 16, 32):
        size = residual_bytes(rank_one(300, 400, 8).update, k, 2)
        blob = codec.encode(rank_one(300, 400, 8, budget_bytes=size))
        assert (codec.decode(blob).actions, len(blob)) == (k, size)
        if k > 2:
            assert len(codec.encode(rank_one(300, 400, 8, budget_bytes=size - 1))) < size


def test_the_target_is_met_with_fewer_actions_than_one_codebook_needs():
    target = configs.AdaptiveActions(kind="adaptive", distortion=1e-3, most=256)
    one = rank_one(600, 700, 8, noise=0.001)
    assert distortion(one, residual(2, target)) <= 1e-3
    single = residual(1, target)
    double = residual(2, target)
    assert double.decode(double.encode(one)).actions < single.decode(single.encode(one)).actions


def test_no_stages_are_refused():
    with pytest.raises(CodecError, match="no stages"):
        residual(1).decode(wire.pack(wire.CodecId.RESIDUAL, 4, 2, 4, b"\0"))
