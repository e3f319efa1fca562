"""The codecs under the laws, and updates to send. A new codec is one row in `CODECS`."""

import functools

import numpy as np
import pytest
import torch

from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.build import build_codec
from fedras_ray.config.codecs import (
    ActionsCodec,
    AdaptiveActions,
    ColrCodec,
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
from fedras_ray.streams import Purpose, stream

CODECS = {
    "dense-f32": DenseCodec(dtype="f32"),
    "dense-f16": DenseCodec(dtype="f16"),
    "sparse-f32": SparseCodec(kind="sparse", dtype="f32"),
    "sparse-f16": SparseCodec(kind="sparse", dtype="f16"),
    "int8": QuantizedCodec(kind="int8"),
    "int4": QuantizedCodec(kind="int4"),
    "sign": SignCodec(kind="sign"),
    "topk-rows-f32": TopKCodec(kind="topk", by="rows", share=0.5, dtype="f32"),
    "topk-rows-f16": TopKCodec(kind="topk", by="rows", share=0.1, dtype="f16"),
    "topk-rows-all": TopKCodec(kind="topk", by="rows", share=1.0, dtype="f16"),
    "topk-entries-f32": TopKCodec(kind="topk", by="entries", share=0.1, dtype="f32"),
    "topk-entries-f16": TopKCodec(kind="topk", by="entries", share=0.5, dtype="f16"),
    "topk-entries-all": TopKCodec(kind="topk", by="entries", share=1.0, dtype="f16"),
    "lowrank-1": LowRankCodec(kind="lowrank", rank=1),
    "lowrank-4": LowRankCodec(kind="lowrank", rank=4),
    "colr-2": ColrCodec(kind="colr", rank=2),
    "colr-8": ColrCodec(kind="colr", rank=8, seed=3),
    "actions-1": ActionsCodec(kind="actions", actions=FixedActions(count=1)),
    "actions-4": ActionsCodec(kind="actions", actions=FixedActions(count=4)),
    "actions-4++": ActionsCodec(kind="actions", actions=FixedActions(count=4), start="k-means++"),
    "actions-adaptive": ActionsCodec(
        kind="actions", actions=AdaptiveActions(kind="adaptive", distortion=0.1)
    ),
    "grid-coarse": GridCodec(kind="grid"),
    "grid-fine": GridCodec(kind="grid", step=0.05, dead_zone=0.0),
    "actions-4-entropy": ActionsCodec(kind="actions", actions=FixedActions(count=4), indices="entropy"),
    "gain-shape-1": GainShapeCodec(kind="gain-shape", actions=FixedActions(count=1), indices="packed"),
    "gain-shape-4": GainShapeCodec(kind="gain-shape", actions=FixedActions(count=4), indices="packed"),
    "gain-shape-4-entropy": GainShapeCodec(kind="gain-shape", actions=FixedActions(count=4)),
    "gain-shape-adaptive": GainShapeCodec(
        kind="gain-shape", actions=AdaptiveActions(kind="adaptive", distortion=0.1)
    ),
    "product-1": ProductCodec(kind="product", parts=1, actions=FixedActions(count=4), indices="packed"),
    "product-1-entropy": ProductCodec(
        kind="product", parts=1, actions=FixedActions(count=4), indices="entropy"
    ),
    "residual-1": ResidualCodec(kind="residual", stages=1, actions=FixedActions(count=4)),
    "residual-3": ResidualCodec(kind="residual", stages=3, actions=FixedActions(count=4)),
    "residual-adaptive": ResidualCodec(
        kind="residual", actions=AdaptiveActions(kind="adaptive", distortion=0.01)
    ),
    "residual-3-entropy": ResidualCodec(
        kind="residual", stages=3, actions=FixedActions(count=4), indices="entropy"
    ),
}
PARTED = {
    "product-3": ProductCodec(kind="product", parts=3, actions=FixedActions(count=4)),
}  # whose parts do not divide every width that the laws use; their tests are their own

# What their rows come back as is not what was sent, even where all is exact in f16.
LOSSY = {"actions-1", "actions-adaptive", "int8", "int4", "sign", "lowrank-1", "lowrank-4"}
LOSSY |= {"grid-coarse", "grid-fine"}
LOSSY |= {"gain-shape-1", "gain-shape-4", "gain-shape-4-entropy", "gain-shape-adaptive"}
LOSSY |= {"colr-2", "colr-8", "topk-rows-f32", "topk-rows-f16", "topk-entries-f32", "topk-entries-f16"}


def send(item_ids, rows, item_count, client=0, budget_bytes=None, version=0):
    update = ItemUpdate(np.asarray(item_ids, np.int32), np.asarray(rows, np.float32), item_count)
    return Outgoing(update, functools.partial(stream, 7, Purpose.ENCODING, client), budget_bytes, version)


def rank_one(n, item_count, width, client=0, noise=0.05, budget_bytes=None, version=0):
    """What a turn of matrix factorisation gives: rows along one direction, and some noise."""
    draw = np.random.default_rng([n, item_count, width, client])
    item_ids = np.sort(draw.choice(item_count, n, replace=False))
    rows = np.outer(draw.standard_normal(n), draw.standard_normal(width))
    rows += noise * draw.standard_normal(rows.shape)
    return send(item_ids, rows, item_count, client, budget_bytes, version)


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """As in a pool; and two threads for small products are slower than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=CODECS)
def codec(request):
    return build_codec(CODECS[request.param])


@pytest.fixture(name="send")
def _send():
    return send


@pytest.fixture(name="rank_one")
def _rank_one():
    return rank_one


@pytest.fixture
def codecs():
    return {name: build_codec(config) for name, config in (CODECS | PARTED).items()}
