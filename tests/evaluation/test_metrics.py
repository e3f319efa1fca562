"""Recall, NDCG and hit ratio against trec_eval, and by hand where trec_eval has no word for it."""

import numpy as np
import pytest
import pytrec_eval
import torch
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.evaluation.metrics import hit_ratio, ndcg, recall
from fedras_ray.evaluation.quality import CUTS, full_quality
from fedras_ray.streams import Purpose, stream

USERS, ITEMS = 200, 150


@pytest.fixture(scope="module")
def population(dataset_of):
    """200 users with 1 to 60 test items, few and many more than the cut-offs, and 0 to 80 train items."""
    rng = stream(11, Purpose.SPLIT)
    train, test = [], []
    for user in range(USERS):
        shuffled = rng.permutation(ITEMS).tolist()
        relevant = 1 + user % 3 if user % 2 else int(rng.integers(1, 61))
        seen = int(rng.integers(0, 81))
        test.append(shuffled[:relevant])
        train.append(shuffled[relevant : relevant + seen])
    return dataset_of(train, test, ITEMS)


def trec(dataset, scores):
    """trec_eval's numbers, for a ranking that is made here: train items out, a tied test item last."""
    relevant, run = {}, {}
    for user in range(dataset.user_count):
        wanted = set(dataset.test.of(user).tolist())
        others = set(range(dataset.item_count)) - set(dataset.train.of(user).tolist())
        ranking = sorted(others, key=lambda item: (-scores[user, item], item in wanted))
        relevant[str(user)] = {str(item): 1 for item in wanted}
        run[str(user)] = {str(item): float(-place) for place, item in enumerate(ranking)}
    measured = pytrec_eval.RelevanceEvaluator(relevant, {"recall.10,20", "ndcg_cut.10,20"}).evaluate(run)
    names = {"recall@{}": "recall_{}", "ndcg@{}": "ndcg_cut_{}"}
    return {
        ours.format(k): np.array(
            [measured[str(user)][theirs.format(k)] for user in range(dataset.user_count)]
        )
        for ours, theirs in names.items()
        for k in CUTS
    }


@pytest.mark.parametrize("levels", [None, 40, 5, 1], ids=["distinct", "few ties", "many ties", "all tied"])
def test_full_catalogue_metrics_equal_trec_eval(population, levels):
    scores = stream(12, Purpose.SPLIT).standard_normal((USERS, ITEMS)).astype(np.float32)
    scores += 0.5 * np.array([np.isin(np.arange(ITEMS), population.test.of(user)) for user in range(USERS)])
    if levels is not None:
        scores = np.floor(scores * levels / 8).clip(-levels // 2, levels // 2 - 1)
    found = full_quality(torch.from_numpy(scores), np.arange(USERS), population)
    expected = trec(population, scores)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].shape == (USERS,)
        np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-12, err_msg=name)
        assert levels == 1 or 0.1 < values.mean() < 0.9, "the case says little"


def test_the_list_on_which_libraries_disagree():
    """3 relevant items, hits at ranks 3 and 7: 0.3911 with trec_eval, ranx and scikit-learn."""
    hits = np.zeros((1, 10), dtype=np.bool_)
    hits[0, [2, 6]] = True
    assert ndcg(hits, np.array([3]), 10)[0] == pytest.approx(0.3911, abs=5e-5)
    assert recall(hits, np.array([3]), 10)[0] == pytest.approx(2 / 3)


def test_recall_divides_by_all_test_items_though_they_cannot_all_be_found():
    assert recall(np.ones((1, 10), dtype=np.bool_), np.array([40]), 10)[0] == 0.25


def test_the_ideal_of_ndcg_has_no_more_hits_than_the_cut_and_no_more_than_there_are():
    hits = np.ones((2, 10), dtype=np.bool_)
    hits[1, 2:] = False
    np.testing.assert_allclose(ndcg(hits, np.array([40, 2]), 10), [1, 1])


def test_hits_beyond_the_cut_do_not_count():
    hits = np.zeros((1, 20), dtype=np.bool_)
    hits[0, 10] = True
    assert (recall(hits, np.array([1]), 10)[0], ndcg(hits, np.array([1]), 10)[0], hit_ratio(hits, 10)[0]) == (
        0,
        0,
        0,
    )
    assert (recall(hits, np.array([1]), 11)[0], hit_ratio(hits, 11)[0]) == (1, 1)


def test_a_ranking_shorter_than_the_cut_is_measured_for_what_it_is():
    hits = np.array([[False, True, True]])
    assert ndcg(hits, np.array([2]), 10)[0] == pytest.approx(
        (1 / np.log2(3) + 1 / np.log2(4)) / (1 + 1 / np.log2(3))
    )


def test_hit_ratio_is_one_for_any_number_of_hits():
    hits = np.array([[False] * 3, [False, False, True], [True] * 3])
    assert hit_ratio(hits, 3).tolist() == [0, 1, 1]


@given(
    st.lists(st.lists(st.booleans(), min_size=20, max_size=20), min_size=1, max_size=5),
    st.integers(1, 20),
    st.data(),
)
def test_metrics_lie_between_zero_and_one_and_a_hit_further_up_is_never_worse(rows, k, data):
    hits = np.array(rows)
    relevant = hits.sum(axis=1) + data.draw(st.integers(1, 30))
    raised = np.sort(hits, axis=1)[:, ::-1]
    for metric in (recall, ndcg):
        values = metric(hits, relevant, k)
        assert ((values >= 0) & (values <= 1 + 1e-12)).all()
        assert (metric(raised, relevant, k) >= values - 1e-12).all()
