"""Some of the scenarios of ``make chaos``: whatever is killed, the result is the undisturbed run's.

Pools that are killed alone, or hang, are under `tests/actors/test_going_on.py`; here they go with their node.
"""

import pytest

from tests.chaos.scenarios import COUNTED, Scenario, carried_out, undisturbed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("chaos")


@pytest.fixture(scope="module")
def whole(folder):
    return undisturbed(1, folder)


@pytest.mark.parametrize(
    "one",
    [
        Scenario(1, True, "driver", 1, 3, 0.0, "none"),
        Scenario(2, True, "driver", 1, 20, 0.1, "flipped"),
        pytest.param(Scenario(5, False, "node", 1, 5, 0.0, "none"), marks=pytest.mark.ray),
        pytest.param(Scenario(4, False, "coordinator", 1, 5, 0.0, "none"), marks=pytest.mark.ray),
    ],
    ids=lambda one: f"{one.victim}, {one.damage}, {'in one process' if one.serial else 'through Ray'}",
)
def test_a_killed_run_ends_as_the_undisturbed_one(one, whole, folder):
    summary, out = carried_out(one, folder)
    assert {key: summary[key] for key in COUNTED} == {key: whole[key] for key in COUNTED}
    expected = (folder / "whole 1" / "records.parquet").read_bytes()
    assert (out / "records.parquet").read_bytes() == expected
