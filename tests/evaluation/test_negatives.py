"""Sampled negatives: distinct, outside of what the user touched, the same whoever else is asked."""

import numpy as np
import pytest

from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.negatives import sample_negatives
from fedras_ray.streams import Purpose, stream

ITEMS = 60


@pytest.fixture(scope="module")
def people(dataset_of) -> Dataset:
    """30 users, from one who touched nothing to one who touched nearly everything."""
    rng = stream(3, Purpose.SPLIT)
    train, test = [], []
    for user in range(30):
        shuffled = rng.permutation(ITEMS).tolist()
        train.append(shuffled[: 2 * user])
        test.append(shuffled[2 * user : 2 * user + 1])
    return dataset_of(train, test, ITEMS)


def test_negatives_are_distinct_and_touched_in_neither_train_nor_test(people):
    users = np.arange(people.user_count)
    drawn = sample_negatives(people, users, 20, seed=1)
    assert drawn.shape == (30, 20)
    for user, row in zip(users, drawn, strict=True):
        real = row[row >= 0]
        touched = {*people.train.of(user).tolist(), *people.test.of(user).tolist()}
        free = set(range(ITEMS)) - touched
        assert len(set(real.tolist())) == len(real) == min(20, len(free))
        assert set(real.tolist()) <= free
        assert (row[len(real) :] == -1).all()


def test_negatives_of_a_user_do_not_depend_on_who_else_is_asked(people):
    everyone = sample_negatives(people, np.arange(30), 20, seed=1)
    some = [17, 3, 29]
    np.testing.assert_array_equal(sample_negatives(people, some, 20, seed=1), everyone[some])
    np.testing.assert_array_equal(sample_negatives(people, np.array([3]), 20, seed=1), everyone[[3]])


def test_negatives_differ_between_seeds_and_between_users(people, dataset_of):
    one, other = (sample_negatives(people, [0], 20, seed=seed)[0].tolist() for seed in (1, 2))
    assert set(one) != set(other)
    alike = dataset_of([[1], [1]], [[2], [2]], ITEMS)
    first, second = sample_negatives(alike, [0, 1], 20, seed=1).tolist()
    assert set(first) != set(second)


def test_every_free_item_is_drawn_about_as_often(dataset_of):
    users = 600
    data = dataset_of([[0, 7]] * users, [[3]] * users, 13)
    counts = np.bincount(sample_negatives(data, np.arange(users), 4, seed=5).ravel(), minlength=13)
    assert counts[[0, 3, 7]].tolist() == [0, 0, 0]
    free = np.delete(counts, [0, 3, 7])
    assert free.sum() == users * 4
    assert np.square(free - 240).sum() / 240 < 27.9  # chi-square, 9 degrees of freedom, one in a thousand


def test_a_data_set_that_brings_its_negatives_keeps_them(dataset_of):
    data = dataset_of([[0], [1]], [[1], [2]], 9, negatives=[[3, 4, 5], [6, -1, -1]])
    assert sample_negatives(data, [1, 0], 99, seed=1).tolist() == [[6, -1, -1], [3, 4, 5]]
