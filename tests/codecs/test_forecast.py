"""Forecasts against the length of real blobs."""

import functools

import numpy as np
import pytest

from fedras_ray.codecs.base import ItemUpdate, Outgoing, encode_all
from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.forecast import build_forecast, upload_bytes
from fedras_ray.config import build
from fedras_ray.config.codecs import (
    ActionsCodec,
    AdaptiveActions,
    ColrCodec,
    CustomCodec,
    DenseCodec,
    FixedActions,
    GainShapeCodec,
    GridCodec,
    LowRankCodec,
    ProductCodec,
    QuantizedCodec,
    ResidualCodec,
    SignCodec,
    SparseCodec,
    TopKCodec,
)
from fedras_ray.data import load
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import simulate
from fedras_ray.streams import Purpose, stream

PACKED = {
    "actions": ActionsCodec(kind="actions"),
    "gain-shape": GainShapeCodec(kind="gain-shape", indices="packed"),
    "product": ProductCodec(kind="product", parts=4, indices="packed"),
    "residual": ResidualCodec(kind="residual", stages=3),
}
SIZED = {
    "dense": DenseCodec(),
    "sparse": SparseCodec(kind="sparse"),
    "int4": QuantizedCodec(kind="int4"),
    "sign": SignCodec(kind="sign"),
    "topk": TopKCodec(kind="topk"),
    "lowrank": LowRankCodec(kind="lowrank", rank=4),
    "colr": ColrCodec(kind="colr"),
}


@pytest.fixture(scope="module")
def trained():
    """What clients really send in the middle of a run: rows in f32."""
    experiment = build(
        {
            "data": {"kind": "synthetic", "users": 240, "items": 900, "mean_interactions": 60},
            "model": {"item_std": 0.03, "private_std": 0.03},
            "training": {"item_rate": 0.03, "private_rate": 0.02},
            "codec": {"kind": "sparse"},
            "schedule": {"versions": 30, "clients_per_version": 60},
        }
    )
    dataset, sent = load(experiment.data, experiment.seed), []

    executor = SerialExecutor(experiment, dataset)
    train = executor.site.clients.train

    def listening(assignments):
        uploads = train(assignments)
        if assignments[0].version == 29:
            sent.extend(uploads.blobs)
        return uploads

    executor.site.clients.train = listening
    list(simulate(experiment, population_of(dataset), executor))
    codec = build_codec(experiment.codec)
    return [Outgoing(codec.decode(blob), lambda: stream(1, Purpose.ENCODING)) for blob in sent]


@pytest.mark.parametrize("k", [1, 2, 5, 16])
@pytest.mark.parametrize(("n", "item_count"), [(200, 200), (200, 4_000), (120, 200), (1, 50)])
@pytest.mark.parametrize("name", PACKED)
def test_packed_indices_are_forecast_to_the_byte(name, k, n, item_count, rank_one):
    one = rank_one(n, item_count, 8)
    ordered = Outgoing(one.update, one.stream, actions=k)
    forecast = build_forecast(PACKED[name], item_count, 8)
    assert forecast.upload_bytes(n, k) == len(build_codec(PACKED[name]).encode(ordered))
    assert forecast.upload_bytes(n, None) == forecast.upload_bytes(n, 16)


@pytest.mark.parametrize("k", [4, 8, 16])
@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("indices", ["packed", "entropy"])
def test_what_trained_clients_send_is_within_a_tenth(trained, name, k, indices):
    config = PACKED[name].model_copy(update={"actions": FixedActions(count=k), "indices": indices})
    forecast = build_forecast(config, 900, 32)
    expected = sum(forecast.upload_bytes(len(one.update.item_ids), None) for one in trained)
    sent = sum(map(len, encode_all(build_codec(config), trained)))
    assert len(trained) == 60
    assert abs(expected / sent - 1) < 0.1


@pytest.mark.parametrize("name", SIZED)
def test_other_codecs_are_weighed_by_real_blobs(name, rank_one):
    forecast = build_forecast(SIZED[name], 2_000, 8)
    for n in (40, 333, 1_500):
        sent = len(build_codec(SIZED[name]).encode(rank_one(n, 2_000, 8)))
        assert abs(forecast.upload_bytes(n, None) / sent - 1) < 0.1


def test_where_the_values_decide_a_forecast_is_of_the_right_order(trained):
    config = GridCodec(kind="grid")
    forecast = build_forecast(config, 900, 32)
    expected = sum(forecast.upload_bytes(len(one.update.item_ids), None) for one in trained)
    assert 0.5 < expected / sum(map(len, encode_all(build_codec(config), trained))) < 2


def test_a_codec_of_ones_own_is_weighed_too():
    custom = CustomCodec(
        kind="custom",
        target="fedras_ray.codecs.build:build_codec",
        options={"config": {}},
    ).model_copy(update={"options": {"config": SparseCodec(kind="sparse")}})
    same = build_forecast(SparseCodec(kind="sparse"), 100, 4)
    assert build_forecast(custom, 100, 4).upload_bytes(50, None) == same.upload_bytes(50, None)


def test_one_whose_number_adapts_is_forecast_at_its_most():
    adaptive = ActionsCodec(kind="actions", actions=AdaptiveActions(kind="adaptive", most=32))
    fixed = ActionsCodec(kind="actions", actions=FixedActions(count=32))
    for n in (5, 300):
        sizes = {build_forecast(config, 900, 8).upload_bytes(n, None) for config in (adaptive, fixed)}
        assert len(sizes) == 1


@pytest.mark.parametrize("indices", ["packed", "entropy"])
@pytest.mark.parametrize("name", PACKED)
def test_an_upload_never_shrinks_as_actions_grow(name, indices):
    config = PACKED[name].model_copy(update={"indices": indices})
    for item_count in (100, 5_000, 400_000):
        forecast = build_forecast(config, item_count, 8)
        for n in (0, 1, 7, 90):
            sizes = [forecast.upload_bytes(n, k) for k in range(1, 200)]
            assert sizes == sorted(sizes)


def test_many_clients_are_forecast_like_one():
    rows = np.array([3, 900, 0, 3, 55])
    for config in (GainShapeCodec(kind="gain-shape"), SparseCodec(kind="sparse")):
        forecast = build_forecast(config, 900, 8)
        one_by_one = [forecast.upload_bytes(int(n), 7) for n in rows]
        assert upload_bytes(forecast, rows, 7).tolist() == one_by_one


def test_a_large_table_costs_what_its_floats_cost():
    update = ItemUpdate(np.arange(9, dtype=np.int32), np.ones((9, 16), np.float32), 200_000)
    one = Outgoing(update, functools.partial(stream, 1, Purpose.ENCODING))
    forecast = build_forecast(DenseCodec(), 200_000, 16)
    assert forecast.upload_bytes(9, None) == len(build_codec(DenseCodec()).encode(one))
