"""What coordinator and pools say to each other comes out as it went in, and leaves Ray nothing to pickle."""

import numpy as np
import pytest
import ray

from actors import messages
from fedras_ray.server.folding import Partial, Share, Shares
from fedras_ray.site import Rounded
from fedras_ray.work import PACE, Assignment, Assignments, Receipt, Receipts, Round

WORK = {
    2: Assignments.of([Assignment(2, 0, 5, 5, None), Assignment(10, 3, 5, 4, 1_000, 2, 16)]),
    3: Assignments.of([Assignment(3, 1, 5, 5, None)]),
}
RECEIPTS = Receipts.of([Receipt(2, 700, 30, 90, 3_900, 0.25, 16), Receipt(10, 9, 1, 2, 3, 0.5, 0, True, 4.0)])
IDS, ROWS = np.array([4, 7], np.int32), np.arange(6, dtype=np.float32).reshape(2, 3)
SUMS = [Partial(1, 1, IDS, ROWS, IDS), Partial(0, 4, IDS[:0], ROWS[:0], IDS[:0])]
FIELDS = {Partial: ("level", "index", "ids", "rows", "counts")}


def plain(message):
    """The message, once nothing was found in it that Ray does not write down as it is."""
    if type(message) is list:
        for one in message:
            plain(one)
    else:
        assert type(message) in (bytes, int, float, str, bool, type(None)), message
    return message


def same(one, other):
    """Of numbers, arrays, and what holds them."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes() and one.shape == other.shape
    if isinstance(one, dict):
        return [*one] == [*other] and all(map(same, one.values(), other.values()))
    if isinstance(one, Assignments | Receipts):
        return [*one] == [*other]
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if type(one) in FIELDS:
        return all(same(getattr(one, name), getattr(other, name)) for name in FIELDS[type(one)])
    return one == other


def test_turns_and_what_came_of_them():
    message = plain(messages.orders(WORK))
    assert same(messages.ordered(message), WORK)
    assert messages.clients(message) == [2, 10, 3]
    assert same(messages.answered(plain(messages.answers(RECEIPTS))), RECEIPTS)


def test_rounds_and_what_they_came_to():
    pace = np.array([(2**62 + 1, 0.1, 1e6, 0.7), (3, 0.2, 5e5, 1.0)], PACE)
    work = {2: Round(WORK[2], pace), 3: Round(WORK[3], pace[:1])}
    message = plain(messages.rounds(work))
    assert same(messages.told_rounds(message), work)
    assert messages.clients(message) == [2, 10, 3]
    rounded = Rounded(RECEIPTS, SUMS)
    for state in (None, b"a state"):
        found, along = messages.round_answered(plain(messages.round_answers(rounded, state)))
        assert same(found, rounded)
        assert along == state


def test_shares_and_sums():
    shares = {4: Shares.of([Share(4, 1, 0.3), Share(12, 0, 1.5)]), 5: Shares.of([])}
    assert same(messages.shared(plain(messages.shares(shares))), shares)
    gone = {4: [(4, 1), (12, 0)], 6: []}
    assert same(messages.went(plain(messages.gone(gone))), gone)
    assert same(messages.summed(plain(messages.sums(SUMS))), SUMS)


def test_a_table_goes_with_the_call_where_it_is_small_and_pools_are_few(monkeypatch):
    put = []
    monkeypatch.setattr(ray, "put", lambda table: put.append(table) or "stored")
    table = np.arange(60, dtype=np.float32).reshape(20, 3)
    one = messages.Published(table)
    assert same(messages.heard(plain(one.given(2, 0)), 3), table)
    assert put == []
    assert one.given(messages.FEW_POOLS + 1, 0) == one.given(2, 1) == "stored"
    assert len(put) == 1, "it is stored once"
    monkeypatch.setenv("RAY_max_direct_call_object_size", "200")
    large = messages.Published(table)
    assert large.given(2, 0) == "stored"
    assert large.octets is None
    assert same(messages.heard(table, 3), table), "what comes from the store is an array already"


@pytest.mark.parametrize("message", [[1, [b"x"], {}], [np.int64(3)], (1, 2)])
def test_what_ray_would_pickle_is_found(message):
    with pytest.raises(AssertionError):
        plain(message)
