"""How long a turn will take, against the fleet's own clock and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.clock import seconds
from fedras_ray.config.client import TrainingConfig
from fedras_ray.config.fleet import FedScaleFleet
from fedras_ray.fleet.build import build_fleet
from fedras_ray.server.prediction import expected_rows, learned_factor, predict_turn_s, target_s
from fedras_ray.streams import Purpose, stream
from fedras_ray.training.sampling import local_samples


def test_by_hand():
    turn_s = predict_turn_s(1e-3, 100.0, 1000.0, 0.5, samples=200, down_bytes=4_000, up_bytes=50)
    assert turn_s == pytest.approx(0.5 + 4 + 0.2 + 0.5 + 0.5)
    asked = predict_turn_s(
        1e-3, 100.0, 1000.0, 0.5, samples=200, down_bytes=4_000, up_bytes=50, request_bytes=10
    )
    assert asked == pytest.approx(turn_s + 0.5 + 0.1)


def test_it_is_the_time_the_clock_will_take_for_everyone_at_once():
    fleet = build_fleet(FedScaleFleet(), 50, 3)
    samples, up = np.arange(50.0) * 7, np.arange(50.0) * 100 + 1
    for request in (0, 90):
        all_s = predict_turn_s(
            fleet.train_s_per_sample,
            fleet.uplink_bytes_per_s,
            fleet.downlink_bytes_per_s,
            fleet.latency_s,
            samples=samples,
            down_bytes=np.full(50, 5_000.0),
            up_bytes=up,
            request_bytes=request,
        )
        for one in range(50):
            asked = fleet.upload_ns(one, request) if request else 0
            steps = (fleet.download_ns(one, 5_000), fleet.train_ns(one, int(samples[one])))
            exact = seconds(asked + sum(steps) + fleet.upload_ns(one, int(up[one])))
            assert all_s[one] == pytest.approx(exact, abs=4e-9)


def test_the_target_is_met_by_the_share_that_patience_names():
    turn_s = stream(1, Purpose.FLEET).lognormal(0, 1, 100_000)
    for patience in (0.5, 0.8, 0.99):
        assert (turn_s <= target_s(turn_s, patience)).mean() == pytest.approx(patience, abs=1e-4)
    assert target_s(np.full(3, 2.5), 0.7) == 2.5


@pytest.mark.parametrize(("positives", "item_count"), [(5, 1_000), (106, 1_682), (400, 500), (60, 60)])
def test_expected_rows_are_the_mean_of_real_turns(positives, item_count):
    training = TrainingConfig()
    items = np.arange(positives, dtype=np.int32)
    turns = [
        len(local_samples(items, item_count, training, stream(1, Purpose.LOCAL_SAMPLING, 0, t)).item_ids)
        for t in range(60)
    ]
    draws = np.array([training.negatives * positives])
    (expected,) = expected_rows(np.array([positives]), item_count, draws)
    assert expected == pytest.approx(np.mean(turns), abs=max(1.0, 0.01 * np.mean(turns)))


def test_nobody_touches_more_rows_than_there_are():
    positives = np.array([0, 1, 50, 99, 100])
    rows = expected_rows(positives, 100, 50 * positives)
    assert (rows <= 100).all()
    assert rows[0] == 0
    assert rows[-1] == 100


@given(st.floats(0.2, 5), st.floats(0.5, 100))
def test_what_is_learned_comes_to_the_true_ratio_and_stays(ratio, plain_s):
    factor = 1.0
    for _ in range(60):
        factor = learned_factor(factor, plain_s * factor, plain_s * ratio, 0.3)
    assert factor == pytest.approx(ratio, rel=1e-6)


def test_one_strange_turn_teaches_a_bounded_lesson():
    assert learned_factor(1.0, 1e-6, 1e6, 0.3) == 10
    assert learned_factor(1.0, 1e6, 1e-6, 1.0) == 0.1
    assert learned_factor(1.7, 1.0, 5.0, 0.0) == 1.7
