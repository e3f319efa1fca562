"""Work in flight: what is computed together follows from the virtual schedule and the shards alone."""

from collections import defaultdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fedras_ray.flight import Flight
from fedras_ray.work import Assignment, Receipt, Receipts

SHARDS = 3


class Recorder:
    """An executor that computes nothing, and remembers what it was given and who waited."""

    def __init__(self):
        self.batches = []  # (shard, clients)
        self.waited = 0

    def train(self, work):
        self.batches += [(shard, [one.client for one in some]) for shard, some in work.items()]
        return [Promise(self, some) for some in work.values()]


class Promise:
    """Turns that are made when they are asked for: a batch that changes later would show."""

    def __init__(self, recorder, assignments):
        self.recorder, self.assignments = recorder, assignments

    def result(self):
        self.recorder.waited += 1
        return Receipts.of(Receipt(one.client, one.turn, 1, 1, 1, 0.0, 0) for one in self.assignments)


def order(client, turn=0):
    return Assignment(client, turn, version=0, view=0, budget_bytes=None)


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def flight(recorder):
    return Flight(recorder, SHARDS)


def begin(flight, *clients):
    for client in clients:
        flight.begin(order(client))


def test_a_turn_that_begins_waits(flight, recorder):
    begin(flight, 4, 0)
    assert recorder.batches == []
    assert flight.training(1) == [4]


def test_hand_over_gives_one_batch_per_shard_in_the_order_of_shards(flight, recorder):
    begin(flight, 5, 1, 9, 3, 7, 2)
    flight.hand_over()
    assert recorder.batches == [(0, [9, 3]), (1, [1, 7]), (2, [5, 2])]
    assert recorder.waited == 0


def test_a_shard_without_work_gets_no_batch(flight, recorder):
    begin(flight, 5, 2)
    flight.hand_over()
    flight.hand_over()
    assert recorder.batches == [(2, [5, 2])]


def test_finishing_a_client_that_waits_hands_over_everything_that_waits_first(flight, recorder):
    begin(flight, 5, 1, 9, 7)
    assert flight.finish(1).client == 1
    assert recorder.batches == [(0, [9]), (1, [1, 7]), (2, [5])]


def test_finishing_a_client_that_was_handed_over_leaves_what_waits_waiting(flight, recorder):
    begin(flight, 1, 4)
    flight.hand_over()
    begin(flight, 7, 0)
    assert [flight.finish(client).client for client in (4, 1)] == [4, 1]
    assert recorder.batches == [(1, [1, 4])]
    flight.finish(0)
    assert recorder.batches[1:] == [(0, [0]), (1, [7])]


def test_batches_are_fetched_in_the_order_of_hand_over_up_to_the_client_that_is_due(flight, recorder):
    begin(flight, 0, 1, 2)
    flight.finish(1)
    assert recorder.waited == 2
    flight.finish(2)
    assert recorder.waited == 3


def test_a_client_is_training_from_its_beginning_to_its_end_handed_over_or_not(flight):
    begin(flight, 7, 1, 4, 3)
    assert [flight.training(shard) for shard in range(SHARDS)] == [[3], [1, 4, 7], []]
    flight.hand_over()
    assert flight.training(1) == [1, 4, 7]
    flight.finish(4)
    assert flight.training(1) == [1, 7]
    assert flight.training(0) == [3]


def test_a_client_that_comes_back_gets_the_result_of_its_new_turn(flight):
    flight.begin(order(4, turn=0))
    assert flight.finish(4).byte_count == 0
    flight.begin(order(4, turn=1))
    assert flight.finish(4).byte_count == 1


class FlightMachine(RuleBasedStateMachine):
    """Clients begin and finish in any order; each turn is computed once, in a batch with all that waited."""

    def __init__(self):
        super().__init__()
        self.recorder = Recorder()
        self.flight = Flight(self.recorder, SHARDS)
        self.turns = defaultdict(int)
        self.waiting, self.expected, self.training = [], [], set()

    def _all_that_waits_becomes_one_batch_per_shard(self):
        batches = [(shard, [c for c in self.waiting if c % SHARDS == shard]) for shard in range(SHARDS)]
        self.expected += [batch for batch in batches if batch[1]]
        self.waiting = []

    @rule(client=st.integers(0, 11))
    def begin(self, client):
        if client in self.training:
            return
        self.flight.begin(order(client, self.turns[client]))
        self.training.add(client)
        self.waiting.append(client)

    @rule()
    def hand_over(self):
        self.flight.hand_over()
        self._all_that_waits_becomes_one_batch_per_shard()

    @precondition(lambda self: self.training)
    @rule(data=st.data())
    def finish(self, data):
        client = data.draw(st.sampled_from(sorted(self.training)))
        if client in self.waiting:
            self._all_that_waits_becomes_one_batch_per_shard()
        receipt = self.flight.finish(client)
        assert (receipt.client, receipt.byte_count) == (client, self.turns[client])
        self.turns[client] += 1
        self.training.remove(client)

    @invariant()
    def batches_are_those_that_the_history_asks_for(self):
        assert self.recorder.batches == self.expected

    @invariant()
    def training_lists_exactly_those_between_begin_and_finish(self):
        found = [self.flight.training(shard) for shard in range(SHARDS)]
        assert found == [sorted(c for c in self.training if c % SHARDS == shard) for shard in range(SHARDS)]


TestFlight = FlightMachine.TestCase
TestFlight.settings = settings(max_examples=40, stateful_step_count=40)
