"""Sums along the tree of shards: the same bits wherever the shards are, and the sum that is meant."""

import dataclasses
import itertools
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs.ragged import RaggedUpdates
from fedras_ray.server import aggregation
from fedras_ray.server.folding import Climbs, Due, Partial, joined

ITEMS, WIDTH = 5, 2
VALUES = st.floats(-1e6, 1e6, width=32)
NOTHING = Due(np.zeros(0, np.int64), np.zeros(0))
ROWS = st.dictionaries(st.integers(0, ITEMS - 1), st.tuples(VALUES, VALUES), max_size=ITEMS)


def leaf(shard, rows, counts=1):
    ids = sorted(rows)
    values = np.array([rows[item] for item in ids], np.float32).reshape(-1, WIDTH)
    return Partial(0, shard, np.array(ids, np.int32), values, np.full(len(ids), counts, np.int32))


def written(partial):
    return (
        partial.level,
        partial.index,
        partial.ids.tolist(),
        partial.rows.tobytes(),
        partial.counts.tolist(),
    )


@given(
    shards=st.integers(1, 13),
    cuts=st.lists(st.integers(0, 13), max_size=4),
    data=st.data(),
)
def test_wherever_shards_are_the_root_is_the_same_to_the_bit(shards, cuts, data):
    rows = data.draw(st.dictionaries(st.integers(0, shards - 1), ROWS, min_size=1))
    leaves = [leaf(shard, some) for shard, some in sorted(rows.items())]
    (root,) = joined(leaves, range(shards), shards)
    edges = sorted({0, shards, *(cut for cut in cuts if cut < shards)})
    homes = [range(*pair) for pair in itertools.pairwise(edges)]
    sent = [one for home in homes for one in joined([x for x in leaves if x.index in home], home, shards)]
    (other,) = joined(sent, range(shards), shards)
    assert written(other) == written(root)
    total, counts = np.zeros((ITEMS, WIDTH)), np.zeros(ITEMS, int)
    for one in leaves:
        total[one.ids] += one.rows
        counts[one.ids] += one.counts
    assert root.ids.tolist() == np.flatnonzero(counts).tolist()
    assert root.counts.tolist() == counts[root.ids].tolist()
    np.testing.assert_allclose(root.rows, total[root.ids], rtol=1e-5, atol=1)


@pytest.mark.parametrize(
    ("home", "branches"),
    [
        (range(8), [(3, 0)]),
        (range(4), [(2, 0)]),
        (range(2, 5), [(0, 4), (1, 1)]),
        (range(5, 8), [(0, 5), (1, 3)]),
        (range(3, 4), [(0, 3)]),
    ],
)
def test_a_home_sends_as_few_sums_as_it_has_whole_branches(home, branches):
    sums = joined([leaf(shard, {0: (1, 1)}) for shard in home], home, 8)
    assert sorted((one.level, one.index) for one in sums) == sorted(branches)


def test_neighbours_are_added_before_others():
    big, small = np.float32(2**24), np.float32(1)
    rows = [big, small, small, -big]  # (big + 1) + (1 − big) = 1: lost once, not twice
    (root,) = joined([leaf(shard, {0: (value, 0)}) for shard, value in enumerate(rows)], range(4), 4)
    assert root.rows[0, 0] == (big + small) + (small - big)
    assert root.rows[0, 0] != ((big + small) + small) - big  # 0: one after the other


@given(
    shards=st.integers(1, 13),
    ends=st.tuples(st.integers(0, 12), st.integers(1, 13)),
    span=st.integers(1, ITEMS),
    are_words=st.booleans(),
    data=st.data(),
)
def test_in_one_go_along_the_tree_sums_are_those_of_one_after_the_other(shards, ends, span, are_words, data):
    mine = range(min(ends[0], shards - 1), max(min(ends[0], shards - 1) + 1, min(ends[1], shards)))
    some = sorted(data.draw(st.sets(st.sampled_from(mine), min_size=1)))
    sent = data.draw(st.lists(ROWS, min_size=1, max_size=9))
    updates = RaggedUpdates(
        np.cumsum([0, *map(len, sent)]),
        np.array([item for one in sent for item in sorted(one)], np.int32),
        np.array([one[item] for one in sent for item in sorted(one)], np.float32).reshape(-1, WIDTH),
        ITEMS,
        np.zeros(len(sent), np.int64),
    )
    if are_words:  # each row twice, and another order
        taken = 2 * np.arange(len(updates.words), dtype=np.int32)[::-1] + 1
        words = updates.words[::-1].repeat(2, axis=0)
        updates = dataclasses.replace(updates, words=words, taken=taken)
    weighed = st.lists(st.tuples(st.integers(0, len(sent) - 1), st.floats(0, 2)), max_size=4)
    parts = [
        Due(*map(np.array, zip(*one, strict=True))) if one else NOTHING
        for one in data.draw(st.lists(weighed, min_size=len(some), max_size=len(some)))
    ]
    climbs = Climbs.of(some, mine, shards)
    with mock.patch.multiple(aggregation, LEAST_SPAN=span, ROWS_PER_SPAN=0):
        found = [*aggregation.along_tree(updates, parts, climbs.joins)]
    leaves = []
    for shard, (places, weights) in zip(some, parts, strict=True):
        total = aggregation.Accumulator(ITEMS, WIDTH)
        for place, weight in zip(places.tolist(), weights.tolist(), strict=True):
            total.add(updates[place], weight)
        leaves.append(Partial(0, shard, *total.drained()))
    expected = {(one.level, one.index): one for one in joined(leaves, mine, shards)}
    assert sorted(climbs.branches) == sorted(expected)
    for branch, its in zip(climbs.branches, found, strict=True):
        assert written(Partial(*branch, *its)) == written(expected[branch])


def test_nothing_adds_up_to_nothing():
    assert joined([], range(4), 4) == []
