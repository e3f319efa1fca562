"""Ranks by counting are those of a sort, and of the matrix of scores, however the work is cut."""

from unittest import mock

import numpy as np
import pytest
import pytrec_eval
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fedras_ray.evaluation import products
from fedras_ray.evaluation.metrics import ndcg, recall
from fedras_ray.evaluation.products import product_hits, sampled_product_hits
from fedras_ray.evaluation.ranking import full_hits, sampled_hits
from fedras_ray.kernels.ranking import score
from fedras_ray.streams import Purpose, stream

ROLES = ["train", "test", "both", "other", "other"]
EXACT = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0])  # products and sums of few are exact: ties, and many
ANY = st.floats(-3, 3, width=32)
BLOCKS = [(1, 1), (2, 3), (3, 64), products.BLOCK]


def tables(draw, entries, rows, width):
    flat = draw(st.lists(entries, min_size=rows * width, max_size=rows * width))
    return np.array(flat, np.float32).reshape(rows, width)


@st.composite
def worlds(draw, entries):
    """Queries (C, D), a table (I, D), and for each user a role of every item."""
    item_count, width = draw(st.integers(1, 70)), draw(st.integers(1, 3))
    users = draw(st.integers(1, 4))
    sides = st.lists(st.sampled_from(ROLES), min_size=item_count, max_size=item_count)
    most = draw(st.sampled_from(["other", "train", "test"]))  # of one user: train may cover almost everything
    roles = [[most] * item_count, *(draw(sides) for _ in range(users - 1))]
    roles[0][draw(st.integers(0, item_count - 1))] = "test"
    return tables(draw, entries, users, width), tables(draw, entries, item_count, width), roles


def lists(roles):
    return tuple(
        [[item for item, role in enumerate(own) if role in (side, "both")] for own in roles]
        for side in ("train", "test")
    )


def by_sorting(scores, train, test, depth):
    """(C, K) hits of a plain sort with test items last among equals; test items in train are not ranked."""
    hits = np.zeros((len(scores), depth), dtype=np.bool_)
    for row, own, seen, wanted in zip(hits, scores, train, test, strict=True):
        ranking = sorted(set(range(len(own))) - set(seen), key=lambda item: (-own[item], item in wanted))
        found = [place for place, item in enumerate(ranking[:depth]) if item in wanted]
        row[found] = True
    return hits


def ids(items):
    return [np.array(sorted(own), np.int32) for own in items]


@settings(max_examples=150)
@given(worlds(EXACT), st.sampled_from(BLOCKS), st.integers(1, 25))
def test_hits_are_those_of_the_matrix_of_scores(dataset_of, world, block, depth):
    queries, table, roles = world
    train, test = lists(roles)
    users = np.arange(len(roles))[::-1]
    with mock.patch.object(products, "BLOCK", block), mock.patch.object(products, "CLIENTS", 2):
        hits = product_hits(queries[users], table, users, dataset_of(train, test, len(table)), depth)
    scores = torch.from_numpy(queries @ table.T)
    np.testing.assert_array_equal(hits[users], full_hits(scores, ids(train), ids(test), depth))
    np.testing.assert_array_equal(hits[users], by_sorting(scores.numpy(), train, test, depth))


@settings(max_examples=150)
@given(worlds(ANY), st.integers(1, 25))
def test_hits_do_not_depend_on_how_the_work_is_cut_nor_on_the_order_of_items(dataset_of, world, depth):
    queries, table, roles = world
    train, test = lists(roles)
    scores = np.array([[score(query, row) for row in table] for query in queries])
    expected = by_sorting(scores, train, test, depth)
    renamed = np.arange(len(table))[::-1]
    for block in BLOCKS:
        with mock.patch.object(products, "BLOCK", block):
            users = np.arange(len(roles))
            hits = product_hits(queries, table, users, dataset_of(train, test, len(table)), depth)
            np.testing.assert_array_equal(hits, expected)
            turned = [[[int(renamed[item]) for item in own] for own in side] for side in (train, test)]
            again = product_hits(queries, table[renamed], users, dataset_of(*turned, len(table)), depth)
            np.testing.assert_array_equal(again, expected)


@settings(max_examples=60)
@given(worlds(st.sampled_from([-1.0, 0.0, 1.0, 2.0, np.inf, -np.inf, np.nan])))
def test_what_is_no_number_is_above_all_and_never_a_hit(dataset_of, world):
    queries, table, roles = world
    train, test = lists(roles)
    hits = product_hits(queries, table, np.arange(len(roles)), dataset_of(train, test, len(table)), 20)
    with np.errstate(invalid="ignore"):
        scores = np.array([[np.sum(query * row) for row in table] for query in queries], np.float32)
    np.testing.assert_array_equal(hits, full_hits(torch.from_numpy(scores), ids(train), ids(test), 20))


def test_scores_that_float32_cannot_hold_are_ranked(dataset_of):
    queries = np.array([[1e30, 1.0]], np.float32)
    table = np.array([[1e30, 0.0], [2e30, 0.0], [1e-30, 0.0], [0.0, 1e-45]], np.float32)
    for item, rank in ((0, 1), (1, 0), (2, 2), (3, 3)):
        hits = product_hits(queries, table, np.array([0]), dataset_of([[]], [[item]], 4), 4)
        assert np.flatnonzero(hits[0]).tolist() == [rank]


def test_a_lead_that_float32_would_round_away_is_a_lead(dataset_of):
    queries, table = np.array([[1.0, 1.0]], np.float32), np.array([[1.0, 0.0], [1.0, 2.0**-40]], np.float32)
    for item, rank in ((0, 1), (1, 0)):
        hits = product_hits(queries, table, np.array([0]), dataset_of([[]], [[item]], 2), 2)
        assert np.flatnonzero(hits[0]).tolist() == [rank]


def test_the_score_of_a_pair_is_summed_from_the_first_column_on():
    rng = stream(1, Purpose.ITEM_TABLE)
    query, row = rng.standard_normal((2, 32)).astype(np.float32)
    total = 0.0
    for one, other in zip(query.tolist(), row.tolist(), strict=True):
        total += one * other
    assert score(query, row) == total


def test_nobody_and_users_without_tests(dataset_of):
    queries, table = np.ones((2, 1), np.float32), np.ones((3, 1), np.float32)
    data = dataset_of([[0], []], [[], []], 3)
    assert product_hits(queries[:0], table, np.arange(0), data, 20).shape == (0, 20)
    assert not product_hits(queries, table, np.arange(2), data, 20).any()


@pytest.fixture(scope="module")
def crowd(dataset_of):
    """300 users with tests of every size and long and short rows, more items than go into one block."""
    rng = stream(7, Purpose.SPLIT)
    item_count = products.BLOCK[1] + 300
    train, test = [], []
    for user in range(300):
        shuffled = rng.permutation(item_count).tolist()
        relevant, seen = int(rng.integers(1, 40)), int(rng.integers(0, 500))
        seen = item_count - relevant - 1 if user % 50 == 0 else seen
        test.append(shuffled[:relevant])
        train.append(shuffled[relevant : relevant + seen])
    lengths = rng.lognormal(0, 1, (item_count, 1))
    table = np.round(4 * lengths * rng.standard_normal((item_count, 4))).astype(np.float32)
    queries = np.round(3 * rng.standard_normal((300, 4))).astype(np.float32)  # whole numbers: ties
    wanted = [table[items].sum(axis=0) for items in test]
    return queries + np.round(np.array(wanted) / 8), table, dataset_of(train, test, item_count)


def test_metrics_of_a_crowd_are_those_of_trec_eval(crowd):
    queries, table, data = crowd
    users = np.arange(data.user_count)
    relevant, run = {}, {}
    for user, own in enumerate(queries @ table.T):
        wanted, seen = (set(side.of(user).tolist()) for side in (data.test, data.train))
        ranking = sorted(set(range(len(own))) - seen, key=lambda item: (-own[item], item in wanted))
        relevant[str(user)] = {str(item): 1 for item in wanted}
        run[str(user)] = {str(item): float(-place) for place, item in enumerate(ranking)}
    trec = pytrec_eval.RelevanceEvaluator(relevant, {"recall.20", "ndcg_cut.20"}).evaluate(run)
    hits = product_hits(queries, table, users, data, 20)
    assert 0.1 < hits.any(axis=1).mean() < 1, "the case says little"
    for found, name in ((recall, "recall_20"), (ndcg, "ndcg_cut_20")):
        expected = [trec[str(user)][name] for user in users]
        np.testing.assert_allclose(found(hits, data.test.counts(), 20), expected, rtol=0, atol=1e-12)


@settings(max_examples=80)
@given(worlds(EXACT), st.integers(1, 12), st.randoms(use_true_random=False))
def test_ranks_among_candidates_are_those_of_the_matrix_of_scores(world, depth, random):
    queries, table, _ = world
    candidates = [[random.randrange(-1, len(table)) for _ in range(9)] for _ in queries]
    held_out = [random.randrange(len(table)) for _ in queries]
    both = np.array(held_out, np.int32), np.array(candidates, np.int32)
    found = sampled_product_hits(queries, table, *both, depth)
    np.testing.assert_array_equal(found, sampled_hits(queries @ table.T, *both, depth))
