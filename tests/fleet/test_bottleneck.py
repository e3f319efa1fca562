"""A shared link: max–min fair, exact, and the same whatever the order in which it is told."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.clock import NANOS_PER_SECOND, nanos
from fedras_ray.errors import FleetError
from fedras_ray.fleet.bottleneck import SharedLink
from fedras_ray.fleet.quanta import QUANTA_PER_BYTE, quanta_per_ns

S = NANOS_PER_SECOND

KEYS = st.integers(0, 7)
CAPS = st.sampled_from([1.0, 7.0, 20.0, 100.0, 100.0, 333.3, 1e6])
CAPACITIES = st.sampled_from([3.0, 50.0, 100.0, 400.0, 1e7, None])
GAPS = st.sampled_from([0, 0, 1, 333_333_333, S, 5 * S])
ADDS = st.tuples(st.just("add"), KEYS, st.integers(0, 300), CAPS)
OTHERS = st.tuples(st.sampled_from(["remove", "cap"]), KEYS, st.just(0), CAPS | st.just(0.0))
STEPS = st.lists(st.tuples(GAPS, ADDS | OTHERS), max_size=30)


def fill(capacity, caps):
    """Progressive filling, the slow way: rates in quanta per ns by key."""
    if capacity is None:
        return dict(caps)
    rates, left, waiting = {}, quanta_per_ns(capacity), sorted(caps, key=caps.get)
    while waiting and caps[waiting[0]] * len(waiting) <= left:
        key = waiting.pop(0)
        rates[key] = caps[key]
        left -= caps[key]
    return rates | {key: left // len(waiting) for key in waiting}


class Slow:
    """The same link, with all rates worked out anew after every change."""

    def __init__(self, capacity):
        self.capacity, self.now, self.caps, self.missing, self.done = capacity, 0, {}, {}, []

    def move(self, at):
        while True:
            rates = fill(self.capacity, self.caps)
            ends = {key: self.now - -self.missing[key] // rate for key, rate in rates.items() if rate}
            end = min([*ends.values(), at])
            for key, rate in rates.items():
                self.missing[key] -= rate * (end - self.now)
            self.now = end
            over = sorted(key for key in ends if ends[key] == end)
            self.done += [(end, key) for key in over]
            for key in over:
                del self.caps[key], self.missing[key]
            if end == at and not over:
                return

    def remove(self, key, byte_count):
        del self.caps[key]
        return byte_count - -(-self.missing.pop(key) // QUANTA_PER_BYTE)


@given(CAPACITIES, STEPS)
def test_it_does_what_progressive_filling_does(capacity, steps):
    """Every completion, to the nanosecond, and every byte of what is ended before, beside the slow way."""
    link, slow, counts, at, told = SharedLink(capacity), Slow(capacity), {}, 0, []
    for gap, (step, key, count, cap) in steps:
        at += gap
        told += link.advance(at)
        slow.move(at)
        if step == "add" and key not in slow.caps and count:
            counts[key] = count
            link.add(key, count, cap, at)
            slow.caps[key], slow.missing[key] = quanta_per_ns(cap), count * QUANTA_PER_BYTE
        elif step == "remove" and key in slow.caps:
            assert link.remove(key, at) == slow.remove(key, counts[key])
        elif step == "cap" and key in slow.caps:
            link.set_cap(key, cap, at)
            slow.caps[key] = quanta_per_ns(cap)
        check_rates(link, slow, capacity)
    told += link.advance(at + 10_000 * S)
    slow.move(at + 10_000 * S)
    assert told == slow.done
    assert len(link) == len(slow.caps)
    assert all(rate == 0 for rate in slow.caps.values())  # only what was stopped is left


def check_rates(link, slow, capacity):
    """Max–min: who gets less than its cap gets no less than anyone, and then nothing is left over."""
    rates = {key: link.rate_now(key) for key in slow.caps}
    assert len(link) == len(rates)
    caps = {key: cap / 2**64 for key, cap in slow.caps.items()}
    assert all(rates[key] <= caps[key] for key in rates)
    held = [key for key in rates if rates[key] < caps[key]]
    if capacity is not None:
        assert sum(rates.values()) <= capacity * (1 + 1e-12)
    for key in held:
        assert rates[key] == max(rates.values())
        assert sum(rates.values()) == pytest.approx(capacity, rel=1e-12)


@given(CAPACITIES, STEPS)
def test_every_byte_is_delivered_returned_or_on_its_way_and_never_faster_than_the_link(capacity, steps):
    link, at, added, out, under_way = SharedLink(capacity), 0, 0, 0, {}
    for gap, (step, key, count, cap) in steps:
        at += gap
        out += sum(under_way.pop(done) for _, done in link.advance(at))
        if step == "add" and key not in under_way:
            link.add(key, count, cap, at)
            under_way[key] = count
            added += count
        elif step == "remove" and key in under_way:
            sent = link.remove(key, at)
            whole = under_way.pop(key)
            assert 0 <= sent <= whole
            added -= whole - sent
            out += sent
        assert out + sum(under_way.values()) == added
        assert capacity is None or out <= capacity * at / S + 1e-6
    out += sum(under_way.pop(done) for _, done in link.advance(at + 10_000 * S))
    assert out + sum(under_way.values()) == added
    assert len(link) == len(under_way)


@given(CAPACITIES, st.lists(st.tuples(st.integers(1, 300), CAPS), min_size=2, max_size=4))
def test_the_order_in_which_transfers_are_added_does_not_matter(capacity, transfers):
    stories = set()
    for order in itertools.permutations(range(len(transfers))):
        link = SharedLink(capacity)
        for key in order:
            link.add(key, *transfers[key], 7)
        stories.add(tuple(link.advance(1_000 * S)))
    assert [len(story) for story in stories] == [len(transfers)]


def story(capacity, steps, looks):
    """All completions, with a look at the link at some instants on the way."""
    link, at, told, under_way = SharedLink(capacity), 0, [], set()
    for gap, (step, key, count, cap) in steps:
        stops = [look for look in sorted(looks) if at <= look < at + gap]
        at += gap
        for stop in (*stops, at):
            link.next_completion()
            completed = link.advance(stop)
            told += completed
            under_way -= {done for _, done in completed}
        if step == "add" and key not in under_way:
            link.add(key, count, cap, at)
            under_way.add(key)
        elif step == "cap" and key in under_way:
            link.set_cap(key, cap, at)
    return told + link.advance(at + 10_000 * S)


@given(CAPACITIES, STEPS, st.lists(st.integers(0, 30 * S), max_size=10))
def test_looking_at_it_in_between_changes_nothing(capacity, steps, looks):
    assert story(capacity, steps, looks) == story(capacity, steps, [])


@given(st.integers(0, 10**7), st.floats(1, 1e9), st.integers(0, 10**12))
def test_without_a_limit_it_is_the_clients_own_time(count, rate, at):
    link = SharedLink(None, at)
    link.add(3, count, rate, at)
    end, key = link.next_completion()
    assert key == 3
    assert abs(end - at - nanos(count / rate)) <= 1
    assert link.advance(end - 1) == [] if end > at else True
    assert link.advance(end) == [(end, 3)]
    assert link.next_completion() is None


@given(CAPACITIES, STEPS)
def test_the_next_completion_is_the_one_that_comes(capacity, steps):
    link, at, under_way = SharedLink(capacity), 0, set()
    for gap, (step, key, count, cap) in steps:
        at += gap
        under_way -= {done for _, done in link.advance(at)}
        if step == "add" and key not in under_way:
            link.add(key, count, cap, at)
            under_way.add(key)
    while (following := link.next_completion()) is not None:
        first, *ties = link.advance(following[0])
        assert first == following
        assert all(tie[0] == first[0] and tie[1] > first[1] for tie in ties)


def test_two_share_and_the_second_gets_all_when_the_first_is_done():
    link = SharedLink(100.0)
    link.add(1, 100, 1_000.0, 0)
    assert link.next_completion() == (S, 1)
    link.add(2, 100, 1_000.0, S // 2)  # 50 bytes are through; then 50 bytes/s each
    assert [link.rate_now(key) for key in (1, 2)] == [50, 50]
    assert link.next_completion() == (3 * S // 2, 1)
    assert link.advance(5 * S) == [(3 * S // 2, 1), (2 * S, 2)]
    assert len(link) == 0


def test_what_a_slow_client_leaves_is_shared_by_the_others():
    link = SharedLink(100.0)
    for key, cap in enumerate((20.0, 1_000.0, 50.0)):
        link.add(key, 1_000, cap, 0)
    assert [link.rate_now(key) for key in range(3)] == [20, 40, 40]
    link.set_cap(0, 5.0, S)
    assert [link.rate_now(key) for key in range(3)] == [5, 47.5, 47.5]
    link.set_cap(1, 10.0, 2 * S)
    assert [link.rate_now(key) for key in range(3)] == [5, 10, 50]
    assert link.remove(1, 3 * S) == 40 + 47 + 10  # 97.5
    assert [link.rate_now(key) for key in (0, 2)] == [5, 50]
    link.set_cap(2, 0.0, 4 * S)
    assert link.rate_now(2) == 0
    assert link.advance(10**4 * S) == [(S + 980 * S // 5, 0)]
    assert link.next_completion() is None  # what is stopped never ends
    assert link.remove(2, 10**4 * S) == 40 + 47 + 50 + 50


def test_transfers_that_end_in_the_same_nanosecond_are_told_in_the_order_of_their_keys():
    link = SharedLink(1e12)
    for key, count, cap in [(9, 100, 4e11), (2, 101, 9e11), (4, 50, 5e10), (3, 102, 9e11), (8, 50, 5e10)]:
        link.add(key, count, cap, 0)
    assert link.next_completion() == (1, 2)
    assert link.advance(1) == [(1, key) for key in (2, 3, 4, 8, 9)]


def test_a_transfer_that_ends_at_the_instant_of_its_removal_is_whole():
    link = SharedLink(100.0)
    link.add(1, 100, 1e6, 0)
    link.set_cap(1, 3.0, S)  # too late to matter
    assert link.next_completion() == (S, 1)
    assert link.remove(1, S) == 100
    assert link.advance(S) == []
    link.add(1, 0, 1e6, S)
    assert link.advance(S) == [(S, 1)]  # no bytes, no time


def test_what_cannot_be_is_refused():
    with pytest.raises(FleetError, match="capacity above 0"):
        SharedLink(0.0)
    link = SharedLink(100.0, 5)
    link.add(1, 10, 10.0, 5)
    with pytest.raises(ValueError, match="transfer 1 is on the shared link already"):
        link.add(1, 10, 10.0, 5)
    with pytest.raises(ValueError, match="transfer 2 cannot have -1 bytes"):
        link.add(2, -1, 10.0, 5)
    with pytest.raises(FleetError, match="finite and not negative"):
        link.add(2, 1, float("inf"), 5)
    with pytest.raises(ValueError, match="already 5 ns"):
        link.advance(4)
    for change in (lambda: link.remove(2, 6), lambda: link.set_cap(2, 1.0, 6)):
        with pytest.raises(KeyError):
            change()
