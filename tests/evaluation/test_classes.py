"""Device classes of a run, counted by hand on a few turns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.evaluation.classes import (
    UNKNOWN,
    Turns,
    by_class,
    known_classes,
    turns_per_class,
    turns_per_client,
)


def turns(rows, names=("fast", "slow")):
    """From (client, class, used, K, up, down, seconds)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    whole = [np.array(column, dtype=np.int64) for column in columns[:6]]
    seconds = np.array(columns[6], dtype=np.float64)
    return Turns(whole[0], whole[1], names, whole[2].astype(bool), whole[3], whole[4], whole[5], seconds)


FEW = turns(
    [
        (0, 0, True, 16, 100, 1000, 1.0),
        (0, 0, True, 8, 300, 1000, 2.0),
        (3, 0, False, 16, 200, 4000, 3.0),
        (1, 1, False, 2, 50, 500, 40.0),
    ]
)


def test_every_number_of_a_class():
    quality = {"ndcg@10": np.array([0.4, 0.1, 0.3, 0.9])}
    fast, slow, nobody = by_class(FEW, 6, np.array([0, 1, 3, 5]), quality)
    assert (fast.name, fast.clients, fast.turns, fast.used, fast.wasted) == ("fast", 2, 3, 2, 1)
    assert (fast.median_actions, fast.up_bytes_per_turn, fast.down_bytes_per_turn) == (16, 200, 2000)
    assert (fast.median_turn_seconds, fast.p95_turn_seconds) == (2.0, pytest.approx(2.9))
    assert (fast.users, fast.quality) == (2, {"ndcg@10": pytest.approx(0.35)})
    assert (slow.turns, slow.used, slow.wasted, slow.users) == (1, 0, 1, 1)
    assert (nobody.name, nobody.clients, nobody.turns, nobody.users) == (None, 0, 0, 1)
    assert nobody.quality == {"ndcg@10": 0.9}
    assert nobody.median_actions is nobody.up_bytes_per_turn is nobody.p95_turn_seconds is None


def test_where_everyone_was_asked_nobody_is_unknown():
    classes = by_class(turns([(0, 0, True, 0, 1, 1, 1.0)]), 1, np.array([0]), {"r": np.array([1.0])})
    assert [one.name for one in classes] == ["fast", "slow"]
    assert classes[1].quality == {}


def test_a_turn_that_never_arrived_has_no_time():
    (fast, *_) = by_class(
        turns([(0, 0, True, 1, 1, 1, 2.0), (0, 0, False, 1, 1, 1, np.nan)]),
        1,
        np.array([], dtype=np.int64),
        {},
    )
    assert (fast.turns, fast.median_turn_seconds, fast.p95_turn_seconds) == (2, 2.0, 2.0)


def test_participation_counts_clients_that_had_none():
    assert turns_per_client(FEW, 6).tolist() == [2, 1, 0, 1, 0, 0]
    assert turns_per_class(FEW).tolist() == [1.5, 1.0]
    assert known_classes(FEW, 5).tolist() == [0, 1, UNKNOWN, 0, UNKNOWN]


def test_no_turns_at_all():
    empty = turns([], names=())
    assert turns_per_client(empty, 3).tolist() == [0, 0, 0]
    (nobody,) = by_class(empty, 3, np.array([1]), {"r": np.array([0.5])})
    assert (nobody.name, nobody.users, nobody.quality) == (None, 1, {"r": 0.5})


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="client 3 is not one of 3"):
        known_classes(FEW, 3)
    with pytest.raises(ValueError, match="differ in length"):
        Turns(
            FEW.client[:2],
            FEW.device_class,
            (),
            FEW.used,
            FEW.actions,
            FEW.up_bytes,
            FEW.down_bytes,
            FEW.turn_s,
        )


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 9)), max_size=80))
def test_every_turn_and_every_user_is_in_exactly_one_class(drawn):
    made = turns([(client, client % 2, used, k, 10, 20, 1.0) for client, used, k in drawn])
    users = np.arange(31)
    quality = {"r": np.linspace(0, 1, 31)}
    found = by_class(made, 31, users, quality)
    assert sum(one.turns for one in found) == len(drawn)
    assert sum(one.used for one in found) == sum(used for _, used, _ in drawn)
    assert sum(one.users for one in found) == 31
    whole = sum(one.quality["r"] * one.users for one in found if one.users)
    assert whole == pytest.approx(quality["r"].sum())
