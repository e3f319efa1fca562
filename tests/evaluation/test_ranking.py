"""From scores to hits: what is left out, and who wins a tie."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fedras_ray.evaluation.quality import CUTS, full_quality
from fedras_ray.evaluation.ranking import full_hits, sampled_hits


def ids(*items):
    return np.array(items, dtype=np.int32)


def ranks_of_hits(scores, train, test, depth):
    """Ranks (from 1) of the hits of one client."""
    hits = full_hits(torch.tensor([scores], dtype=torch.float32), [ids(*train)], [ids(*test)], depth)
    assert hits.shape == (1, depth)
    return (np.flatnonzero(hits[0]) + 1).tolist()


def test_items_are_ranked_from_the_highest_score_down():
    assert ranks_of_hits([0.1, 0.9, 0.5, 0.7], [], [2], 4) == [3]


def test_train_items_are_left_out():
    assert ranks_of_hits([0.1, 0.9, 0.5, 0.7], [1, 3], [2], 4) == [1]


def test_only_the_depth_is_looked_at():
    assert ranks_of_hits([4, 3, 2, 1], [], [0, 2, 3], 3) == [1, 3]


def test_a_catalogue_smaller_than_the_depth_leaves_the_rest_without_hits():
    assert ranks_of_hits([4, 3, 2, 1], [0], [3], 10) == [3]


def test_items_that_are_left_out_never_fill_the_list_up():
    """All but one item are train items, and all of those score higher."""
    assert ranks_of_hits([9, 9, 9, -9], [0, 1, 2], [3], 4) == [1]


@pytest.mark.parametrize("score", [0.0, -0.0, 1.0, -1.0, 1e30, -1e30, 1e-45, -1e-45, 0.1])
def test_with_all_scores_equal_a_test_item_ranks_last_of_those_that_are_not_train(score):
    scores = [score] * 12
    assert ranks_of_hits(scores, [0, 11], [5], 10) == [10]
    assert ranks_of_hits(scores, [0, 11], [1, 5], 10) == [9, 10]
    assert ranks_of_hits(scores, [0, 11], [5], 9) == []


@pytest.mark.parametrize("score", [1.0, -1.0, 1e30, -1e30, 1e-45, -1e-45, 0.1, -3.7])
def test_the_smallest_lead_a_float_can_have_is_a_lead(score):
    above = float(np.nextafter(np.float32(score), np.float32(np.inf)))
    below = float(np.nextafter(np.float32(score), np.float32(-np.inf)))
    assert ranks_of_hits([score, above, score], [], [1], 3) == [1]
    assert ranks_of_hits([score, below, score], [], [0, 2], 3) == [1, 2]
    assert ranks_of_hits([score, below, below], [], [1], 3) == [3]


def test_a_tie_between_zeros_of_either_sign_is_lost_by_the_test_item():
    assert ranks_of_hits([0.0, -0.0, 0.0, -1.0], [], [1], 4) == [3]
    assert ranks_of_hits([-0.0, 0.0, -0.0, -1.0], [], [1], 4) == [3]


def test_a_score_that_is_no_number_is_no_hit():
    assert ranks_of_hits([float("nan"), 1.0, 0.5], [], [0], 3) == []
    assert ranks_of_hits([float("inf"), 1.0, 0.5], [], [0], 3) == []


def test_the_scores_that_are_given_stay_as_they_are():
    scores = torch.tensor([[1.0, 2.0, 3.0]])
    full_hits(scores, [ids(0)], [ids(2)], 3)
    assert scores.tolist() == [[1.0, 2.0, 3.0]]


def test_clients_do_not_mix():
    scores = torch.tensor([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    hits = full_hits(scores, [ids(), ids(2), ids(0)], [ids(0), ids(0), ids(2)], 3)
    assert [np.flatnonzero(row).tolist() for row in hits] == [[0], [1], [1]]


SCORES = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.5])


@st.composite
def clients(draw):
    """Scores with ties, train and test of some clients, at least one test item each."""
    item_count = draw(st.integers(2, 24))
    people = []
    for _ in range(draw(st.integers(1, 3))):
        scores = draw(st.lists(SCORES, min_size=item_count, max_size=item_count))
        role = draw(
            st.lists(st.sampled_from(["train", "test", "other"]), min_size=item_count, max_size=item_count)
        )
        role[draw(st.integers(0, item_count - 1))] = "test"
        train, test = ([i for i, name in enumerate(role) if name == wanted] for wanted in ("train", "test"))
        people.append((scores, train, test))
    return item_count, people


@settings(max_examples=40)
@given(clients(), st.randoms(use_true_random=False))
def test_the_numbers_of_items_do_not_matter(dataset_of, case, random):
    item_count, people = case
    renamed = random.sample(range(item_count), item_count)  # old number -> new number
    users = np.arange(len(people))
    before = torch.tensor([scores for scores, _, _ in people])
    after = torch.empty_like(before)
    after[:, renamed] = before
    train, test = ([person[part] for person in people] for part in (1, 2))
    new_train, new_test = ([[renamed[i] for i in items] for items in lists] for lists in (train, test))
    found = full_quality(before, users, dataset_of(train, test, item_count))
    again = full_quality(after, users, dataset_of(new_train, new_test, item_count))
    for name in found:
        np.testing.assert_array_equal(found[name], again[name], err_msg=name)


@settings(max_examples=40)
@given(clients())
def test_the_perfect_ranking_has_ndcg_one_and_all_the_recall_there_can_be(dataset_of, case):
    item_count, people = case
    train, test = ([person[part] for person in people] for part in (1, 2))
    perfect = torch.tensor([[float(item in wanted) for item in range(item_count)] for wanted in test])
    found = full_quality(perfect, np.arange(len(people)), dataset_of(train, test, item_count))
    for k in CUTS:
        np.testing.assert_allclose(found[f"ndcg@{k}"], 1)
        np.testing.assert_allclose(found[f"recall@{k}"], [min(1, k / len(wanted)) for wanted in test])


@settings(max_examples=40)
@given(clients())
def test_hits_are_those_of_a_plain_sort_with_test_items_last_among_equals(case):
    item_count, people = case
    scores = torch.tensor([scores for scores, _, _ in people])
    hits = full_hits(scores, [ids(*p[1]) for p in people], [ids(*p[2]) for p in people], item_count)
    for row, (own, train, test) in zip(hits, people, strict=True):
        ranking = sorted(set(range(item_count)) - set(train), key=lambda i: (-own[i], i in test))
        assert np.flatnonzero(row).tolist() == [place for place, item in enumerate(ranking) if item in test]


def sampled_rank(scores, held_out, negatives, depth=10):
    """The rank (from 1) of one client's held-out item, None where it is not listed."""
    hits = sampled_hits(np.array([scores], np.float32), np.array([held_out]), np.array([negatives]), depth)
    assert hits.shape == (1, depth)
    found = np.flatnonzero(hits[0])
    assert len(found) <= 1
    return int(found[0]) + 1 if len(found) else None


def test_the_held_out_item_ranks_behind_the_negatives_above_it():
    scores = [0.5, 0.9, 0.1, 0.7, 5.0]  # item 4 is not among the candidates
    assert sampled_rank(scores, 0, [1, 2, 3]) == 3
    assert sampled_rank(scores, 1, [0, 2, 3]) == 1
    assert sampled_rank(scores, 2, [0, 1, 3]) == 4


@pytest.mark.parametrize("score", [0.0, -2.0, 7.0])
def test_the_held_out_item_loses_every_tie(score):
    assert sampled_rank([score] * 6, 3, [0, 1, 5]) == 4
    assert sampled_rank([score] * 6, 3, [0, 1, 5], depth=3) is None


def test_minus_one_stands_for_no_negative_whatever_item_zero_and_the_last_item_score():
    assert sampled_rank([9.0, 1.0, 0.0, 9.0], 1, [2, -1, -1]) == 1
    assert sampled_rank([9.0, 1.0, 0.0, 9.0], 1, [0, -1, -1]) == 2
    assert sampled_rank([9.0, 1.0, 0.0, 9.0], 1, [-1, -1, -1]) == 1


def test_clients_are_ranked_by_their_own_scores():
    scores = np.array([[1, 2, 3], [3, 2, 1]], np.float32)
    hits = sampled_hits(scores, np.array([0, 0]), np.array([[1, 2], [1, 2]]), 3)
    assert [np.flatnonzero(row).tolist() for row in hits] == [[2], [0]]
