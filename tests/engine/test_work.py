"""Many rows as columns are the same rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.work import PACE, Assignment, Assignments, Receipt, Receipts, Round

whole = st.integers(0, 2**53)
limit = st.none() | st.integers(0, 2**40)
assignments = st.lists(st.builds(Assignment, whole, whole, whole, whole, limit, whole, limit), max_size=9)
real = st.floats(allow_nan=False)
receipts = st.lists(
    st.builds(Receipt, whole, whole, whole, whole, whole, real, whole, st.booleans(), real), max_size=9
)


@given(assignments)
def test_assignments_come_back(some):
    columns = Assignments.of(some)
    assert [*columns] == some
    assert [columns[place] for place in range(len(columns))] == some
    assert [*columns[1:3]] == some[1:3]
    assert columns.names() == [(one.client, one.turn) for one in some]
    assert columns.limits("actions") == [one.actions for one in some]


@given(receipts, st.integers(0, 9))
def test_receipts_come_back_in_parts_too(some, cut):
    columns = Receipts.of(some)
    assert [*columns] == some
    assert [columns[place] for place in range(len(columns))] == some
    assert [*Receipts.joined([columns[:cut], columns[cut:]])] == some
    assert columns.column("byte_count").tolist() == [one.byte_count for one in some]


@given(st.lists(st.integers(0, 99), unique=True, max_size=12), st.integers(1, 5))
def test_by_shard_in_order(clients, shards):
    some = Assignments.of(Assignment(client, 0, 0, 0, None) for client in clients)
    pace = np.zeros(len(clients), PACE)
    pace["weight"] = clients
    parts = Round(some, pace).by_shard(shards)
    found = {shard: part.assignments.column("client").tolist() for shard, part in parts.items()}
    assert all(part.pace["weight"].tolist() == found[shard] for shard, part in parts.items())
    expected = {shard: [one for one in clients if one % shards == shard] for shard in range(shards)}
    assert found == {shard: mine for shard, mine in expected.items() if mine}
    assert list(found) == sorted(found)


@given(st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=12), st.randoms())
def test_receipts_of_clients_in_their_order(clients, random):
    mixed = random.sample(clients, len(clients))
    told = Receipts.of(Receipt(client, client + 1, 0, 0, 0, 0.5 * client, 0) for client in mixed)
    found = told.of_clients(np.array(clients))
    assert [(one.client, one.byte_count, one.loss) for one in found] == [
        (client, client + 1, 0.5 * client) for client in clients
    ]


@pytest.mark.parametrize("missing", [0, 3, 9])
def test_a_client_without_a_receipt_is_an_error(missing):
    told = Receipts.of(Receipt(client, 1, 0, 0, 0, 0.0, 0) for client in (2, 5))
    with pytest.raises(ValueError, match="has no receipt"):
        told.of_clients(np.array([2, missing]))
