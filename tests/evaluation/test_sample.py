"""Whom to ask is drawn evenly and by the seed alone, and the error that is told is the error that is made."""

import numpy as np
import pytest

from fedras_ray.evaluation.sample import asked_users, standard_error

USERS = 60


@pytest.fixture(scope="module")
def people(dataset_of):
    """60 users; two of three have a test item."""
    return dataset_of([[0]] * USERS, [[1] if user % 3 else [] for user in range(USERS)], 5)


def test_everyone_with_a_test_item_is_asked_unless_fewer_are_wanted(people):
    tested = [user for user in range(USERS) if user % 3]
    for count in (None, 40, 41, 1_000_000):
        assert asked_users(people, count, seed=1).tolist() == tested


def test_a_sample_is_of_those_with_a_test_item_each_once_and_in_order(people):
    found = asked_users(people, 15, seed=1)
    assert len(found) == 15
    assert (np.diff(found) > 0).all()
    assert (found % 3 > 0).all()


def test_the_seed_draws_it(people):
    same, other = (asked_users(people, 15, seed=seed).tolist() for seed in (1, 2))
    assert asked_users(people, 15, seed=1).tolist() == same
    assert same != other


def test_everyone_is_as_likely_to_be_asked(people):
    draws = 3_000
    asked = np.concatenate([asked_users(people, 10, seed=seed) for seed in range(draws)])
    counts = np.bincount(asked, minlength=USERS)[np.arange(USERS) % 3 > 0]
    assert counts.sum() == draws * 10
    variance = draws * 10 / 40 * (1 - 10 / 40)  # a user is in a sample or not
    assert np.square(counts - draws * 10 / 40).sum() / variance < 72.1  # chi-square, 39 degrees, one in 1000


@pytest.mark.parametrize("count", [2, 10, 30, 39])
def test_the_error_that_is_told_is_the_error_that_is_made(people, count):
    """Over many samples, the spread of means is the root of the mean of squared standard errors."""
    values = np.random.default_rng(3).exponential(size=USERS)
    samples = [values[asked_users(people, count, seed=seed)] for seed in range(3_000)]
    made = np.std([sample.mean() for sample in samples])
    told = np.sqrt(np.mean([standard_error(sample, 40) ** 2 for sample in samples]))
    assert told == pytest.approx(made, rel=0.06)


def test_by_hand():
    assert standard_error(np.array([0.0, 1.0]), 4) == pytest.approx(np.sqrt((1 - 2 / 4) * 0.5 / 2))


def test_of_all_there_is_no_error_and_of_one_there_is_no_telling():
    assert standard_error(np.array([0.0, 1.0]), 2) == 0
    assert standard_error(np.array([1.0]), 1) == 0
    assert np.isnan(standard_error(np.array([1.0]), 9))
