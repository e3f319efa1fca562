"""Records in a row: what is told of turns as numbers is what was said of them."""

import pickle
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.records import Fate, TurnRecord, VersionRecord
from fedras_ray.stretches import DEVICE_CLASS, FATE, FIELDS, Stretch

CLASSES = ("fast", "slow")
NUMBER = st.integers(0, 2**62)
ROW = st.tuples(*[NUMBER] * len(FIELDS)).map(
    lambda row: tuple(
        value % (len(CLASSES) if place == DEVICE_CLASS else len(Fate) if place == FATE else 2**63)
        for place, value in enumerate(row)
    )
)
SAID = st.lists(ROW | st.builds(VersionRecord, *[NUMBER] * len(VersionRecord.__slots__)), max_size=8)


def told(said):
    stretch = Stretch(CLASSES)
    for one in said:
        if isinstance(one, tuple):
            stretch.rows.append(one)
        else:
            stretch.say(one)
    return stretch


def record_of(row):
    values = list(row)
    values[DEVICE_CLASS], values[FATE] = CLASSES[row[DEVICE_CLASS]], Fate(row[FATE])
    return TurnRecord(*values)


@given(SAID)
def test_everything_is_told_in_order_here_and_elsewhere(said):
    expected = [record_of(one) if isinstance(one, tuple) else one for one in said]
    stretch = told(said)
    elsewhere = pickle.loads(pickle.dumps(stretch))
    assert list(stretch) == list(elsewhere) == expected
    assert len(stretch) == len(elsewhere) == len(said)
    assert (elsewhere.table() == stretch.table()).all()
    assert all(type(value) in (int, str, Fate) for turn in elsewhere if not isinstance(turn, VersionRecord)
               for value in astuple(turn))  # fmt: skip


@given(SAID, SAID)
def test_what_came_from_elsewhere_can_go_on(first, then):
    stretch = pickle.loads(pickle.dumps(told(first)))
    for one in then:
        if isinstance(one, tuple):
            stretch.rows.append(one)
        else:
            stretch.say(one)
    assert list(stretch) == list(told([*first, *then]))


def test_a_class_that_nobody_named_is_refused():
    row = [0] * len(FIELDS)
    row[DEVICE_CLASS] = 2
    with pytest.raises(IndexError):
        list(told([tuple(row)]))


@given(st.lists(SAID, min_size=1, max_size=4))
def test_several_in_a_row_say_what_one_says(some):
    joined = Stretch.joined([told(said) for said in some])
    assert list(joined) == list(told([one for said in some for one in said]))
    assert len(joined) == sum(map(len, some))
