"""Intervals that hold what they promise, and verdicts that say no more than the interval does."""

import numpy as np
import pytest
from scipy import stats

from fedras_ray.evaluation import bootstrap
from fedras_ray.evaluation.comparison import Difference, Verdict, compare

TRUTH = 0.01


def world(number, seeds, users, *, training=0.004, taste=0.05, noise=0.05):
    """(S, U) of two methods whose difference is TRUTH, plus what a seed, a user and chance add."""
    rng = np.random.default_rng(number)
    reference = rng.uniform(0, 1, size=(seeds, users))
    difference = (
        TRUTH
        + training * rng.normal(size=(seeds, 1))
        + taste * rng.normal(size=(1, users))
        + noise * rng.normal(size=(seeds, users))
    )
    return reference + difference, reference


def covered(worlds, seeds, **spread):
    found = [compare(*world(number, seeds, 200, **spread)) for number in range(worlds)]
    return np.mean([one.low <= TRUTH <= one.high for one in found])


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_the_interval_holds_the_truth_as_often_as_it_says(seeds, monkeypatch):
    monkeypatch.setattr(bootstrap, "REPLICATES", 1_000)
    assert 0.93 <= covered(200, seeds) <= 1


def test_where_users_alone_vary_it_is_as_narrow_as_it_can_be(monkeypatch):
    monkeypatch.setattr(bootstrap, "REPLICATES", 1_000)
    assert 0.91 <= covered(300, 5, training=0, noise=1e-6) <= 0.98


def test_forgetting_the_seeds_would_promise_too_much(monkeypatch):
    monkeypatch.setattr(bootstrap, "REPLICATES", 500)
    assert covered(200, 1, training=0.02) < 0.8  # one seed: the reason for `seeds_judged`
    assert covered(200, 3, training=0.02) > 0.92


def test_one_seed_is_the_bootstrap_of_scipy():
    method, reference = world(1, 1, 2_000)
    found = compare(method, reference)
    difference = (method - reference)[0]
    theirs = stats.bootstrap(
        (difference,), np.mean, n_resamples=4_000, method="percentile", batch=200,
        rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    width = theirs.high - theirs.low
    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high], abs=0.03 * width)
    assert found.estimate == pytest.approx(difference.mean())


def test_on_many_users_it_is_the_paired_t_test():
    method, reference = world(2, 1, 50_000)
    found = compare(method, reference)
    theirs = stats.ttest_rel(method[0], reference[0]).confidence_interval(0.95)
    width = theirs.high - theirs.low
    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high], abs=0.03 * width)


def test_where_seeds_alone_vary_it_is_the_t_test_over_seeds():
    method, reference = world(3, 4, 3_000, taste=0, noise=0, training=0.01)
    found = compare(method, reference)
    theirs = stats.ttest_1samp((method - reference).mean(axis=1), 0).confidence_interval(0.95)
    width = theirs.high - theirs.low
    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high], abs=0.1 * width)
    assert found.users_error == pytest.approx(0, abs=1e-12)


def test_many_users_are_resampled_in_groups_with_the_same_spread(monkeypatch):
    method, reference = world(4, 2, 4_000)
    alone = compare(method, reference)
    monkeypatch.setattr(bootstrap, "BLOCKS", 300)
    grouped = compare(method, reference)
    assert grouped.high - grouped.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert grouped.users_error == alone.users_error


def test_the_same_numbers_give_the_same_interval():
    assert compare(*world(5, 3, 300)) == compare(*world(5, 3, 300))


def test_the_means_are_means_over_seeds_of_means_over_users():
    method = np.array([[0.5, 0.7, np.nan], [0.1, 0.3, 0.8]])
    reference = np.array([[0.4, 0.5, np.nan], [0.1, 0.1, 0.1]])
    found = compare(method, reference)
    assert found.estimate == pytest.approx((0.15 + 0.3) / 2)
    assert found.reference == pytest.approx((0.45 + 0.1) / 2)
    assert (found.users, found.seeds) == (3, 2)


def test_one_seed_cannot_judge_seeds():
    assert not compare(*world(6, 1, 100)).seeds_judged
    assert compare(*world(6, 2, 100)).seeds_judged


def test_a_method_compared_with_itself_has_no_loss_even_without_a_margin():
    _, reference = world(7, 3, 50)
    found = compare(reference, reference, margin=0.0)
    assert (found.estimate, found.low, found.high) == (0, 0, 0)
    assert found.verdict is Verdict.NO_LOSS


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.009, 0.02, Verdict.NO_LOSS),
        (0.01, 0.02, Verdict.NO_LOSS),
        (-0.01, 0.02, Verdict.NO_LOSS),  # at the margin exactly
        (-0.009, -0.001, Verdict.WITHIN_MARGIN),
        (-0.02, -0.001, Verdict.LOSS),
        (-0.03, -0.02, Verdict.LOSS),
        (-0.02, 0.0, Verdict.TOO_THIN),
        (-0.02, 0.03, Verdict.TOO_THIN),
    ],
)
def test_verdicts(low, high, verdict):
    found = Difference((low + high) / 2, low, high, 0.5, 0.02, 100, 3, 0.001, 0.001)
    assert found.verdict is verdict


def test_a_share_of_nothing_is_not_a_number():
    nothing = np.zeros((2, 5))
    found = compare(nothing, nothing)
    assert found.relative(found.estimate) is None
    assert found.verdict is Verdict.NO_LOSS


@pytest.mark.parametrize(
    ("method", "reference"),
    [
        (np.zeros((1, 3)), np.zeros((2, 3))),
        (np.array([[0.1, np.nan]]), np.array([[0.1, 0.2]])),
        (np.full((1, 2), np.nan), np.full((1, 2), np.nan)),
    ],
)
def test_what_was_not_measured_alike_is_not_compared(method, reference):
    with pytest.raises(ValueError, match="users"):
        compare(method, reference)
