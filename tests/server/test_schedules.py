"""When clients are asked and versions are made, as tables; and who is in which tier."""

import numpy as np
import pytest

from fedras_ray.config.schedule import (
    AsyncSchedule,
    BufferedSchedule,
    DeadlineSchedule,
    OverSelectionSchedule,
    SyncSchedule,
    TieredSchedule,
)
from fedras_ray.fleet.profiles import Fleet
from fedras_ray.server.schedules import Round, most_at_once, ready, tier_factor, tiers, wanted

SYNC = SyncSchedule(clients_per_version=5)
DEADLINE = DeadlineSchedule(kind="sync-deadline", clients_per_version=5)
OVER = OverSelectionSchedule(kind="over-selection", clients_per_version=5, extra=0.3)
BUFFERED = BufferedSchedule(kind="buffered", concurrency=5, buffer=3)
ASYNC = AsyncSchedule(kind="async", concurrency=5)
TIERED = TieredSchedule(kind="tiered", clients_per_version=5)
ROUNDS = [SYNC, DEADLINE, OVER, TIERED]


@pytest.mark.parametrize("schedule", ROUNDS)
@pytest.mark.parametrize(
    ("under_way", "out", "late", "arrived", "again"),
    [
        (False, 0, 0, 0, True),
        (False, 0, 3, 2, True),  # late ones neither hold a new round up nor count in it
        (True, 5, 0, 0, False),
        (True, 1, 0, 4, False),
        (True, 0, 0, 5, False),  # a version comes first
        (True, 0, 2, 0, True),  # everyone left
    ],
)
def test_a_round_is_asked_for_when_none_is_under_way_or_all_have_left(
    schedule, under_way, out, late, arrived, again
):
    count = wanted(schedule, Round(under_way=under_way, out=out, late=late), arrived)
    assert count == (most_at_once(schedule) if again else 0)
    assert most_at_once(schedule) == (7 if schedule is OVER else 5)


@pytest.mark.parametrize("schedule", [BUFFERED, ASYNC])
def test_without_rounds_whoever_is_missing_is_asked_for(schedule):
    assert [wanted(schedule, Round(out=out), 2) for out in (0, 1, 5)] == [5, 4, 0]


@pytest.mark.parametrize(
    ("schedule", "out", "due", "arrived", "expected"),
    [
        (SYNC, 1, False, 4, False),
        (SYNC, 0, False, 5, True),
        (SYNC, 0, False, 1, True),  # four have left
        (SYNC, 0, False, 0, False),
        (DEADLINE, 1, False, 4, False),
        (DEADLINE, 1, True, 4, True),
        (DEADLINE, 5, True, 0, False),  # waits for the first
        (DEADLINE, 0, False, 3, True),
        (OVER, 3, False, 4, False),
        (OVER, 2, False, 5, True),
        (OVER, 0, False, 4, True),
        (BUFFERED, 3, False, 2, False),
        (BUFFERED, 0, False, 2, False),
        (BUFFERED, 2, False, 3, True),
        (ASYNC, 4, False, 1, True),
        (ASYNC, 5, False, 0, False),
        (TIERED, 1, False, 4, False),
        (TIERED, 0, False, 5, True),
    ],
)
def test_when_the_next_version_is_made(schedule, out, due, arrived, expected):
    assert ready(schedule, Round(under_way=True, out=out, due=due), arrived) is expected


def test_who_is_out_when_a_round_closes_is_late_in_the_next():
    now = Round()
    now.begin(5)
    for _ in range(3):
        now.back(0)
    now.close()
    assert (now.number, now.out, now.late, now.under_way) == (1, 0, 2, False)
    now.begin(5)
    now.back(0)
    now.back(1)
    assert (now.out, now.late, now.at_work) == (4, 1, 5)


def test_a_round_that_is_begun_again_has_a_number_of_its_own():
    now = Round()
    now.begin(1)
    now.back(0)
    now.begin(1)
    assert (now.number, now.out, now.late) == (1, 1, 0)


def test_tiers_are_equal_parts_the_fastest_first():
    count = 30
    slow = np.random.default_rng(1).permutation(count) + 1.0
    fast = np.full(count, 1e9)
    fleet = Fleet(slow, fast, fast.copy(), np.zeros(count), np.zeros(count, np.int8), ("all",))
    found = tiers(TIERED, fleet, np.full(count, 1_000))
    assert np.bincount(found).tolist() == [10, 10, 10]
    assert (np.diff(found[np.argsort(slow)]) >= 0).all()
    assert tiers(SYNC, fleet, np.full(count, 1_000)).max() == 0


def test_a_tier_weighs_as_its_counterpart_was_heard():
    heard = np.array([60, 30, 10])
    factors = [tier_factor(TIERED, heard, tier) for tier in range(3)]
    assert factors == pytest.approx([0.3, 0.9, 1.8])
    equal = TieredSchedule(kind="tiered", balance="equal")
    assert [tier_factor(one, heard, 2) for one in (equal, SYNC)] == [1, 1]
    assert tier_factor(TIERED, np.array([4, 4, 4]), 1) == 1
