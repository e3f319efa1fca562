"""The line that ranking by popularity draws."""

import numpy as np
import pytest

from fedras_ray.evaluation.popularity import popularity_quality


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
    monkeypatch.setattr("fedras_ray.evaluation.popularity.CLIENTS", 2)
    assert popularity_quality(data, 9, seed=1) == pytest.approx(whole)
