"""A number of actions that is ordered for one update, whatever the codec is configured to."""

import dataclasses

import numpy as np
import pytest

from fedras_ray.codecs.base import encode_all
from fedras_ray.codecs.build import build_codec
from fedras_ray.config.codecs import (
    ActionsCodec,
    AdaptiveActions,
    FixedActions,
    GainShapeCodec,
    GridCodec,
    ProductCodec,
    ResidualCodec,
)
from fedras_ray.errors import CodecError

FAMILY = {
    "actions": (ActionsCodec, {}),
    "actions-entropy": (ActionsCodec, {"indices": "entropy"}),
    "actions-k-means++": (ActionsCodec, {"start": "k-means++"}),
    "gain-shape": (GainShapeCodec, {}),
    "gain-shape-packed": (GainShapeCodec, {"indices": "packed"}),
    "product": (ProductCodec, {"parts": 2}),
    "residual": (ResidualCodec, {"stages": 2}),
}
COUNTS = [FixedActions(count=8), AdaptiveActions(kind="adaptive", distortion=0.1)]


def made(name, count):
    config, other = FAMILY[name]
    kind = name.split("-")[0] if not name.startswith("gain") else "gain-shape"
    return build_codec(config(kind=kind, actions=count, **other))


def ordering(one, actions):
    return dataclasses.replace(one, actions=actions)


@pytest.fixture(params=FAMILY)
def name(request):
    return request.param


@pytest.fixture
def cohort(rank_one):
    return [rank_one(n, 700, 6, client) for client, n in enumerate([5, 300, 17, 640, 90])]


@pytest.mark.parametrize("count", COUNTS, ids=lambda count: count.kind)
@pytest.mark.parametrize("k", [1, 3, 16])
def test_it_is_what_a_codec_of_that_fixed_number_sends(name, count, k, rank_one):
    one = rank_one(300, 700, 6)
    ordered = made(name, count).encode(ordering(one, k))
    assert ordered == made(name, FixedActions(count=k)).encode(one)
    assert made(name, count).decode(ordered).actions == k


@pytest.mark.parametrize("count", COUNTS, ids=lambda count: count.kind)
def test_without_an_order_the_bytes_are_the_same(name, count, cohort):
    """Also of the members of a cohort in which others have orders, but for the order of float sums."""
    codec = made(name, count)
    plain = encode_all(codec, cohort)
    assert encode_all(codec, [ordering(one, None) for one in cohort]) == plain
    mixed = encode_all(codec, [ordering(one, 2 if i % 2 else None) for i, one in enumerate(cohort)])
    assert [len(blob) for blob in mixed[::2]] == [len(blob) for blob in plain[::2]]
    assert [codec.decode(blob).actions for blob in mixed[1::2]] == [2, 2]
    for one, blob in zip(cohort, mixed, strict=True):
        assert (codec.decode(blob).item_ids == one.update.item_ids).all()


def test_each_of_a_cohort_gets_its_own(name, cohort):
    codec, orders = made(name, COUNTS[0]), [1, 2, 4, 8, 16]
    blobs = encode_all(codec, [ordering(one, k) for one, k in zip(cohort, orders, strict=True)])
    assert [codec.decode(blob).actions for blob in blobs] == orders


def test_an_order_stands_whatever_the_budget(name, rank_one):
    one = ordering(rank_one(300, 700, 6, budget_bytes=10), 16)
    codec = made(name, AdaptiveActions(kind="adaptive"))
    assert codec.decode(codec.encode(one)).actions == 16


def test_no_more_actions_than_rows(name, rank_one):
    codec = made(name, COUNTS[0])
    assert codec.decode(codec.encode(ordering(rank_one(3, 700, 6), 64))).actions <= 3


def test_other_codecs_do_not_look_at_it(rank_one):
    codec, one = build_codec(GridCodec(kind="grid")), rank_one(30, 70, 6)
    assert codec.encode(ordering(one, 4)) == codec.encode(one)


@pytest.mark.parametrize("k", [0, -3, 4097])
def test_a_number_that_cannot_be_sent_is_refused(rank_one, k):
    with pytest.raises(CodecError, match=f"{k} actions"):
        ordering(rank_one(3, 9, 2), k)


def test_the_order_of_sums_aside_a_mixed_cohort_decodes_like_its_members(name, cohort):
    codec = made(name, COUNTS[0])
    orders = [ordering(one, k) for one, k in zip(cohort, [4, None, 4, None, 2], strict=True)]
    for one, together in zip(orders, encode_all(codec, orders), strict=True):
        alone, back = codec.decode(codec.encode(one)).rows, codec.decode(together).rows
        assert np.linalg.norm(alone - back) <= 1e-3 * np.linalg.norm(alone)
