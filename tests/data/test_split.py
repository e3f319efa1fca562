"""Splits: every interaction on exactly one side, the last one last, the order of the source harmless."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedras_ray.config.data import LeaveLastOut, RatioSplit, TemporalSplit
from fedras_ray.data.histories import histories
from fedras_ray.data.ratings import RawRatings, number
from fedras_ray.data.split import leave_last_out, ratio, split, temporal
from fedras_ray.errors import DataError

LINES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9), st.integers(0, 30)), min_size=1, max_size=60)
SPLITS = st.sampled_from(
    [
        LeaveLastOut(),
        RatioSplit(kind="ratio", test_fraction=0.3),
        TemporalSplit(kind="temporal", test_fraction=0.3),
    ]
)


def raw(lines, timed=True):
    users, items, times = (np.array(column) for column in zip(*lines, strict=True))
    user_numbers, user_names = number(users)
    item_numbers, item_names = number(items)
    return RawRatings(user_numbers, item_numbers, user_names, item_names, None, times if timed else None)


def told(lines, timed=True):
    return histories(raw(lines, timed))


def pairs(interactions):
    return {
        (user, item) for user in range(interactions.user_count) for item in interactions.of(user).tolist()
    }


def digests(parts):
    return parts.train.digest(), parts.test.digest()


@given(LINES)
def test_histories_are_in_order_and_distinct(lines):
    told_ = told(lines)
    assert told_.times is not None
    for user in range(told_.user_count):
        times = told_.times[told_.offsets[user] : told_.offsets[user + 1]]
        assert (np.diff(times) >= 0).all()
        assert len(set(told_.of(user).tolist())) == len(told_.of(user))
    assert len(told_) == len({line[:2] for line in lines})


@settings(max_examples=60)
@given(LINES, SPLITS, st.integers(0, 3))
def test_every_interaction_is_on_exactly_one_side(lines, config, seed):
    told_ = told(lines)
    try:
        train, test = split(told_, config, seed)
    except DataError:  # all at one instant
        assert isinstance(config, TemporalSplit)
        return
    assert pairs(train) | pairs(test) == pairs(told_.interactions())
    assert len(train) + len(test) == len(told_)
    assert train.item_count == test.item_count == told_.item_count
    for side in (train, test):
        assert all((np.diff(side.of(user)) > 0).all() for user in range(side.user_count))


@given(LINES, st.sampled_from(["leave-last-out", "ratio"]))
def test_no_user_loses_all_training(lines, kind):
    told_ = told(lines)
    train, test = leave_last_out(told_) if kind == "leave-last-out" else ratio(told_, 0.9, 1)
    assert (train.counts() >= 1).all()
    if kind == "leave-last-out":
        np.testing.assert_array_equal(test.counts(), told_.interactions().counts() >= 2)


@given(LINES)
def test_the_last_one_out_is_the_last(lines):
    read = raw(lines)
    _, test = leave_last_out(histories(read))
    for user in range(test.user_count):
        mine = [(lines[row][2], row) for row in np.flatnonzero(read.users == user)]
        last = int(read.items[max(mine)[1]])  # the latest, and of equals the later in the source
        assert test.of(user).tolist() in ([], [last])


def test_without_times_the_source_is_the_order():
    lines = [(1, 5, 0), (2, 5, 0), (1, 7, 0), (1, 6, 0), (1, 7, 0)]
    _, test = leave_last_out(told(lines, timed=False))
    assert test.of(0).tolist() == [2]  # item 7, met again at the end
    assert test.of(1).tolist() == []  # one interaction stays in train


def test_a_repeat_counts_once_at_its_latest():
    told_ = told([(0, 1, 10), (0, 2, 20), (0, 1, 30)])
    assert told_.of(0).tolist() == [1, 0]
    assert told_.times.tolist() == [20, 30]


@settings(max_examples=40)
@given(LINES, st.randoms(use_true_random=False), SPLITS, st.integers(0, 3))
def test_the_order_of_the_source_does_not_matter(lines, chance, config, seed):
    lines = [(user, item, 100 * time + row) for row, (user, item, time) in enumerate(lines)]  # no equal times
    shuffled = lines[:]
    chance.shuffle(shuffled)
    try:
        expected = digests(split(told(lines), config, seed))
    except DataError:
        assert len({line[:2] for line in lines}) * 0.3 < 1  # less than one for the test
        return
    assert digests(split(told(shuffled), config, seed)) == expected


def test_ratio_takes_the_share_and_depends_on_the_seed():
    lines = [(user, item, 0) for user in range(50) for item in range(10)]
    train, test = ratio(told(lines), 0.25, 1)
    assert test.counts().tolist() == [3] * 50  # 2.5, halves up
    assert train.counts().tolist() == [7] * 50
    assert ratio(told(lines), 0.25, 1).test.digest() == test.digest()
    assert ratio(told(lines), 0.25, 2).test.digest() != test.digest()
    assert test.popularity().min() > 5  # no item is favoured: 15 each are expected


def test_ratio_of_one_user_does_not_depend_on_the_others():
    lines = [(0, item, 0) for item in range(10)]
    others = [(1, item, 0) for item in range(10)]
    assert (
        ratio(told(lines), 0.5, 1).test.of(0).tolist()
        == ratio(told(lines + others), 0.5, 1).test.of(0).tolist()
    )


def test_temporal_cuts_once_for_everyone():
    lines = [(user, 10 * user + step, step) for user in range(3) for step in range(10)]
    lines += [(3, 40, 9), (3, 41, 9)]
    train, test = temporal(told(lines), 0.2)
    assert test.counts().tolist() == [1, 1, 1, 2]  # the nines; with the eights it would be more than a fifth
    assert train.counts().tolist() == [9, 9, 9, 0]  # who came later has nothing to train on


@given(LINES, st.sampled_from([0.1, 0.5, 0.9]))
def test_temporal_takes_at_most_the_share(lines, fraction):
    told_ = told(lines)
    try:
        test = temporal(told_, fraction).test
    except DataError:
        return
    assert len(test) <= fraction * len(told_) + 1e-9


def test_temporal_needs_times_that_differ():
    with pytest.raises(DataError, match="needs timestamps"):
        temporal(told([(0, 1, 1), (0, 2, 2)], timed=False), 0.5)
    with pytest.raises(DataError, match="no interaction is later"):
        temporal(told([(0, 1, 1), (0, 2, 1)]), 0.5)


def test_rows_are_sorted_in_slices(monkeypatch):
    monkeypatch.setattr("fedras_ray.data.histories._SLICE", 3)
    lines = [(user, 9 - item, item) for user in range(8) for item in range(user % 5 + 1)]
    for user in range(8):
        assert told(lines).interactions().of(user).tolist() == sorted(told(lines).of(user).tolist())
