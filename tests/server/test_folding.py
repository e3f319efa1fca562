"""Sums along the tree of shards: the same bits wherever the shards are, and the sum that is meant."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.server.folding import Partial, joined

ITEMS, WIDTH = 5, 2
VALUES = st.floats(-1e6, 1e6, width=32)
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


def test_nothing_adds_up_to_nothing():
    assert joined([], range(4), 4) == []
