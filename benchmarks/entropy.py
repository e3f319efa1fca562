"""What indices and positions cost on the wire, coder by coder: ``python benchmarks/entropy.py [--catalog]``.

The updates are those that clients of the simulation send in its first, middle and last version: synthetic
data of two catalogues' sizes, or with --catalog the data sets themselves. Gains of one direction, K = 16.
Every coder's octets are decoded again before they are counted; times are the best of many, on one core.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from coders import binary, gaps, huffman, rans

from fedras_ray.codecs import coded
from fedras_ray.codecs.base import ItemUpdate, Outgoing, encode_all
from fedras_ray.codecs.bits import bits_for, pack_bits, unpack_bits
from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.gain_shape import GainShapeCodec, Quantiser
from fedras_ray.codecs.positions import pack_positions, take_positions
from fedras_ray.codecs.wire import Body
from fedras_ray.config import build
from fedras_ray.config import codecs as configs
from fedras_ray.data import load
from fedras_ray.executor import SerialExecutor
from fedras_ray.kernels import marking
from fedras_ray.population import population_of
from fedras_ray.simulation import simulate

K = 16
VERSIONS = 60
KEPT: list[Outgoing] = []
TRAINING = [
    "model.item_std=0.03",
    "model.private_std=0.03",
    "training.item_rate=0.03",
    "training.private_rate=0.005",
    "schedule.kind=sync",
    f"schedule.versions={VERSIONS}",
    "schedule.clients_per_version=100",
    "evaluation.every=100000",
    "codec.kind=custom",
    "codec.target=__main__:Keeping",
]
SIXTEEN, FOUR = configs.FixedActions(count=K), configs.FixedActions(count=4)
WHOLE: dict[str, configs.CodecConfig] = {
    "actions 4": configs.ActionsCodec(kind="actions", actions=FOUR),
    "actions 16": configs.ActionsCodec(kind="actions", actions=SIXTEEN),
    "gain-shape 16": configs.GainShapeCodec(kind="gain-shape", actions=SIXTEEN),
    "gain-shape 64": configs.GainShapeCodec(kind="gain-shape", actions=configs.FixedActions(count=64)),
    "product 8 × 4": configs.ProductCodec(kind="product", actions=FOUR),
    "product 8 × 16": configs.ProductCodec(kind="product", actions=SIXTEEN),
    "residual 2 × 16": configs.ResidualCodec(kind="residual", actions=SIXTEEN),
}
SHAPES = {"ML-100K": (943, 1_682, 100), "ML-1M": (6_040, 3_706, 165)}  # users, I, positives a user


class Keeping:
    """Gains of one direction, which also keeps some of the updates it is given."""

    def __init__(self) -> None:
        """The codec whose indices are compared."""
        actions = configs.FixedActions(count=K)
        self.codec = GainShapeCodec(configs.GainShapeCodec(kind="gain-shape", actions=actions))

    def encode(self, outgoing: Outgoing) -> bytes:
        """Keep the update and send it."""
        if outgoing.version in (0, VERSIONS // 2, VERSIONS - 1):
            KEPT.append(outgoing)
        return self.codec.encode(outgoing)

    def decode(self, blob: bytes) -> ItemUpdate:
        """As gain-shape does."""
        return self.codec.decode(blob)


class Message(NamedTuple):
    """What one update has to say."""

    index: np.ndarray  # (n,) below K
    k: int
    ids: np.ndarray  # (n,) increasing
    item_count: int


class Coder(NamedTuple):
    """Both ways, and what comes back."""

    encode: Callable[[Message], bytes]
    decode: Callable[[bytes, Message], np.ndarray]


def _octets(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


def every(m: Message) -> np.ndarray:
    """As many ids as there are, which cost nothing."""
    return np.arange(len(m.index), dtype=np.int32)


INDICES = {
    "fixed bits": Coder(
        lambda m: pack_bits(m.index, bits_for(m.k)),
        lambda b, m: unpack_bits(memoryview(b), len(m.index), bits_for(m.k)),
    ),
    "canonical Huffman": Coder(
        lambda m: huffman.huffman_encode(m.index, m.k),
        lambda b, m: huffman.huffman_decode(b, len(m.index), m.k),
    ),
    "static rANS": Coder(
        lambda m: rans.rans_encode(m.index, m.k), lambda b, m: rans.rans_decode(b, len(m.index), m.k)
    ),
    "adaptive binary": Coder(
        lambda m: binary.binary_encode(m.index, bits_for(m.k)).tobytes(),
        lambda b, m: binary.binary_decode(_octets(b), len(m.index), bits_for(m.k)),
    ),
    "adaptive range (kept)": Coder(
        lambda m: coded.code([m.k], [m.index], every(m), len(m.index)),
        lambda b, m: coded.decode(memoryview(b), len(m.index), [m.k], len(m.index), every(m))[0][0],
    ),
}
POSITIONS = {
    "bitmap": Coder(
        lambda m: marking.mark(m.ids.astype(np.int32), m.item_count).tobytes(),
        lambda b, m: marking.marked(_octets(b), len(m.ids))[0],
    ),
    "varint gaps": Coder(
        lambda m: gaps.varint_encode(m.ids).tobytes(),
        lambda b, m: gaps.varint_decode(_octets(b), len(m.ids)),
    ),
    "Rice gaps": Coder(
        lambda m: gaps.rice_encode(m.ids, gaps.rice_bits(len(m.ids), m.item_count)).tobytes(),
        lambda b, m: gaps.rice_decode(_octets(b), len(m.ids), gaps.rice_bits(len(m.ids), m.item_count)),
    ),
    "Elias-Fano or bitmap": Coder(
        lambda m: pack_positions(m.ids, m.item_count),
        lambda b, m: take_positions(Body(memoryview(b)), len(m.ids), m.item_count),
    ),
    "range-coded set (kept)": Coder(
        lambda m: coded.code([1], [m.index], m.ids, m.item_count),
        lambda b, m: coded.decode(memoryview(b), len(m.ids), [1], m.item_count, None)[1],
    ),
}


def index_bound(m: Message) -> float:
    """N times the entropy of the frequencies, which a receiver would have to know: bytes."""
    counts = np.bincount(m.index)
    shares = counts[counts > 0] / len(m.index)
    return float(-(shares * np.log2(shares)).sum() * len(m.index) / 8)


def set_bound(m: Message) -> float:
    """log2 of the number of sets of n of I: bytes."""
    n, size = len(m.ids), m.item_count
    return (math.lgamma(size + 1) - math.lgamma(n + 1) - math.lgamma(size - n + 1)) / math.log(2) / 8


def messages(shape: str, catalog: bool) -> list[Message]:
    """Clustered updates of a simulation."""
    users, items, positives = SHAPES[shape]
    data = [f"data.kind=synthetic data.users={users} data.items={items} data.mean_interactions={positives}"]
    if catalog:
        data = [f"data.kind=catalog data.name={shape.lower()}"]
    KEPT.clear()
    experiment = build({}, [*data[0].split(), *TRAINING])
    dataset = load(experiment.data, experiment.seed)
    for _ in simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset)):
        pass
    found = Quantiser("packed").cluster(KEPT, K)
    return [
        Message(of_one.index, len(of_one.levels), one.update.item_ids, one.update.item_count)
        for one, of_one in zip(KEPT, found, strict=True)
    ]


def microseconds(work: Callable[[], object], count: int) -> float:
    """Per piece of `count` pieces of work, the best of some rounds."""
    best = math.inf
    for _ in range(7):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return 1e6 * best / count


def table(title: str, coder_of: dict[str, Coder], bound: float, sent: list[Message], field: str) -> None:
    """One line per coder."""
    print(f"\n{title:26}{'bytes/update':>14}{'of bound':>10}{'encode µs':>11}{'decode µs':>11}")
    for name, coder in coder_of.items():
        blobs = [coder.encode(m) for m in sent]
        for blob, m in zip(blobs, sent, strict=True):
            if not (coder.decode(blob, m) == getattr(m, field)).all():
                raise SystemExit(f"{name} does not give back what was sent")
        size = np.mean([len(blob) for blob in blobs])
        encode = microseconds(lambda encode=coder.encode: [encode(m) for m in sent], len(sent))
        both = list(zip(blobs, sent, strict=True))
        decode = microseconds(
            lambda decode=coder.decode, both=both: [decode(b, m) for b, m in both], len(sent)
        )
        print(f"{name:26}{size:14.1f}{size / bound:10.3f}{encode:11.1f}{decode:11.1f}")
    print(f"{'bound':26}{bound:14.1f}{1:10.3f}")


def whole() -> None:
    """Whole blobs of the updates that were kept, both ways."""
    print(f"\n{'blobs':26}{'packed':>14}{'entropy':>10}{'saved':>9}")
    for name, config in WHOLE.items():
        sizes = []
        for how in ("packed", "entropy"):
            codec = build_codec(config.model_copy(update={"indices": how}))
            sizes.append(np.mean([len(blob) for blob in encode_all(codec, KEPT)]))
        print(f"{name:26}{sizes[0]:14.1f}{sizes[1]:10.1f}{1 - sizes[1] / sizes[0]:9.1%}")


def main() -> None:
    """Print three tables per shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalog", action="store_true", help="the data sets, not synthetic ones as large")
    catalog = parser.parse_args().catalog
    for shape, (_, items, _) in SHAPES.items():
        sent = [m for m in messages(shape, catalog) if m.k > 1 and coded.walks(len(m.ids), m.item_count)]
        rows = np.mean([len(m.index) for m in sent])
        print(f"\n{shape}: I = {items}, {rows:.0f} rows on average, {len(sent)} updates")
        table("indices", INDICES, float(np.mean([index_bound(m) for m in sent])), sent, "index")
        table("positions", POSITIONS, float(np.mean([set_bound(m) for m in sent])), sent, "ids")
        whole()


if __name__ == "__main__":
    main()
