"""The opening of a run: who is shown on which row, and up to when all of it is known."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.opening import ROWS, TURNS, opening

S = 10**9


def table(turns):
    """Turns from (client, dispatch, start, trained, arrival, fate), times in seconds or None."""
    names = ("dispatched_at_ns", "started_at_ns", "trained_at_ns", "arrived_at_ns")
    rows = [
        {"client": client, "device_class": "phone", "fate": fate}
        | {name: None if at is None else round(at * S) for name, at in zip(names, times, strict=True)}
        for client, *times, fate in turns
    ]
    columns = {name: pa.int64() for name in ("client", *names)}
    schema = pa.schema([*columns.items(), ("device_class", pa.string()), ("fate", pa.string())])
    return pa.Table.from_pylist(rows, schema=schema)


def versions(at_s):
    times = pa.array([round(at * S) for at in at_s], pa.int64())
    return pa.table({"version": pa.array(range(1, len(at_s) + 1), pa.int64()), "at_ns": times})


def synchronous(clients, rounds, straggler_s=20.0):
    """Every round the last client is a straggler; the next round begins when it is back."""
    turns, at, made = [], 0.0, []
    for _ in range(rounds):
        for client in range(clients):
            long = straggler_s if client == clients - 1 else 1.0 + client / clients
            turns.append((client, at, at + 0.2 * long, at + 0.5 * long, at + long, "used"))
        at += straggler_s
        made.append(at)
    return table(turns), versions(made)


def test_who_waits_and_who_is_waited_for_can_be_seen_in_every_round():
    found = opening(*synchronous(clients=100, rounds=4))
    assert (found.rows, found.places) == (ROWS, 100)
    last = [turn for turn in found.turns if turn.row == ROWS - 1]
    assert [turn.client for turn in last] == [99] * 4
    assert [turn.times_s[3] for turn in last] == [20, 40, 60, 80]
    first = [turn for turn in found.turns if turn.row == 0]
    assert [turn.client for turn in first] == [0] * 4
    assert found.limit_s == found.wish_s == 80


def test_a_place_is_taken_again_as_soon_as_it_is_free():
    turns = [
        (1, 0, 1, 2, 3, "used"),
        (2, 0, 1, 2, 9, "used"),
        (3, 3, 4, 5, 6, "wasted"),
        (4, 4, 5, 6, 8, "used"),
    ]
    found = opening(table(turns), versions([3, 9]))
    assert [(turn.client, turn.row, turn.fate) for turn in found.turns] == [
        (1, 0, "used"), (2, 1, "used"), (3, 0, "wasted"), (4, 2, "used"),
    ]  # fmt: skip
    assert found.versions == ((1, 3.0), (2, 9.0))


@pytest.mark.parametrize(
    ("times", "filled"),
    [
        ((0, 1, None, 5), (0, 1, 5, 5)),  # it stopped in training
        ((0, None, None, 5), (0, 5, 5, 5)),
        ((0, 1, 2, None), (0, 1, 2, 2)),  # it never arrived
        ((7, None, None, None), (7, 7, 7, 7)),
    ],
)
def test_a_step_that_never_came_lasts_until_the_next_that_did(times, filled):
    assert opening(table([(0, *times, "lost")]), versions([])).turns[0].times_s == filled


@given(
    st.lists(st.tuples(st.integers(0, 200), st.floats(0, 50), st.floats(0.001, 30)), min_size=1, max_size=200)
)
def test_turns_of_a_row_never_overlap_and_there_are_no_more_than_said(drawn):
    made = [(client, at, at, at + long, at + long, "used") for client, at, long in drawn]
    found = opening(table(made), versions([10, 20]))
    assert {turn.row for turn in found.turns} == set(range(found.rows))
    assert found.rows <= min(ROWS, found.places)
    ends = dict.fromkeys(range(found.rows), -1.0)
    for turn in found.turns:
        assert turn.times_s[0] >= ends[turn.row]
        assert list(turn.times_s) == sorted(turn.times_s)
        ends[turn.row] = turn.times_s[3]


def test_up_to_the_limit_nothing_of_a_row_is_missing():
    rng = np.random.default_rng(3)
    made = [(client, 0, 0, 1, 1 + long, "used") for client, long in enumerate(rng.exponential(3, 60))]
    for turn in range(3_000):
        ends = made[turn][4]
        made.append((100 + turn, ends, ends, ends + 1, ends + 1 + rng.exponential(3), "used"))
    found = opening(table(made), versions(np.linspace(1, 200, 400)))
    assert len(found.turns) == TURNS
    gaps = 0.0
    for row in range(found.rows):
        own = [turn.times_s for turn in found.turns if turn.row == row]
        gaps += sum(after[0] - before[3] for before, after in pairwise(own))
        assert own[-1][3] >= found.limit_s
    assert gaps == pytest.approx(0)


def test_of_a_crowd_every_so_many_th_client_is_looked_at():
    clients = 50_000
    at = np.zeros(clients)
    long = 1 + np.arange(clients) % 97
    turns = pa.table(
        {
            "client": pa.array(range(clients), pa.int64()),
            "device_class": pa.array(["phone"] * clients),
            "fate": pa.array(["used"] * clients),
            "dispatched_at_ns": pa.array(at.astype(np.int64)),
            "started_at_ns": pa.array((at + long * S // 3).astype(np.int64)),
            "trained_at_ns": pa.array((at + long * S // 2).astype(np.int64)),
            "arrived_at_ns": pa.array((at + long * S).astype(np.int64)),
        }
    )
    found = opening(turns, versions([97]))
    assert found.every == 3
    assert all(turn.client % 3 == 0 for turn in found.turns)
    assert {turn.times_s[3] for turn in found.turns} >= {1.0, 97.0}


def test_nothing_is_nothing():
    found = opening(table([]), versions([]))
    assert (found.turns, found.rows, found.places) == ((), 0, 0)
