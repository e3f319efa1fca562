"""Time to target, on curves drawn by hand."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dashboards.curves import Curve
from fedras_ray.errors import ConfigError, RunError
from tests.workloads import study
from workloads.comparing.plan import Question, plan
from workloads.comparing.scores import ratio, score
from workloads.comparing.target import coarse, first, targets

S = 10**9


def run(folder, values, seconds_each, bytes_each):
    """A run directory with evaluations of versions 0, 1, 2 …"""
    folder.mkdir(parents=True)
    count = len(values)
    columns = {
        "kind": ["evaluation"] * count,
        "version": list(range(count))[::-1],  # an evaluation may be recorded after a later one
        "at_ns": [int(place * seconds_each * S) for place in range(count)][::-1],
        "up_bytes": [place * bytes_each for place in range(count)][::-1],
        "down_bytes": [2 * place * bytes_each for place in range(count)][::-1],
        "ndcg@10": list(values)[::-1],
    }
    pq.write_table(pa.table(columns), folder / "records.parquet")
    return folder


@pytest.fixture
def methods(tmp_path):
    return {
        "dense": {
            1: run(tmp_path / "d1", [0.0, 0.5, 0.9, 1.0, 0.7], 10, 100),  # 0.95 at version 3
            2: run(tmp_path / "d2", [0.0, 0.3, 0.4, 0.5, 0.48], 10, 100),  # 0.475 at version 3
        },
        "quick": {
            1: run(tmp_path / "q1", [0.0, 0.95, 0.2], 10, 1),  # exactly at the goal
            2: run(tmp_path / "q2", [0.0, 0.1, 0.2, 0.6], 5, 1),
        },
        "half": {
            1: run(tmp_path / "h1", [0.0, 0.97], 15, 10),
            2: run(tmp_path / "h2", [0.0, 0.4], 15, 10),
        },
    }


def test_the_first_evaluation_at_or_above_the_goal_of_its_seed(methods):
    found = targets(methods, "dense", "ndcg@10", 0.95)
    one, two = found["quick"].seeds
    assert (one.goal, one.best, one.best_of_reference) == (0.95, 0.95, 0.95)
    assert (one.version, one.seconds, one.seconds_before) == (1, 10.0, 0.0)
    assert (one.bytes, one.up_bytes, one.down_bytes) == (3.0, 1.0, 2.0)
    assert (one.times_faster, one.times_fewer_bytes) == (3.0, 300.0)
    assert two.goal == pytest.approx(0.475)
    assert (two.version, two.seconds, two.seconds_before) == (3, 15.0, 10.0)
    assert two.best_of_reference == pytest.approx(1.2)
    assert (two.times_faster, two.times_fewer_bytes) == (2.0, 100.0)


def test_means_over_seeds_and_of_ratios(methods):
    quick = targets(methods, "dense", "ndcg@10", 0.95)["quick"]
    assert (quick.reached, quick.never) == (2, ())
    assert (quick.seconds.mean, quick.seconds.error) == (12.5, pytest.approx(2.5))
    assert quick.times_faster.mean == pytest.approx(6**0.5)
    assert (quick.times_faster.lowest, quick.times_faster.highest) == (2.0, 3.0)
    assert quick.times_fewer_bytes.mean == pytest.approx(30_000**0.5)


def test_the_reference_is_once_as_fast_as_itself_and_always_arrives(methods):
    for share in (0.01, 0.95, 1.0):
        dense = targets(methods, "dense", "ndcg@10", share)["dense"]
        assert dense.reached == 2
        assert dense.times_faster.mean == dense.times_fewer_bytes.mean == 1.0


def test_a_method_that_once_never_arrives_has_no_mean_and_says_how_far_it_got(methods):
    half = targets(methods, "dense", "ndcg@10", 0.95)["half"]
    assert half.reached == 1
    assert half.seconds is half.bytes is half.times_faster is half.times_fewer_bytes is None
    (never,) = half.never
    assert (never.seed, never.seconds, never.bytes, never.version) == (2, None, None, None)
    assert (never.best, never.best_of_reference) == (0.4, pytest.approx(0.8))
    assert half.seeds[0].seconds == 15.0


def test_how_far_apart_evaluations_are(methods):
    found = targets(methods, "dense", "ndcg@10", 0.95)
    assert coarse(found["dense"]) == pytest.approx(1 / 3)
    assert coarse(found["quick"]) == 1.0
    assert coarse(found["half"]) == 1.0


def test_a_goal_that_is_reached_before_anything_was_sent_has_no_ratio():
    flat = Curve(np.arange(2), np.array([0.0, 5.0]), np.zeros(2), np.zeros(2), {"r": np.array([0.5, 0.6])})
    found = first(flat, "r", 1, 0.5, 0.9)
    assert (found.version, found.seconds, found.seconds_before) == (0, 0.0, None)
    nothing = first(flat, "r", 1, 0.0, 0.9)
    assert (nothing.goal, nothing.best_of_reference, nothing.seconds) == (0.0, None, 0.0)


def test_a_run_without_the_metric_is_named(methods):
    with pytest.raises(RunError, match=r"records\.parquet has no evaluation with recall@10"):
        targets(methods, "dense", "recall@10", 0.95)


def test_scores_and_ratios():
    assert (score([3.0]).mean, score([3.0]).error) == (3.0, None)
    assert ratio([0.5, 2.0]).mean == pytest.approx(1.0)


@pytest.mark.parametrize("share", ["0", "1.01", "-1", "nan"])
def test_a_target_of_a_study_is_a_share(share, tmp_path):
    path = study.write(tmp_path, study.TEXT.replace("margin = 0.05", f"target = {share}"))
    with pytest.raises(ConfigError, match="'target'"):
        plan([str(path)], [], Question())


def test_the_command_goes_before_the_study_and_that_before_the_default(tmp_path):
    path = study.write(tmp_path, study.TEXT.replace("margin = 0.05", "target = 0.5"))
    assert plan([str(path)], [], Question()).target == 0.5
    assert plan([str(path)], [], Question(target=0.99)).target == 0.99
    assert plan(["ml-100k-dense"], [], Question()).target == 0.95
