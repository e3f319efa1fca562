"""Sampled negatives, and the line that ranking by popularity draws."""

import numpy as np
import pytest
import torch

from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.quality import popularity_quality, sample_negatives, sampled_quality
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


def test_sampled_quality_ranks_the_held_out_item_among_its_negatives(dataset_of):
    data = dataset_of([[0], [0], [0]], [[1], [2], [3]], 30)
    scores = torch.zeros(3, 30)
    scores[:, 1], scores[:, 2] = 3.0, 2.0
    negatives = np.array([list(range(4, 16)), [1, *range(4, 15)], list(range(4, 16))])
    found = sampled_quality(scores, np.arange(3), data, negatives)
    assert found["sampled_hr@10"].tolist() == [1, 1, 0]
    np.testing.assert_allclose(found["sampled_ndcg@10"], [1, 1 / np.log2(3), 0])


@pytest.fixture(scope="module")
def ladder():
    """30 users without a test make item i the (i + 1)-th most popular; three users are asked.

    All three train on item 0, so the test item j of each ranks at place j: 1, 12 and 25.
    """
    return [list(range(30 - user)) for user in range(30)] + [[0]] * 3, [[]] * 30 + [[1], [12], [25]]


def test_popularity_by_hand_over_the_whole_catalogue(dataset_of, ladder):
    found = popularity_quality(dataset_of(*ladder, 30), 0, seed=1)
    assert found == {
        "recall@10": pytest.approx(1 / 3),
        "recall@20": pytest.approx(2 / 3),
        "ndcg@10": pytest.approx(1 / 3),
        "ndcg@20": pytest.approx((1 + 1 / np.log2(13)) / 3),
    }


def test_popularity_by_hand_among_negatives_that_the_data_set_brings(dataset_of, ladder):
    nobody = [[-1] * 11] * 30
    asked = [list(range(2, 13)), [3, 20, *[-1] * 9], list(range(1, 12))]
    found = popularity_quality(dataset_of(*ladder, 30, negatives=nobody + asked), 0, seed=1)
    assert found["sampled_hr@10"] == pytest.approx(2 / 3)
    assert found["sampled_ndcg@10"] == pytest.approx((1 + 1 / np.log2(3)) / 3)


def test_popularity_ties_are_lost_by_the_test_item(dataset_of):
    data = dataset_of([[0]], [[5]], 30)  # 29 items that nobody trained on
    assert popularity_quality(data, 0, seed=1)["recall@20"] == 0


def test_popularity_of_several_test_items_has_no_sampled_metrics(dataset_of):
    several = dataset_of([[0], [1]], [[2], [3, 4]], 30)
    assert not any(name.startswith("sampled") for name in popularity_quality(several, 9, seed=1))
    one = dataset_of([[0], [1]], [[2], [3]], 30)
    assert "sampled_hr@10" in popularity_quality(one, 9, seed=1)


def test_popularity_without_anyone_to_ask_says_nothing(dataset_of):
    assert popularity_quality(dataset_of([[0], [1]], [[], []], 5), 9, seed=1) == {}


def test_popularity_is_the_same_in_one_chunk_and_in_many(dataset_of, ladder, monkeypatch):
    data = dataset_of(*ladder, 30)
    whole = popularity_quality(data, 9, seed=1)
    monkeypatch.setattr("fedras_ray.evaluation.quality.POPULARITY_CHUNK", 30)
    assert popularity_quality(data, 9, seed=1) == pytest.approx(whole)
