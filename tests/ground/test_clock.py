"""Virtual time: integers, a stable order, and no way back."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.clock import Clock, nanos, seconds

INSTANTS = st.integers(0, 20)  # few, so that many events share one


@given(st.lists(INSTANTS))
def test_events_come_in_the_order_of_a_stable_sort_by_time(instants):
    clock = Clock()
    for number, at_ns in enumerate(instants):
        clock.at(at_ns, number)
    popped = [clock.pop() for _ in range(len(clock))]
    assert popped == sorted(((at_ns, number) for number, at_ns in enumerate(instants)), key=lambda e: e[0])


@given(st.lists(st.one_of(st.none(), INSTANTS)))
def test_order_is_stable_and_time_never_goes_back_when_popping_and_scheduling_alternate(script):
    """None pops; a number schedules so long after now. The reference sorts the whole list each time."""
    clock, reference = Clock(), []
    for number, delay in enumerate(script):
        if delay is not None:
            reference.append((clock.now_ns + delay, number))
            clock.at(clock.now_ns + delay, number)
        elif reference:
            before = clock.now_ns
            reference.sort()  # a later event has a larger number
            assert clock.pop() == reference[0]
            assert clock.now_ns == reference.pop(0)[0] >= before
        assert len(clock) == len(reference)


def test_events_at_one_instant_are_never_compared():
    clock, events = Clock(), [object() for _ in range(5)]
    for event in events:
        clock.at(3, event)
    assert [clock.pop()[1] for _ in events] == events


def test_the_past_is_refused_and_changes_nothing():
    clock = Clock()
    clock.at(10, "first")
    clock.pop()
    with pytest.raises(ValueError, match=r"cannot schedule at 9 ns: it is already 10 ns"):
        clock.at(9, "late")
    assert len(clock) == 0
    clock.at(10, "now")  # the present is not the past
    assert clock.pop() == (10, "now")


def test_an_empty_clock_has_no_next_event_and_stays_where_it_is():
    clock = Clock()
    clock.at(4, None)
    clock.pop()
    with pytest.raises(IndexError):
        clock.pop()
    assert clock.now_ns == 4


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [
        (0, 0),
        (1, 10**9),
        (0.5e-9, 0),
        (1.5e-9, 2),
        (2.5e-9, 2),
        (0.75e-9, 1),
        (0.1, 10**8),
        (60.25, 60_250_000_000),
    ],
)
def test_seconds_become_whole_nanoseconds_rounded_half_to_even(duration_s, expected):
    assert nanos(duration_s) == expected
    assert type(nanos(duration_s)) is int


@pytest.mark.parametrize("duration_s", [-1.0, -1e-12, float("nan"), float("inf"), float("-inf")])
def test_a_duration_that_cannot_be_is_refused(duration_s):
    with pytest.raises(ValueError, match="must be finite and not negative"):
        nanos(duration_s)


@given(st.floats(0, 1e6))
def test_nanos_is_the_nearest_whole_number(duration_s):
    error = abs(nanos(duration_s) - Fraction(duration_s) * 10**9)
    assert error <= Fraction(1, 2) + Fraction(1, 2**52) * Fraction(duration_s) * 10**9  # of the product


@given(st.integers(0, 10**15))
def test_seconds_and_back_is_the_same_instant(at_ns):
    assert nanos(seconds(at_ns)) == at_ns
