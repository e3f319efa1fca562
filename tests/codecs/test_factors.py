"""Updates that are known as factors are encoded as their rows are, but for rounding."""

import functools

import numpy as np
import pytest

from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.ragged import RaggedOutgoing, decode_each, encode_each
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from fedras_ray.factors import Factors
from fedras_ray.kernels import bounding
from fedras_ray.streams import Purpose, stream

ITEMS = 900
SIZES = [0, 1, 3, 63, 64, 200, 700, 40]
COUNTS = [2, 1, 3, 2, 3, 2, 1, 0]  # vectors of each
QUANTISED = [
    configs.ActionsCodec(kind="actions"),
    configs.ActionsCodec(kind="actions", indices="entropy"),
    configs.GainShapeCodec(kind="gain-shape", indices="packed"),
    configs.GainShapeCodec(kind="gain-shape"),
]
LOSSLESS = [configs.SparseCodec(kind="sparse"), configs.DenseCodec()]


def drawn(width=8, scale=1.0, few=False):
    """Updates that nearly lie on lines, as a few small steps leave them."""
    draw = stream(3, Purpose.SYNTHETIC)
    size, most = sum(SIZES), max(COUNTS)
    own = draw.standard_normal((len(SIZES), 1, width))
    vectors = own + 0.05 * draw.standard_normal((len(SIZES), most, width))
    pulls = draw.standard_normal((most, size))
    if few:
        pulls = np.round(pulls)
    offsets = np.cumsum([0, *SIZES])
    scaled = (scale * pulls).astype(np.float32)
    return Factors(offsets, scaled, vectors.astype(np.float32), np.array(COUNTS))


def outgoing(given, sizes=SIZES):
    draw = stream(4, Purpose.SYNTHETIC)
    ids = [np.sort(draw.permutation(ITEMS)[:size]).astype(np.int32) for size in SIZES]
    ids = [one for one, size in zip(ids, SIZES, strict=True) if size in sizes]
    return RaggedOutgoing(
        np.cumsum([0, *sizes]),
        np.concatenate(ids),
        given,
        ITEMS,
        functools.partial(stream, 7, Purpose.ENCODING),
        [None] * len(sizes),
        [0] * len(sizes),
        [None] * len(sizes),
    )


def exact(factors):
    """The rows (N, D) in f64."""
    rows = []
    for update, count in enumerate(factors.counts):
        its = slice(*factors.offsets[update : update + 2])
        rows.append(factors.pulls[:count, its].T.astype(np.float64) @ factors.vectors[update, :count])
    return np.concatenate(rows)


def test_rows_are_what_the_factors_come_to():
    factors = drawn()
    np.testing.assert_allclose(factors.rows, exact(factors), rtol=1e-5, atol=1e-6)
    for update in range(len(SIZES)):
        its = slice(*factors.offsets[update : update + 2])
        assert factors.of(update).tobytes() == factors.rows[its].tobytes()


@pytest.mark.parametrize("few", [False, True], ids=["many gains", "few gains"])
@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e20])
@pytest.mark.parametrize("config", QUANTISED, ids=lambda config: f"{config.kind} {config.indices}")
def test_what_is_decoded_is_what_the_rows_give(config, scale, few):
    codec, factors = build_codec(config), drawn(scale=scale, few=few)
    found = decode_each(codec, encode_each(codec, outgoing(factors)))
    expected = decode_each(codec, encode_each(codec, outgoing(factors.rows)))
    for update, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert one.actions == other.actions
        if not few:  # of rows as near to two actions rounding decides
            np.testing.assert_allclose(one.rows, other.rows, rtol=2e-3, atol=1e-3 * scale)
        rows = factors.of(update).astype(np.float64) / scale
        lost, theirs = (np.square(each.rows / scale - rows).sum() for each in (one, other))
        assert lost == pytest.approx(theirs, rel=0.05, abs=1e-5 * np.square(rows).sum())


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 0.999, 1.5])
def test_a_magnitude_reaches_what_is_wanted_where_an_entry_does(share):
    factors, rows = drawn(), exact(drawn())
    for update, count in enumerate(factors.counts):
        its = slice(*factors.offsets[update : update + 2])
        largest = np.abs(rows[its]).max(initial=0.0)
        pulls, vectors = np.ascontiguousarray(factors.pulls[:count, its]), factors.vectors[update, :count]
        for first in range(factors.width):
            found = bounding.reaching(share * largest, pulls, vectors, first)
            assert min(share, 1) * largest * (1 - 1e-5) <= found <= largest * (1 + 1e-5)
            if count:  # nor is it made up
                assert np.isclose(np.abs(rows[its]), found, rtol=1e-5).any() or not len(rows[its])


@pytest.mark.parametrize("config", LOSSLESS, ids=lambda config: config.kind)
def test_where_every_row_is_sent_blobs_are_the_same(config):
    codec, factors = build_codec(config), drawn()
    assert [*encode_each(codec, outgoing(factors))] == [*encode_each(codec, outgoing(factors.rows))]


@pytest.mark.parametrize("config", QUANTISED, ids=lambda config: f"{config.kind} {config.indices}")
def test_a_blob_is_the_same_whoever_else_is_encoded(config):
    codec, factors = build_codec(config), drawn()
    together = encode_each(codec, outgoing(factors))
    for update, size in enumerate(SIZES):
        its = slice(*factors.offsets[update : update + 2])
        count = factors.counts[update]
        pulls = np.ascontiguousarray(factors.pulls[:count, its])
        vectors = factors.vectors[update : update + 1, :count]
        alone = Factors(np.array([0, size]), pulls, vectors, factors.counts[update : update + 1])
        assert encode_each(codec, outgoing(alone, [size]))[0] == together[update], size


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
@pytest.mark.parametrize("config", QUANTISED, ids=lambda config: f"{config.kind} {config.indices}")
def test_what_is_too_large_is_refused(config, value):
    factors = drawn()
    factors.pulls[0, factors.offsets[6] + 5] = value  # times entries beyond 1.2
    factors.vectors[6, 0] *= 10
    with pytest.raises(CodecError):
        encode_each(build_codec(config), outgoing(factors))


@pytest.mark.parametrize("config", QUANTISED, ids=lambda config: f"{config.kind} {config.indices}")
def test_what_might_be_too_large_and_is_not_is_encoded(config):
    """The bound of factors is not that of rows: these take each other's pulls back."""
    codec, factors = build_codec(config), drawn()
    factors.vectors[5, :2] = factors.vectors[5, 0].clip(-1.5, 1.5)
    its = slice(*factors.offsets[5:7])
    factors.pulls[0, its] = np.linspace(1e38, 2e38, SIZES[5])
    factors.pulls[1, its] = -np.float32(0.999) * factors.pulls[0, its]
    found = decode_each(codec, encode_each(codec, outgoing(factors)))
    expected = decode_each(codec, encode_each(codec, outgoing(factors.rows)))
    np.testing.assert_allclose(found[5].rows, expected[5].rows, rtol=1e-6)


@pytest.mark.parametrize("indices", ["packed", "entropy"])
def test_a_gain_may_be_larger_than_every_entry_of_the_strongest_column(indices):
    """As long as another entry is as large: the row at the end leans away from the direction of the rest."""
    size = SIZES[5]
    drawn_pulls = stream(6, Purpose.SYNTHETIC).uniform(0.01, 0.3, size)
    pulls = np.array([drawn_pulls, np.zeros(size)], np.float32)
    pulls[:, -1] = 1.0, 0.15
    vectors = np.array([[[1.0, 0.9, 0.9, 0.9], [-1.0, 0.5, 0.5, 0.5]]], np.float32)
    factors = Factors(np.array([0, size]), pulls, vectors, np.array([2]))
    codec = build_codec(configs.GainShapeCodec(kind="gain-shape", indices=indices))
    (found,) = decode_each(codec, encode_each(codec, outgoing(factors, [size])))
    (expected,) = decode_each(codec, encode_each(codec, outgoing(factors.rows, [size])))
    np.testing.assert_allclose(found.rows[-1], expected.rows[-1], rtol=1e-3)
    assert found.rows[-1].max() > 1.1 * factors.rows[:, 0].max(), "the case says little"
