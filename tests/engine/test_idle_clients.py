"""Who can be asked: taken clients are gone until they are given back, whatever the order."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fedras_ray.flight import IdleClients


class IdleMachine(RuleBasedStateMachine):
    """Two instances with one history, beside a plain set."""

    def __init__(self):
        super().__init__()
        self.everyone = np.array([3, 5, 8, 9, 14, 20, 21])
        self.idle, self.twin = IdleClients(self.everyone), IdleClients(self.everyone)
        self.here, self.out = set(self.everyone.tolist()), []

    @rule(data=st.data())
    def take(self, data):
        places = data.draw(
            st.lists(st.sampled_from(range(len(self.here))), unique=True) if self.here else st.just([])
        )
        expected = self.idle.clients[places].tolist()
        taken = self.idle.take(np.array(places, dtype=np.int64))
        assert taken == expected == self.twin.take(np.array(places, dtype=np.int64))
        assert {type(client) for client in taken} <= {int}
        assert set(taken) <= self.here
        self.here -= set(taken)
        self.out += taken

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def give(self, data):
        client = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        self.idle.give(client)
        self.twin.give(client)
        self.here.add(client)

    @invariant()
    def exactly_those_that_are_here_are_idle_and_each_once(self):
        assert sorted(self.idle.clients.tolist()) == sorted(self.here)
        assert len(self.idle) == len(self.here)

    @invariant()
    def the_order_follows_from_the_history_alone(self):
        assert self.idle.clients.tolist() == self.twin.clients.tolist()

    @invariant()
    def the_array_it_was_made_from_stays_as_it_is(self):
        assert self.everyone.tolist() == [3, 5, 8, 9, 14, 20, 21]


TestIdleClients = IdleMachine.TestCase
TestIdleClients.settings = settings(max_examples=40, stateful_step_count=25)


def test_the_last_clients_can_be_taken_with_the_first():
    """The places that are filled from the end are themselves among those taken."""
    idle = IdleClients(np.arange(6))
    assert idle.take(np.array([0, 5, 4])) == [0, 5, 4]
    assert sorted(idle.clients.tolist()) == [1, 2, 3]


def test_nobody_is_idle_where_there_is_nobody():
    idle = IdleClients(np.zeros(0, dtype=np.int64))
    assert len(idle) == 0
    assert idle.take(np.zeros(0, dtype=np.int64)) == []
