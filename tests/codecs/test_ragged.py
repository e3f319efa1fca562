"""Many updates encoded or decoded in a few calls are, bit for bit, what each of them is by itself."""

import functools
import random
import re
import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import encode_all
from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.floats import pack_floats, unpack_floats
from fedras_ray.codecs.ragged import RaggedCodec, RaggedOutgoing, RaggedUpdates, decode_each, encode_each
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from fedras_ray.kernels import halves, sorting
from fedras_ray.streams import Purpose, stream
from tests.codecs import fuzz

ITEMS = 900
SIZES = [0, 1, 2, 5, 63, 64, 65, 300, 900, 40]
FIXED = [configs.FixedActions(count=k) for k in (1, 2, 7, 16, 300)]
ADAPTIVE = configs.AdaptiveActions(kind="adaptive", distortion=0.01)
CODECS = [
    *(
        configs.ActionsCodec(kind="actions", actions=k, indices=how)
        for k in [*FIXED, ADAPTIVE]
        for how in ("packed", "entropy")
    ),
    *(
        configs.GainShapeCodec(kind="gain-shape", actions=k, indices=how)
        for k in [*FIXED, ADAPTIVE]
        for how in ("packed", "entropy")
    ),
    configs.ActionsCodec(kind="actions", start="k-means++"),
    configs.ActionsCodec(kind="actions", iterations=2),
    configs.SparseCodec(kind="sparse"),
    configs.SparseCodec(kind="sparse", dtype="f16"),
]


def batch(kind, width=5, actions=None, sizes=SIZES):
    """Updates of many sizes: along a line, equal, of few values, of zeros."""
    draw = stream(1, Purpose.SYNTHETIC)
    parts = []
    for size in sizes:
        rows = np.outer(draw.standard_normal(size), draw.standard_normal(width))
        if kind == "noisy":
            rows = rows + 0.05 * draw.standard_normal(rows.shape)
        elif kind == "few":
            rows = np.round(2 * rows) * 1e-20
        elif kind == "zeros":
            rows = 0 * rows
        parts.append(rows.astype(np.float32))
    ids = [np.sort(draw.permutation(ITEMS)[:size]).astype(np.int32) for size in sizes]
    return RaggedOutgoing(
        np.cumsum([0, *sizes]),
        np.concatenate(ids),
        np.concatenate(parts),
        ITEMS,
        functools.partial(stream, 7, Purpose.ENCODING),
        [None] * len(sizes),
        [0] * len(sizes),
        actions or [None] * len(sizes),
    )


@pytest.mark.parametrize("kind", ["line", "noisy", "few", "zeros"])
@pytest.mark.parametrize("config", CODECS, ids=lambda config: f"{config!r}"[:80])
def test_blobs_are_those_of_one_update_after_the_other(config, kind):
    codec, outgoing = build_codec(config), batch(kind)
    assert [*encode_each(codec, outgoing)] == encode_all(codec, outgoing.split())


@pytest.mark.parametrize("kind", ["line", "noisy", "few", "zeros"])
@pytest.mark.parametrize("config", CODECS, ids=lambda config: f"{config!r}"[:80])
def test_updates_are_those_of_one_blob_after_the_other(config, kind):
    codec = build_codec(config)
    blobs = encode_each(codec, batch(kind))
    for together, blob in zip(decode_each(codec, blobs), blobs, strict=True):
        assert_same(together, codec.decode(blob))
    assert decode_each(codec, []) == []


def assert_same(one, other):
    assert one.item_ids.tobytes() == other.item_ids.tobytes()
    assert one.rows.tobytes() == other.rows.tobytes()
    assert (one.item_count, one.width, one.actions) == (other.item_count, other.width, other.actions)


READ_TOGETHER = [
    configs.ActionsCodec(kind="actions", actions=configs.FixedActions(count=5)),
    configs.GainShapeCodec(kind="gain-shape", actions=configs.FixedActions(count=5), indices="packed"),
    configs.SparseCodec(kind="sparse"),
]


@pytest.mark.parametrize("config", READ_TOGETHER, ids=lambda config: config.kind)
@pytest.mark.parametrize("place", [0, 3, -1])
def test_one_blob_that_is_refused_is_refused_in_a_batch_in_the_same_words(config, place):
    codec, draw = build_codec(config), random.Random(1)
    real = encode_each(codec, batch("noisy"))
    outcomes = set()
    for attack in fuzz.ATTACKS * 30:
        blobs = list(real)
        blobs[place] = attack(draw, blobs[draw.randrange(len(real))])
        try:
            expected = codec.decode(blobs[place])
        except CodecError as error:
            outcomes.add("refused")
            with pytest.raises(CodecError, match=f"^{re.escape(str(error))}$"):
                decode_each(codec, blobs)
        else:
            outcomes.add("update")
            assert_same(decode_each(codec, blobs)[place], expected)
    assert outcomes == {"refused", "update"}


@pytest.mark.parametrize("config", READ_TOGETHER, ids=lambda config: config.kind)
def test_real_blobs_are_read_together(config):
    codec = build_codec(config)
    blobs = encode_each(codec, batch("noisy"))
    rows = [update.rows for update in decode_each(codec, blobs)]
    assert len({id(one.base) for one in rows}) == 1, "rows of all blobs lie in one array"


@pytest.mark.parametrize("config", READ_TOGETHER, ids=lambda config: config.kind)
def test_some_of_several_batches_go_together_and_stay_what_they_are(config):
    codec, picks = build_codec(config), ([9, 0, 4], [1], [], [7, 8, 2, 3, 5])
    batches = [
        decode_each(codec, encode_each(codec, batch(kind))) for kind in ("noisy", "line", "few", "few")
    ]
    some = [(one, np.array(places, np.int64)) for one, places in zip(batches, picks, strict=True)]
    found = RaggedUpdates.picked(some)
    expected = [one[place] for one, places in some for place in places.tolist()]
    for mine, theirs in zip(found, expected, strict=True):
        assert_same(mine, theirs)
    assert len(found.words) < sum(len(one.words) for one in batches), "words of no one else come along"
    assert found.which.max() < len(found.words)


def test_updates_of_another_table_are_decoded_too():
    codec = build_codec(READ_TOGETHER[0])
    blobs = [blob for width in (3, 5) for blob in encode_each(codec, batch("noisy", width))]
    assert [update.width for update in decode_each(codec, blobs)] == [3] * len(SIZES) + [5] * len(SIZES)


@pytest.mark.parametrize("width", [1, 8, 33])
@pytest.mark.parametrize("ordered", [[3] * 10, [None, 3, 5, None, 2, 2, 9, 1, 300, 4]])
def test_numbers_of_actions_that_are_ordered_are_obeyed(ordered, width):
    for config in (configs.ActionsCodec(kind="actions"), configs.GainShapeCodec(kind="gain-shape")):
        codec, outgoing = build_codec(config), batch("noisy", width, ordered)
        assert isinstance(codec, RaggedCodec)
        blobs = encode_each(codec, outgoing)
        assert [*blobs] == [codec.encode(one) for one in outgoing.split()]
        most = [k or 16 for k in ordered]
        assert all(codec.decode(blob).actions <= k for blob, k in zip(blobs, most, strict=True))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 70, -1])
def test_what_is_not_finite_is_refused(value, place):
    for config in READ_TOGETHER:
        outgoing = batch("noisy")
        outgoing.rows[place, 2] = value
        with pytest.raises(CodecError, match="not finite"):
            encode_each(build_codec(config), outgoing)


FLOATS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=70)


@given(st.lists(FLOATS, min_size=1, max_size=4))
def test_halves_are_those_of_the_codec(updates):
    counts = np.array([len(values) for values in updates])
    padded = np.zeros((len(updates), counts.max()), np.float32)
    for row, values in zip(padded, updates, strict=True):
        row[: len(values)] = values
    expected = [pack_floats(np.array(values, np.float32), "f16") for values in updates]
    octets, starts = np.zeros(sum(map(len, expected)), np.uint8), np.cumsum([0, *map(len, expected)])
    halves.put_each(octets, starts[:-1], padded, counts)
    assert octets.tobytes() == b"".join(expected)
    for row in padded:
        sent = np.empty_like(row)
        halves.as_sent(row, sent)
        expected = unpack_floats(memoryview(pack_floats(row, "f16")), len(row), "f16")
        assert sent.tobytes() == expected.tobytes()


def test_of_two_halves_as_near_the_even_one_is_written():
    between = 2049 + 2 * np.arange(1_000, dtype=np.float32)  # from 2,048 to 4,096 halves are 2 apart
    tiny = np.float32(2.0**-24) * (np.arange(1_100, dtype=np.float32) + np.float32(0.5))  # below, 2**-24
    values = np.concatenate([[16_384], between, -between, tiny, -tiny]).astype(np.float32)
    expected = pack_floats(values, "f16")
    octets = np.zeros(len(expected), np.uint8)
    halves.put_each(octets, np.zeros(1, np.int64), values[None], np.array([len(values)]))
    assert octets.tobytes() == expected


@pytest.mark.parametrize("exponent", [-163, -149, -140, -24, -1, 0, 9, 113])
def test_every_half_is_read_as_the_codec_reads_it(exponent):
    every, largest = np.arange(1 << 16).astype("<u2"), np.float16(halves.LARGEST).view(np.uint16)
    within = every[(every & 0x7FFF) <= largest]
    body = struct.pack("<h", exponent) + within.tobytes()
    found = np.empty(len(within), np.float32)
    assert halves.take(np.frombuffer(body, np.uint8), 0, found)
    assert found.tobytes() == unpack_floats(memoryview(body), len(found), "f16").tobytes()
    beyond = struct.pack("<h", exponent) + np.uint16(largest + 1).tobytes()
    assert not halves.take(np.frombuffer(beyond, np.uint8), 0, found[:1])


LINES = st.lists(
    st.lists(st.floats(allow_nan=False) | st.integers(-2, 2), max_size=90), min_size=1, max_size=3
)


@given(LINES)
def test_numbers_are_sorted_and_equal_ones_stay_in_order(lines):
    offsets = np.cumsum([0, *map(len, lines)])
    points = np.array([value for line in lines for value in line], np.float64)
    room = sorting.scratch(offsets)
    for first, last in pairwise(offsets):
        order = sorting.order(points[first:last], room)
        np.testing.assert_array_equal(order, np.argsort(points[first:last], kind="stable"))


@pytest.mark.parametrize("kind", ["actions", "gain-shape"])
def test_a_stream_that_no_encoder_writes_is_refused_in_a_batch_too(kind):
    codec, outgoing = build_codec(configs_of(kind)), batch("few", sizes=[300, 200])
    sound, forged = encode_each(codec, outgoing)
    assert not any(update is None for update in decode_each(codec, [sound, forged]))
    head, body = wire.unpack(forged, forged[3]), forged[wire.HEADER_BYTES :]
    forged = wire.pack(forged[3], ITEMS, head.width, head.rows, body + b"\0")  # read as if zeros followed
    with pytest.raises(CodecError, match="no encoder writes"):
        codec.decode(forged)
    with pytest.raises(CodecError, match="no encoder writes"):
        [*decode_each(codec, [sound, forged])]


def configs_of(kind):
    """With coded indices."""
    if kind == "actions":
        return configs.ActionsCodec(kind="actions", indices="entropy")
    return configs.GainShapeCodec(kind="gain-shape", indices="entropy")
