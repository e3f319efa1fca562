"""Rounds of three clients, event by event, as anyone can work them out with `traces.DEVICES` on paper.

`sync`, `sync-deadline`, `over-selection` and `tiered`; a line is a second, what happens, to which client
(–: the server), with which version, and the bytes of the message.
"""

import pytest

from tests.simulation.traces import DEVICES, RATINGS, fates, happens, in_order, later, plain_world, table

FIRST_ROUND = """
    0  dispatched  0  0  50
    0  dispatched  1  0  50
    0  dispatched  2  0  50
    4  trained     0  0  50   # 2 + 2
    6  arrived     0  0  50   # 4 + 2
    9  trained     1  0  50   # 5 + 4
   14  arrived     1  0  50   # 9 + 5
   19  trained     2  0  50   # 10 + 9
   29  arrived     2  0  50   # 19 + 10
   29  version     –  1   0
"""


def test_a_round_waits_for_the_slowest(tmp_path):
    experiment, dataset = plain_world(tmp_path, "schedule.versions=20", "schedule.clients_per_version=3")
    events, turns = happens(experiment, dataset)
    expected = [event for number in range(20) for event in later(table(FIRST_ROUND), 29 * number, number)]
    assert len(expected) == 200  # every round is like the first
    assert in_order(events) == expected
    assert {(fate, staleness) for _, _, fate, staleness in fates(turns)} == {("used", 0)}


DEADLINE = """
    0  dispatched  0  0  50   # a round until 10 s, if not all are there before
    0  dispatched  1  0  50
    0  dispatched  2  0  50
    4  trained     0  0  50
    6  arrived     0  0  50
    9  trained     1  0  50
   10  due         –  0   0
   10  version     –  1   0   # of client 0 alone
   10  dispatched  0  1  50   # nobody else is idle; a round until 20 s
   14  arrived     1  0  50   # late by one version
   14  trained     0  1  50   # 10 + 4
   16  arrived     0  1  50   # 10 + 6: all of this round are there, so nobody waits for 20 s
   16  version     –  2   0
   16  dispatched  0  2  50   # a round until 26 s
   16  dispatched  1  2  50
   19  trained     2  0  50
   20  trained     0  2  50   # 16 + 4
   22  arrived     0  2  50   # 16 + 6
   25  trained     1  2  50   # 16 + 9
   26  due         –  2   0
   26  version     –  3   0
   26  dispatched  0  3  50   # a round until 36 s
   29  arrived     2  0  50   # late by three versions
   30  arrived     1  2  50   # 16 + 14, late by one
   30  trained     0  3  50
   32  arrived     0  3  50
   32  version     –  4   0
"""
DEADLINE_TURNS = [(0, 0, 0), (1, 0, 1), (0, 1, 0), (0, 2, 0), (2, 0, 3), (1, 2, 1), (0, 3, 0)]


@pytest.mark.parametrize(("late", "fate"), [("use", "used"), ("waste", "late")])
def test_a_deadline_ends_a_round_and_what_is_late_is_used_or_wasted(tmp_path, late, fate):
    settings = ["schedule.kind=sync-deadline", "schedule.versions=4", "schedule.clients_per_version=3"]
    settings += ["schedule.deadline_s=10", f"schedule.late={late}"]
    events, turns = happens(*plain_world(tmp_path, *settings))
    assert in_order(events) == table(DEADLINE)
    assert fates(turns) == [
        (client, version, fate if staleness else "used", staleness)
        for client, version, staleness in DEADLINE_TURNS
    ]


def test_a_deadline_by_which_nobody_is_there_waits_for_the_first(tmp_path):
    settings = ["schedule.kind=sync-deadline", "schedule.versions=1", "schedule.clients_per_version=3"]
    events, _ = happens(*plain_world(tmp_path, *settings, "schedule.deadline_s=5"))
    expected = """
        0  dispatched  0  0  50
        0  dispatched  1  0  50
        0  dispatched  2  0  50
        4  trained     0  0  50
        5  due         –  0   0   # and nothing to make a version of
        6  arrived     0  0  50
        6  version     –  1   0
        9  trained     1  0  50   # for nothing, but who has begun ends
       14  arrived     1  0  50
       19  trained     2  0  50
       29  arrived     2  0  50
    """
    assert in_order(events) == table(expected)


def test_over_selection_waits_for_two_of_three(tmp_path):
    settings = ["schedule.kind=over-selection", "schedule.versions=4", "schedule.clients_per_version=2"]
    events, turns = happens(*plain_world(tmp_path, *settings, "schedule.extra=0.5"))
    expected = """
        0  dispatched  0  0  50   # 2 · 1.5 are asked, two are waited for
        0  dispatched  1  0  50
        0  dispatched  2  0  50
        4  trained     0  0  50
        6  arrived     0  0  50
        9  trained     1  0  50
       14  arrived     1  0  50
       14  version     –  1   0
       14  dispatched  0  1  50   # three are wanted, two are idle
       14  dispatched  1  1  50
       18  trained     0  1  50   # 14 + 4
       19  trained     2  0  50
       20  arrived     0  1  50   # 14 + 6
       23  trained     1  1  50   # 14 + 9
       28  arrived     1  1  50   # 14 + 14
       28  version     –  2   0
       28  dispatched  0  2  50
       28  dispatched  1  2  50
       29  arrived     2  0  50   # of the round before the last: not used
       32  trained     0  2  50   # 28 + 4
       34  arrived     0  2  50   # 28 + 6
       37  trained     1  2  50   # 28 + 9
       42  arrived     1  2  50   # 28 + 14
       42  version     –  3   0
       42  dispatched  0  3  50
       42  dispatched  1  3  50
       42  dispatched  2  3  50
       46  trained     0  3  50   # 42 + 4
       48  arrived     0  3  50   # 42 + 6
       51  trained     1  3  50   # 42 + 9
       56  arrived     1  3  50   # 42 + 14
       56  version     –  4   0
       61  trained     2  3  50   # 42 + 19
       71  arrived     2  3  50   # 42 + 29, after the last version
    """
    assert in_order(events) == table(expected)
    not_used = [(client, version, fate) for client, version, fate, _ in fates(turns) if fate != "used"]
    assert not_used == [(2, 0, "late"), (2, 3, "wasted")]


def test_two_tiers_of_two_have_rounds_of_their_own(tmp_path):
    fourth = "quickest,0.75,50,50,0\n"  # 50 / 50 = 1, 2 samples · 0.75 = 1.5, 50 / 50 = 1: 3.5 s
    settings = ["schedule.kind=tiered", "schedule.tiers=2", "schedule.clients_per_version=2"]
    world = plain_world(
        tmp_path, *settings, "schedule.versions=6", devices=DEVICES + fourth, ratings=RATINGS + "3,a\n3,b\n"
    )
    events, turns = happens(*world)
    expected = """
        0    dispatched  0  0  50   # tier 0: clients 0 and 3, rounds of 6 s
        0    dispatched  1  0  50   # tier 1: clients 1 and 2, rounds of 29 s
        0    dispatched  2  0  50
        0    dispatched  3  0  50
        2.5  trained     3  0  50   # 1 + 1.5
        3.5  arrived     3  0  50
        4    trained     0  0  50
        6    arrived     0  0  50
        6    version     –  1   0   # of tier 0
        6    dispatched  0  1  50
        6    dispatched  3  1  50
        8.5  trained     3  1  50
        9    trained     1  0  50
        9.5  arrived     3  1  50
       10    trained     0  1  50
       12    arrived     0  1  50
       12    version     –  2   0   # of tier 0
       12    dispatched  0  2  50
       12    dispatched  3  2  50
       14    arrived     1  0  50   # waits for client 2
       14.5  trained     3  2  50
       15.5  arrived     3  2  50
       16    trained     0  2  50
       18    arrived     0  2  50
       18    version     –  3   0   # of tier 0
       18    dispatched  0  3  50
       18    dispatched  3  3  50
       19    trained     2  0  50
       20.5  trained     3  3  50
       21.5  arrived     3  3  50
       22    trained     0  3  50
       24    arrived     0  3  50
       24    version     –  4   0   # of tier 0
       24    dispatched  0  4  50
       24    dispatched  3  4  50
       26.5  trained     3  4  50
       27.5  arrived     3  4  50
       28    trained     0  4  50
       29    arrived     2  0  50
       29    version     –  5   0   # of tier 1
       29    dispatched  1  5  50
       29    dispatched  2  5  50
       30    arrived     0  4  50
       30    version     –  6   0   # of tier 0: the last
       38    trained     1  5  50   # 29 + 9
       43    arrived     1  5  50   # 29 + 14
       48    trained     2  5  50   # 29 + 19
       58    arrived     2  5  50   # 29 + 29
    """
    assert in_order(events) == table(expected)
    slow = [(turn.client, turn.version, turn.staleness) for turn in turns if turn.tier == 1]
    assert slow == [(1, 0, 2), (2, 0, 4), (1, 5, 1), (2, 5, 1)]  # versions of tier 0 that came between
