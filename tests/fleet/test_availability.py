"""Who is on, from when and until when: one story, whoever asks first, with the shares that were asked for."""

import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.clock import NANOS_PER_SECOND
from fedras_ray.config.network import (
    AlwaysAvailable,
    DiurnalAvailability,
    RenewalAvailability,
    TraceAvailability,
)
from fedras_ray.errors import FleetError
from fedras_ray.fleet.availability import DAY_NS, HOUR_NS, build_availability
from fedras_ray.fleet.presence import TracedAvailability
from fedras_ray.fleet.traces import PresenceTrace

S = NANOS_PER_SECOND
USERS = 200
DIURNAL = DiurnalAvailability(kind="diurnal", hours_per_day=8, middle_hour=3, spread_hours=2)
MORE_OFF = RenewalAvailability(kind="renewal", mean_on_s=3_000, mean_off_s=7_000)
MORE_ON = RenewalAvailability(kind="renewal", mean_on_s=5_000, mean_off_s=400)
QUICK = RenewalAvailability(kind="renewal", mean_on_s=2, mean_off_s=1)
TRACE = PresenceTrace(
    np.arange(4),
    np.array([0, 2, 3, 4, 7]),  # 0: two windows, 1: through midnight, 2: always, 3: three and midnight
    np.array([10, 50, 20, 0, 0, 30, 90]) * S,
    np.array([20, 70, 100, 100, 5, 31, 100]) * S,
    100 * S,
)


def traced(clients="drawn", count=USERS):
    config = TraceAvailability(kind="trace", file="given", clients=clients)
    return TracedAvailability(config, TRACE, count, 1)


ALL = {
    "always": build_availability(AlwaysAvailable(), USERS, 1),
    "diurnal": build_availability(DIURNAL, USERS, 1),
    "all day": build_availability(DIURNAL.model_copy(update={"hours_per_day": 24.0}), USERS, 1),
    "more off": build_availability(MORE_OFF, USERS, 1),
    "more on": build_availability(MORE_ON, USERS, 1),
    "quick": build_availability(QUICK, USERS, 1),
    "trace": traced(),
}
every = pytest.mark.parametrize("known", ALL.values(), ids=ALL)
CLIENTS, INSTANTS = st.integers(0, USERS - 1), st.integers(0, 10 * DAY_NS)


@every
@given(CLIENTS, INSTANTS, st.floats(0, 1))
def test_from_next_on_until_on_until_a_client_is_on(known, client, at, share):
    begins = known.next_on(client, at)
    assert begins >= at
    assert known.is_on(client, begins)
    if begins > at:
        assert known.on_until(client, at) == at
        assert not known.is_on(client, at + int(share * (begins - 1 - at)))
    ends = known.on_until(client, begins)
    if ends is None:
        assert known.is_on(client, begins + int(share * 10 * DAY_NS))
        return
    assert ends > begins
    assert known.is_on(client, begins + int(share * (ends - 1 - begins)))
    assert known.is_on(client, ends - 1)
    assert not known.is_on(client, ends)
    assert known.next_on(client, ends) > ends
    assert {type(begins), type(ends)} == {int}


@every
@given(st.lists(CLIENTS, max_size=20), INSTANTS)
def test_a_mask_says_what_each_client_says(known, clients, at):
    mask = known.on_mask(np.array(clients, dtype=np.int64), at)
    assert mask.dtype == np.bool_
    assert mask.tolist() == [known.is_on(client, at) for client in clients]
    assert all(type(known.is_on(client, at)) is bool for client in clients)


@pytest.mark.parametrize("config", [DIURNAL, MORE_OFF, MORE_ON], ids=["diurnal", "more off", "more on"])
def test_neither_the_order_of_questions_nor_the_number_of_clients_changes_a_client(config):
    questions = [(client, hour * HOUR_NS) for client in (0, 3, 150) for hour in (0, 50, 7, 1)]
    few, many = build_availability(config, 200, 1), build_availability(config, 5_000, 1)
    many.on_mask(np.arange(5_000), 90 * HOUR_NS)
    answers = [few.next_on(*question) for question in questions]
    assert answers == [many.next_on(*question) for question in reversed(questions)][::-1]
    assert answers != [build_availability(config, 200, 2).next_on(*question) for question in questions]


def test_windows_lie_around_the_night_and_are_as_long_as_asked_for():
    known = build_availability(DIURNAL, 20_000, 7)
    clients = np.arange(20_000)
    share = {hour: known.on_mask(clients, 3 * DAY_NS + hour * HOUR_NS).mean() for hour in range(24)}
    assert np.mean(list(share.values())) == pytest.approx(8 / 24, abs=0.01)
    for hour, expected in [(3, inside(2)), (23, 0.5), (7, 0.5), (5, inside(3, 1)), (15, 0.0)]:
        assert share[hour] == pytest.approx(expected, abs=0.02)
    begins = {client: known.next_on(client, 12 * HOUR_NS) for client in range(300)}
    later = {client: at for client, at in begins.items() if at > 12 * HOUR_NS}
    assert len(later) > 290
    assert {known.on_until(client, at) - at for client, at in later.items()} == {8 * HOUR_NS}


def inside(above, below=None):
    """The share of normal middles within so many standard deviations of 2 h on either side."""
    return (math.erf(above / math.sqrt(2)) + math.erf((below or above) / math.sqrt(2))) / 2


@pytest.mark.parametrize("config", [MORE_OFF, MORE_ON], ids=["more off", "more on"])
def test_times_on_and_off_are_exponential_with_their_means(config):
    known = build_availability(config, 40, 3)
    on, off = [], []
    for client in range(40):
        at = known.on_until(client, known.next_on(client, 0))
        for _ in range(100):
            begins = known.next_on(client, at)
            ends = known.on_until(client, begins)
            off.append((begins - at) / S)
            on.append((ends - begins) / S)
            at = ends
    for lengths, mean in ((np.array(on), config.mean_on_s), (np.array(off), config.mean_off_s)):
        assert lengths.mean() == pytest.approx(mean, rel=4 / math.sqrt(len(lengths)))
        assert lengths.std() == pytest.approx(mean, rel=8 / math.sqrt(len(lengths)))
        assert (lengths > mean).mean() == pytest.approx(math.exp(-1), abs=0.03)
    assert abs(np.corrcoef(on, off)[0, 1]) < 0.06
    assert abs(np.corrcoef(on[:-1], on[1:])[0, 1]) < 0.06


@pytest.mark.parametrize("config", [MORE_OFF, MORE_ON], ids=["more off", "more on"])
def test_the_share_of_clients_on_is_the_same_at_all_times_and_is_forgotten_exponentially(config):
    known, clients = build_availability(config, 50_000, 3), np.arange(50_000)
    share = config.mean_on_s / (config.mean_on_s + config.mean_off_s)
    start = known.on_mask(clients, 0)
    assert start.mean() == pytest.approx(share, abs=0.01)
    for lag_s in (200, 3_000, 100_000):
        later = known.on_mask(clients, lag_s * S)
        assert later.mean() == pytest.approx(share, abs=0.01)
        kept = math.exp(-lag_s * (1 / config.mean_on_s + 1 / config.mean_off_s))
        assert later[start].mean() == pytest.approx(share + (1 - share) * kept, abs=0.015)
    assert abs(np.corrcoef(start[:-1], start[1:])[0, 1]) < 0.02  # clients are independent


def test_a_trace_by_hand():
    known = traced("as-numbered", 4)
    on = [
        [client for client in range(4) if known.is_on(client, at * S)] for at in (0, 10, 20, 30, 99, 100, 310)
    ]
    assert on == [[2, 3], [0, 2], [1, 2], [1, 2, 3], [1, 2, 3], [2, 3], [0, 2]]
    assert [known.on_until(client, 60 * S) for client in range(4)] == [70 * S, 100 * S, None, 60 * S]
    assert [known.next_on(client, 71 * S) for client in range(4)] == [110 * S, 71 * S, 71 * S, 90 * S]
    assert known.on_until(3, 190 * S) == 205 * S  # through midnight
    assert known.on_until(1, 230 * S) == 300 * S
    assert known.next_on(1, 300 * S) == 320 * S


def test_each_client_follows_one_device_of_the_trace_or_its_own():
    shares = np.mean([traced(count=8_000).on_mask(np.arange(8_000), at * S) for at in (40,)])
    assert shares == pytest.approx(2 / 4, abs=0.03)  # devices 1 and 2
    with pytest.raises(FleetError, match=r"no line for client 4 \(3 of 7 clients are missing\).*drawn"):
        traced("as-numbered", 7)


def test_a_file_becomes_an_availability(tmp_path):
    path = Path(tmp_path / "on.csv")
    path.write_text("client,on_s,off_s\n1,0,10\n0,50,60.5\n1,10,20\n")
    known = build_availability(TraceAvailability(kind="trace", file=str(path), period_s=100), 2, 1)
    assert known.on_until(1, 0) == 20 * S  # intervals that touch are one
    assert known.next_on(0, 0) == 50 * S
    assert known.on_until(0, 155 * S) == 160 * S + S // 2


def test_a_hundred_thousand_clients_take_little_memory():
    tracemalloc.start()
    known = build_availability(MORE_OFF, 100_000, 1)
    for hour in range(0, 100, 4):
        known.on_mask(np.arange(100_000), hour * HOUR_NS)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 26_000_000
