"""What gain-shape adds to the laws: one direction, and gains as good as k-means finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from fedras_ray.codecs import wire
from fedras_ray.codecs.gain_shape import GainShapeCodec, gain_shape_bytes
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from tests.codecs.conftest import rank_one


def fixed(count, indices="packed"):
    count = configs.FixedActions(count=count)
    return GainShapeCodec(configs.GainShapeCodec(kind="gain-shape", actions=count, indices=indices))


def adaptive(indices="packed", **limits):
    limits = configs.AdaptiveActions(kind="adaptive", **limits)
    return GainShapeCodec(configs.GainShapeCodec(kind="gain-shape", actions=limits, indices=indices))


def through(codec, one):
    return codec.decode(codec.encode(one))


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 20), st.integers(0, 3))
def test_what_comes_back_is_of_rank_one_and_of_few_gains(n, width, k, client):
    one = rank_one(n, 90, width, client)
    back = through(fixed(k), one)
    assert (back.item_ids == one.update.item_ids).all()
    strengths = np.linalg.svd(back.rows.astype(float), compute_uv=False)
    assert (strengths[1:] <= 1e-6 * strengths[0]).all()
    assert len(np.unique(back.rows, axis=0)) <= back.actions <= min(k, n)


@pytest.mark.parametrize("noise", [0.01, 0.2])
@pytest.mark.parametrize(("n", "k"), [(150, 8), (700, 16), (1500, 16), (700, 64)])
def test_gains_are_as_good_as_k_means_on_the_projections(n, k, noise):
    one = rank_one(n, 3_706, 32, noise=noise)
    rows, back = one.update.rows.astype(float), through(fixed(k), one).rows.astype(float)
    direction = np.linalg.svd(rows, full_matrices=False)[2][0]  # (D,)
    points = rows @ direction  # (n,)
    off_the_line = np.square(rows).sum() - np.square(points).sum()
    reference = KMeans(k, n_init=3, random_state=0).fit(points[:, None]).inertia_
    on_the_line = np.square(rows - back).sum() - off_the_line
    assert on_the_line <= 1.05 * reference + 1e-4 * off_the_line


def test_nothing_that_is_on_the_line_is_lost_where_there_are_gains_enough(send):
    """Least squares against the direction as it is sent: each row is off by rounding alone."""
    gains, shape = np.linspace(-1, 2, 12), np.array([0.3, -0.77, 0.123])
    one = send(np.arange(12), np.outer(gains, shape), 12)
    lost = np.linalg.norm(through(fixed(12), one).rows - one.update.rows)
    assert lost <= 2**-10 * np.linalg.norm(one.update.rows)


@pytest.mark.parametrize("k", [1, 2, 3, 16, 17, 100])
@pytest.mark.parametrize(("n", "item_count"), [(200, 200), (200, 4_000), (120, 200)])
def test_the_size_is_the_formula(k, n, item_count):
    one = rank_one(n, item_count, 4)
    back = through(fixed(k), one)
    assert len(fixed(k).encode(one)) == gain_shape_bytes(one.update, back.actions)
    assert back.actions > (0.9 * k if 4 * k <= n else 0.6 * k)


def test_never_more_than_the_budget_carries():
    codec = adaptive(least=2, most=48, distortion=1e-9)
    for k in (2, 4, 8, 16, 32, 48):
        size = gain_shape_bytes(rank_one(500, 700, 8).update, k)
        blob = codec.encode(rank_one(500, 700, 8, budget_bytes=size))
        assert len(blob) <= size
        assert k / 2 < codec.decode(blob).actions <= k
        assert len(codec.encode(rank_one(500, 700, 8, budget_bytes=size - 1))) < size or k == 2


def test_noise_off_the_line_asks_for_no_more_gains():
    calm, wild = (through(adaptive(most=256), rank_one(300, 400, 8, noise=noise)) for noise in (0, 0.5))
    assert calm.actions == wild.actions < 32


def test_more_gains_for_a_finer_target():
    wanted = [through(adaptive(distortion=target), rank_one(300, 400, 8)) for target in (0.3, 0.03, 0.003)]
    assert [back.actions for back in wanted] == sorted({back.actions for back in wanted})


def body(shape, k, index):
    book = k.to_bytes(2, "little") + b"\0\0" + np.ones(k, "<f2").tobytes()
    return b"\xf2\xff" + np.array(shape, "<f2").tobytes() + book + index + b"\0"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (body([0.5, 0], 2, b"\0"), "largest magnitude"),
        (body([2**14, 0], 3, b"\x0f"), "takes action 3 of 3"),
        (body([2**14, 0], 5, b"\0\0"), "5 actions for 4 rows"),
        (body([2**14, 0], 2, b"\x05") + b"\0", "too many"),
    ],
)
def test_bodies_that_no_encoder_writes_are_refused(content, message):
    with pytest.raises(CodecError, match=message):
        fixed(4).decode(wire.pack(wire.CodecId.GAIN_SHAPE, 4, 2, 4, content))
    assert fixed(4).decode(wire.pack(wire.CodecId.GAIN_SHAPE, 4, 2, 4, body([2**14, 0], 2, b"\x05"))).actions
