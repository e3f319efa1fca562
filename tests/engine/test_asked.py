"""Clients who are asked the same stand for as many who are asked one by one."""

import numpy as np
import pytest

from fedras_ray.asked import AskedAlike, columns
from fedras_ray.server.downlink import Delivery
from fedras_ray.server.pacing import Decision
from fedras_ray.work import NOT_GIVEN

DELIVERY = Delivery(3, 100, catch_up_bytes=7, state=2)


@pytest.mark.parametrize("decision", [Decision(2, 0.0), Decision(1, 2.5, actions=8, budget_bytes=999)])
@pytest.mark.parametrize("clients", [[], [4], [9, 2, 5]])
def test_columns_are_those_of_the_rows(clients, decision):
    turns = [one % 4 for one in clients]
    alike = AskedAlike(np.array(clients, np.int64), np.array(turns, np.int64), DELIVERY, decision)
    rows = [*alike]
    assert [(one.client, one.turn) for one in rows] == [*zip(clients, turns, strict=True)]
    assert all((one.rows, one.delivery, one.decision) == (None, DELIVERY, decision) for one in rows)
    assert alike[:2] == rows[:2]
    mine, theirs = columns(alike), columns(rows)
    for name in ("client", "turn", "epochs", "predicted_ns", "budget_bytes", "actions"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
        assert getattr(mine, name).dtype == getattr(theirs, name).dtype == np.int64
    assert mine.delivery.keys() == theirs.delivery.keys()
    for name, column in mine.delivery.items():
        np.testing.assert_array_equal(column, theirs.delivery[name])


def test_what_is_not_given_is_told_as_such():
    told = columns([*AskedAlike(np.array([1]), np.array([0]), DELIVERY, Decision(2, 1.5))])
    assert (told.budget_bytes.tolist(), told.actions.tolist()) == ([NOT_GIVEN], [NOT_GIVEN])
    assert (told.predicted_ns.tolist(), told.delivery["view"].tolist()) == ([1_500_000_000], [3])
