"""Objects as JSON and arrays: nothing changes on the way, one thing stays one, strangers are refused."""

import json
from collections import Counter, deque
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config.system import SgdServer
from fedras_ray.errors import SnapshotError
from fedras_ray.records import Fate
from fedras_ray.server.downlink import Delivery
from fedras_ray.server.eras import Era
from fedras_ray.server.optimizers import Sgd
from fedras_ray.server.schedules import Round
from fedras_ray.server.tally import Tally
from fedras_ray.snapshots.graph import image, value_of
from fedras_ray.snapshots.kinds import DECLARED, kept
from fedras_ray.streams import Purpose, stream

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=9)
    | st.sampled_from(Fate)
    | st.builds(Delivery, st.integers(), st.integers())
)
KEYS = st.integers() | st.text() | st.tuples(st.integers(), st.sampled_from(Fate))
GRAPHS = st.recursive(
    LEAVES,
    lambda each: (
        st.lists(each)
        | st.tuples(each, each)
        | st.dictionaries(KEYS, each)
        | st.builds(deque, st.lists(each))
        | st.builds(Counter, st.lists(st.integers()))
    ),
    max_leaves=20,
)


def back(value, there=None):
    """What a value is after it was text and arrays."""
    found = image(value)
    return value_of(json.loads(json.dumps(found.tree)), found.arrays, there)


@given(GRAPHS)
def test_everything_comes_back_with_its_type(value):
    found = back(value)
    assert found == value
    assert repr(found) == repr(value)  # the order in dicts, the kind of every number


def test_a_set_comes_back():
    assert back({8, 0, -3}) == {8, 0, -3}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.int64, np.bool_])
def test_arrays_are_copies_with_their_type_and_shape(dtype):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    found = image({"array": array[:, ::2]})
    expected = array[:, ::2].copy()
    array[:] = 0
    after = value_of(found.tree, found.arrays)["array"]
    assert after.dtype == dtype
    assert np.array_equal(after, expected)


def test_what_was_one_thing_stays_one():
    array, one = np.ones(3), Round(number=4)
    found = back([one, {"again": one}, array, (array, [array])])
    assert found[0] is found[1]["again"]
    assert found[2] is found[3][0] is found[3][1][0]
    assert len(image([array, array]).arrays) == 1


def test_equal_things_stay_two():
    first, second = back([Round(), Round()])
    assert first is not second


def test_a_value_is_made_as_its_class_makes_it():
    era = Era(np.zeros((2, 3), np.float32), 7)
    found = back(era)
    assert (found.start, found.blob, found.end, found.axes) == (7, b"", None, None)


def test_the_state_of_a_part_is_put_back_into_the_part_that_is_there():
    tally, there = Tally(up=3, down=4), Tally()
    assert back(tally, there) is there
    assert there == tally


def test_a_stream_goes_on_where_it_was():
    one = stream(1, Purpose.SELECTION)
    one.random(5)
    after = back(one)
    assert np.array_equal(after.random(9), one.random(9))


def test_a_stranger_is_refused_by_name_and_told_what_to_do():
    @dataclass
    class Stranger:
        x: int = 1

    with pytest.raises(SnapshotError, match=r"test_graph.*Stranger is met .* not declared: put @kept\(\)"):
        image({"deep": [Stranger()]})


def test_an_undeclared_enum_is_a_stranger_too():
    class Colour(Enum):
        RED = 1

    with pytest.raises(SnapshotError, match="Colour"):
        image(Colour.RED)


def test_an_array_of_objects_is_refused():
    with pytest.raises(SnapshotError, match="an array of object"):
        image(np.array([{}, []], dtype=object))


def test_a_part_of_another_class_is_refused():
    with pytest.raises(SnapshotError, match="the state of a Tally does not fit"):
        back(Tally(), Round())


def test_parts_are_put_back_only_into_something():
    with pytest.raises(SnapshotError, match="the state of a Sgd does not fit NoneType"):
        back(Sgd(SgdServer()))


@pytest.mark.parametrize(
    "tree",
    [
        ["?", 1],
        ["n", "<f4,(", 1],
        ["n", "|O", 1],
        ["n", "<i1", 10**30],
        ["e", "Fate", 99],
        ["v", "Nobody"],
        ["v", "Delivery", 1],
        ["a", 7],
        ["r", 3],
        ["p", "Round"],
        [],
    ],
)
def test_a_tree_that_fits_nothing_is_an_error_of_ours(tree):
    with pytest.raises(SnapshotError):
        value_of(tree, [])


def test_a_name_stands_for_one_class():
    class Round:
        pass

    Round.__qualname__ = "Round"
    with pytest.raises(TypeError, match="two classes are kept as Round"):
        kept()(Round)
    assert DECLARED["Round"].cls is not Round
