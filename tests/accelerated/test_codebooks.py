"""Clustering on a device keeps the laws of clustering, and comes as near to the rows."""

import numpy as np
import pytest

from fedras_ray.codecs.accelerated import books_on_device
from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.cohort import codebooks_each
from fedras_ray.codecs.ragged import encode_each
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from tests.codecs.test_ragged import ADAPTIVE, SIZES, batch

CODECS = [
    configs.ActionsCodec(kind="actions"),
    configs.ActionsCodec(kind="actions", actions=ADAPTIVE),
    configs.ActionsCodec(kind="actions", iterations=3),
    configs.ActionsCodec(kind="actions", start="k-means++", iterations=3),
    configs.ResidualCodec(kind="residual", stages=2, indices="packed"),
    configs.ProductCodec(kind="product", parts=2, indices="packed"),
]
WIDTH = 8


def lost(rows, offsets, books):
    """|x − x̂|² of each update."""
    found = []
    for place, actions in enumerate(books.actions):
        its = slice(offsets[place], offsets[place + 1])
        found.append(np.square(rows[its] - actions[books.taken[its]]).sum())
    return np.array(found)


@pytest.mark.parametrize("kind", ["line", "noisy", "few", "zeros"])
@pytest.mark.parametrize("k", [1, 3, 16])
def test_every_action_is_taken_and_is_the_mean_of_its_rows(device, kind, k):
    offsets, _, rows, *_ = batch(kind, WIDTH)
    books = books_on_device(rows, offsets, k, 0, device)
    for place, size in enumerate(SIZES):
        its = slice(offsets[place], offsets[place + 1])
        taken, used = books.taken[its], books.used[place]
        assert used <= min(k, size)
        assert sorted(set(taken.tolist())) == list(range(used))
        for action in range(used):
            mean = rows[its][taken == action].astype(np.float64).mean(axis=0)
            near = 1e-5 * np.abs(rows[its]).max()
            np.testing.assert_allclose(books.actions[place, action], mean, rtol=1e-4, atol=near)


@pytest.mark.parametrize("kind", ["line", "noisy"])
def test_as_many_actions_come_as_near_as_those_of_the_processor(device, kind):
    offsets, _, rows, *_ = batch(kind, WIDTH)
    ours, theirs = books_on_device(rows, offsets, 16, 0, device), codebooks_each(rows, offsets, 16)
    large = np.array(SIZES) >= 64
    np.testing.assert_array_equal(ours.used[large], theirs.used[large])
    ratio = lost(rows, offsets, ours)[large] / lost(rows, offsets, theirs)[large]
    assert ratio.max() < 1.1
    assert ratio.mean() < 1.03


@pytest.mark.parametrize("config", CODECS, ids=lambda config: config.model_dump_json())
@pytest.mark.parametrize("kind", ["noisy", "few", "zeros"])
def test_what_is_sent_can_be_read_and_is_as_near_and_as_small(device, config, kind):
    outgoing = batch(kind, WIDTH)
    here, there = build_codec(config), build_codec(config, device)
    blobs, expected = encode_each(there, outgoing), encode_each(here, outgoing)
    for place, (blob, other) in enumerate(zip(blobs, expected, strict=True)):
        update, reference = here.decode(blob), here.decode(other)
        its = slice(*outgoing.offsets[place : place + 2])
        np.testing.assert_array_equal(update.item_ids, outgoing.item_ids[its])
        exact = outgoing.rows[its].astype(np.float64)
        mine, yours = (np.square(exact - one.rows).sum() for one in (update, reference))
        if kind == "noisy" or config.actions.kind == "adaptive":
            assert mine <= 1.3 * yours + 1e-6 * np.square(exact).sum()
        else:  # with so few distinct rows it is chance which actions go without
            assert mine <= 0.05 * np.square(exact).sum()
        if kind == "noisy" and config.actions.kind == "fixed":
            assert len(blob) == len(other)


def test_what_is_not_finite_is_refused(device):
    offsets, _, rows, *_ = batch("noisy", WIDTH)
    rows[-1, 0] = np.inf
    with pytest.raises(CodecError, match="not finite"):
        books_on_device(rows, offsets, 4, 0, device)
