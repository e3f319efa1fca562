"""Bytes and speed of every codec at two catalogues: ``python benchmarks/encode.py [--clients 64]``.

One thread, processor time (others on the same core still cost half of it).
Updates are nearly rank one, as matrix factorisation's are: outer(scalars, user vector) plus
5 % noise; the number of touched rows is log-normal.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Callable

import numpy as np
import torch

from fedras_ray.codecs.base import Codec, ItemUpdate, Outgoing, encode_all
from fedras_ray.codecs.build import build_codec, dense_bytes
from fedras_ray.config.codecs import (
    ActionsCodec,
    AdaptiveActions,
    CodecConfig,
    ColrCodec,
    DenseCodec,
    FixedActions,
    GainShapeCodec,
    LowRankCodec,
    ProductCodec,
    QuantizedCodec,
    ResidualCodec,
    SignCodec,
    SparseCodec,
    TopKCodec,
)
from fedras_ray.streams import Purpose, stream

WIDTH = 32  # D
# I, median rows, least, most
SHAPES = {
    "ML-100K": (1_682, 320, 40, 1_500),
    "ML-1M": (3_706, 540, 100, 3_000),
}
CONFIGS: dict[str, CodecConfig] = {
    "dense f32": DenseCodec(dtype="f32"),
    "dense f16": DenseCodec(dtype="f16"),
    "sparse f32": SparseCodec(kind="sparse", dtype="f32"),
    "sparse f16": SparseCodec(kind="sparse", dtype="f16"),
    "int8": QuantizedCodec(kind="int8"),
    "int4": QuantizedCodec(kind="int4"),
    "sign": SignCodec(kind="sign"),
    "topk rows 10 %": TopKCodec(kind="topk", by="rows", share=0.1),
    "topk entries 10 %": TopKCodec(kind="topk", by="entries", share=0.1),
    "lowrank 2": LowRankCodec(kind="lowrank", rank=2),
    "colr 8": ColrCodec(kind="colr", rank=8),
    "actions 4": ActionsCodec(kind="actions", actions=FixedActions(count=4)),
    "actions 16": ActionsCodec(kind="actions", actions=FixedActions(count=16)),
    "actions 64": ActionsCodec(kind="actions", actions=FixedActions(count=64)),
    "actions 16 k-means++": ActionsCodec(kind="actions", actions=FixedActions(count=16), start="k-means++"),
    "actions adaptive": ActionsCodec(kind="actions", actions=AdaptiveActions(kind="adaptive")),
    "gain-shape 16": GainShapeCodec(kind="gain-shape", actions=FixedActions(count=16)),
    "gain-shape 64": GainShapeCodec(kind="gain-shape", actions=FixedActions(count=64)),
    "gain-shape adaptive": GainShapeCodec(kind="gain-shape", actions=AdaptiveActions(kind="adaptive")),
    "product 8 × 4": ProductCodec(kind="product", parts=8, actions=FixedActions(count=4)),
    "product 8 × 16": ProductCodec(kind="product", parts=8, actions=FixedActions(count=16)),
    "residual 2 × 8": ResidualCodec(kind="residual", stages=2, actions=FixedActions(count=8)),
    "residual 2 × 16": ResidualCodec(kind="residual", stages=2, actions=FixedActions(count=16)),
}


def outgoing_like(shape: str, clients: int) -> list[Outgoing]:
    """Updates with the sizes and the direction that matrix factorisation gives."""
    draw = stream(0, Purpose.SYNTHETIC)
    return [_one(draw, SHAPES[shape], client) for client in range(clients)]


def _one(draw: np.random.Generator, shape: tuple[int, int, int, int], client: int) -> Outgoing:
    item_count, median, least, most = shape
    n = int(np.clip(draw.lognormal(np.log(median), 0.75), least, most))
    ids = np.sort(draw.choice(item_count, n, replace=False)).astype(np.int32)  # (n,)
    rows = np.outer(draw.standard_normal(n), draw.standard_normal(WIDTH))  # (n, D)
    rows += 0.05 * rows.std() * draw.standard_normal(rows.shape)
    update = ItemUpdate(ids, rows.astype(np.float32), item_count)
    return Outgoing(update, functools.partial(stream, 0, Purpose.ENCODING, client))


def per_second(work: Callable[[], object], count: int, least_s: float) -> float:
    """`count` pieces of work, again and again for a while: the best rate in processor time."""
    work()
    best, until = 0.0, time.process_time() + least_s
    while time.process_time() < until:
        begin = time.process_time()
        work()
        best = max(best, count / (time.process_time() - begin))
    return best


def _table(shape: str, clients: int, seconds: float) -> None:
    outgoing = outgoing_like(shape, clients)
    item_count = SHAPES[shape][0]
    touched = np.mean([len(one.update.item_ids) for one in outgoing])
    dense = dense_bytes(item_count, WIDTH)
    print(
        f"\n{shape}: I = {item_count}, D = {WIDTH}, {touched:.0f} rows on average, {clients} clients together"
    )
    print(f"{'codec':22}{'bytes/update':>14}{'of dense f32':>14}{'encodes/s':>12}{'decodes/s':>12}")
    for name, config in CONFIGS.items():
        codec = build_codec(config)
        blobs = encode_all(codec, outgoing)
        size = np.mean([len(blob) for blob in blobs])
        encodes = per_second(functools.partial(encode_all, codec, outgoing), clients, seconds)
        decodes = per_second(functools.partial(_decode_all, codec, blobs), clients, seconds)
        print(f"{name:22}{size:14,.0f}{size / dense:14.2%}{encodes:12,.0f}{decodes:12,.0f}")


def _decode_all(codec: Codec, blobs: list[bytes]) -> None:
    for blob in blobs:
        codec.decode(blob)


def main() -> None:
    """Print a table per shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64, help="updates encoded together")
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each measurement")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for shape in SHAPES:
        _table(shape, given.clients, given.seconds)


if __name__ == "__main__":
    main()
