"""Every codec over 64 updates: encoding, decoding, and folding what was decoded into a version."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.encode import CONFIGS
from fedras_ray.codecs.base import ItemUpdate, Outgoing, encode_all
from fedras_ray.codecs.build import build_codec
from fedras_ray.server.aggregation import Accumulator


@pytest.mark.parametrize("name", CONFIGS)
def test_encoding(benchmark: Any, outgoing: list[Outgoing], name: str) -> None:
    assert len(benchmark(encode_all, build_codec(CONFIGS[name]), outgoing)) == len(outgoing)


@pytest.mark.parametrize("name", CONFIGS)
def test_decoding(benchmark: Any, outgoing: list[Outgoing], name: str) -> None:
    codec = build_codec(CONFIGS[name])
    blobs = encode_all(codec, outgoing)
    assert len(benchmark(lambda: [codec.decode(blob) for blob in blobs])) == len(blobs)


@pytest.mark.parametrize("name", ["dense f32", "sparse f32", "actions 16", "gain-shape 16"])
def test_aggregation(benchmark: Any, outgoing: list[Outgoing], name: str) -> None:
    codec = build_codec(CONFIGS[name])
    updates: list[ItemUpdate] = [codec.decode(blob) for blob in encode_all(codec, outgoing)]
    arrived = Accumulator(updates[0].item_count, updates[0].width)

    def fold() -> None:
        for update in updates:
            arrived.add(update, 1.0)

    benchmark(fold)
    assert np.isfinite(updates[0].rows).all()
