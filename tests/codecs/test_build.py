"""From configuration to codec."""

import sys
from types import ModuleType, SimpleNamespace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.build import CODECS, build_codec, dense_bytes, sparse_bytes, sparse_codec
from fedras_ray.codecs.dense import DenseCodec
from fedras_ray.config import codecs as configs
from fedras_ray.errors import ConfigError
from fedras_ray.streams import Purpose, stream


@pytest.fixture
def mine(monkeypatch):
    module = ModuleType("mine")
    module.make = lambda **options: SimpleNamespace(encode=len, decode=len, options=options)
    module.nested = SimpleNamespace(make=module.make)
    module.wrong = lambda: SimpleNamespace(encode=len)
    module.fails = lambda: 1 / 0
    monkeypatch.setitem(sys.modules, "mine", module)


def custom(target, **options):
    return configs.CustomCodec(kind="custom", target=target, options=options)


def test_every_kind_has_a_row():
    sections = get_args(get_args(configs.CodecConfig)[0])
    kinds = {kind for section in sections for kind in get_args(section.model_fields["kind"].annotation)}
    assert set(CODECS) == kinds - {"custom"}
    assert isinstance(build_codec(configs.DenseCodec()), DenseCodec)


@given(st.sets(st.integers(0, 299)), st.integers(0, 40), st.sampled_from([1, 32]))
def test_sparse_bytes_are_the_length_of_a_real_blob(items, more, width):
    count = max(items, default=-1) + 1 + more
    ids = np.array(sorted(items), np.int32)
    update = ItemUpdate(ids, np.ones((len(ids), width), np.float32), max(1, count))
    blob = sparse_codec().encode(Outgoing(update, lambda: stream(0, Purpose.ENCODING)))
    assert sparse_bytes(len(ids), update.item_count, width) == len(blob)


def test_a_ladder_must_go_up():
    ladder = configs.AdaptiveActions(kind="adaptive", least=8, most=4)
    with pytest.raises(ConfigError, match=r"codec.actions.least.*8 is above"):
        build_codec(configs.ActionsCodec(kind="actions", actions=ladder))


@pytest.mark.parametrize("target", ["mine:make", "mine:nested.make"])
def test_a_codec_of_your_own_is_called_with_its_options(mine, target):
    assert build_codec(custom(target, level=3)).options == {"level": 3}


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module:make", "ModuleNotFoundError"),
        ("mine:absent", "AttributeError"),
        ("mine:fails", "ZeroDivisionError"),
        ("mine:wrong", "has no encode and decode"),
        ("fedras_ray.codecs.base:ItemUpdate", "TypeError"),
    ],
)
def test_a_wrong_target_says_what_was_tried(mine, target, message):
    with pytest.raises(ConfigError, match=message) as caught:
        build_codec(custom(target))
    assert caught.value.args[0] == "codec.target"
    assert target in str(caught.value)


def test_dense_bytes_is_the_length_of_a_real_blob(rank_one):
    dense = build_codec(configs.DenseCodec())
    assert dense_bytes(50, 3) == len(dense.encode(rank_one(20, 50, 3))) == 18 + 50 * 3 * 4


def test_the_sparse_baseline_really_encodes(rank_one):
    one = rank_one(20, 50, 3)
    back = sparse_codec().decode(sparse_codec().encode(one))
    assert (back.rows == one.update.rows).all()


@pytest.mark.parametrize("dtype", ["f32", "f16"])
@pytest.mark.parametrize("kind", [configs.DenseCodec, configs.SparseCodec])
def test_tables_come_back_as_their_floats_do(rank_one, kind, dtype):
    one = rank_one(20, 50, 3)
    codec = build_codec(kind(kind=kind.__name__.removesuffix("Codec").lower(), dtype=dtype))
    rows, back = one.update.rows, codec.decode(codec.encode(one)).rows
    law = 2**-11 * np.abs(rows) + 2**-39 * np.abs(rows).max() if dtype == "f16" else 0
    assert (np.abs(back - rows) <= law).all()
