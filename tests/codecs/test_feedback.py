"""Error feedback: nothing is lost for good, and nothing travels only because of an old error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.feedback import compensated, left_over, nothing_left
from fedras_ray.config import build, codecs
from fedras_ray.data import load
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import EvaluationRecord, TurnRecord
from fedras_ray.simulation import simulate
from tests.conftest import SCHEDULES, SMALL

ITEMS, WIDTH = 30, 3


def turn(draw):
    ids = np.flatnonzero(draw.random(ITEMS) < 0.5).astype(np.int32)
    return ids, draw.standard_normal((len(ids), WIDTH)).astype(np.float32)


def table(ids, rows):
    found = np.zeros((ITEMS, WIDTH))
    found[ids] = rows
    return found


@given(st.integers(0, 2**31))
def test_what_was_decoded_and_what_is_left_is_all_there_ever_was(seed):
    draw = np.random.default_rng(seed)
    codec = build_codec(codecs.TopKCodec(kind="topk", by="rows", share=0.2, dtype="f16"))
    residual, asked, told = nothing_left(WIDTH), np.zeros((ITEMS, WIDTH)), np.zeros((ITEMS, WIDTH))
    for _ in range(6):
        ids, delta = turn(draw)
        sent = ItemUpdate(ids, compensated(ids, delta, residual, 1.0), ITEMS)
        kept = np.argsort(-np.square(sent.rows).sum(axis=1))[: max(1, len(ids) // 5)]
        kept = np.sort(kept)
        decoded = ItemUpdate(ids[kept], sent.rows[kept] * np.float32(0.9), ITEMS)
        residual = left_over(sent, decoded, residual, ITEMS)
        asked += table(ids, delta)
        told += table(decoded.item_ids, decoded.rows)
        assert (np.diff(residual.item_ids) > 0).all()
    assert np.abs(asked - told - table(residual.item_ids, residual.rows)).max() < 1e-4
    assert codec is not None


def test_a_row_that_is_not_touched_waits():
    first = ItemUpdate(np.array([1, 4], np.int32), np.ones((2, WIDTH), np.float32), ITEMS)
    nothing = ItemUpdate(np.zeros(0, np.int32), np.zeros((0, WIDTH), np.float32), ITEMS)
    residual = left_over(first, nothing, nothing_left(WIDTH), ITEMS)
    rows = compensated(np.array([4, 9], np.int32), np.ones((2, WIDTH), np.float32), residual, 0.5)
    assert rows.tolist() == [[1.5] * WIDTH, [1.0] * WIDTH]
    after = left_over(ItemUpdate(np.array([4, 9], np.int32), rows, ITEMS), nothing, residual, ITEMS)
    assert after.item_ids.tolist() == [1, 4, 9]


def test_a_client_keeps_the_largest_rows_it_has_room_for():
    sizes = np.array([3, 9, 1, 7], np.float32)[:, None] * np.ones((1, WIDTH), np.float32)
    sent = ItemUpdate(np.array([0, 5, 6, 8], np.int32), sizes, ITEMS)
    nothing = ItemUpdate(np.zeros(0, np.int32), np.zeros((0, WIDTH), np.float32), ITEMS)
    assert left_over(sent, nothing, nothing_left(WIDTH), 2).item_ids.tolist() == [5, 8]
    exact = left_over(sent, sent, nothing_left(WIDTH), 2)
    assert len(exact.item_ids) == 0


def run(*settings):
    experiment = build({}, [*SMALL, *SCHEDULES["sync"], "schedule.versions=12", *settings])
    dataset = load(experiment.data, experiment.seed)
    return list(simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset)))


def quality(records):
    return dict([one for one in records if isinstance(one, EvaluationRecord)][-1].quality)


TOP = ["codec.kind=topk", "codec.share=0.05"]


def test_a_run_with_feedback_sends_the_same_rows_and_learns_something_else():
    without, with_it = run(*TOP), run(*TOP, "feedback.kind=residual")
    rows = [[one.rows for one in records if isinstance(one, TurnRecord)] for records in (without, with_it)]
    assert rows[0] == rows[1]
    assert quality(without) != quality(with_it)


def test_an_exact_codec_has_nothing_to_feed_back():
    without = run("codec.kind=sparse")
    with_it = run("codec.kind=sparse", "feedback.kind=residual")
    assert without[-1] == with_it[-1]
    assert quality(without) == pytest.approx(quality(with_it))
