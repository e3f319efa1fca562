"""Bytes over time: exact, in the order of time, with the mean of the profile and the variation asked for."""

import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.clock import NANOS_PER_SECOND
from fedras_ray.config.network import GammaVariation, LogNormalVariation, NoVariation, TraceVariation
from fedras_ray.errors import FleetError
from fedras_ray.fleet.factors import DrawnFactors, TracedFactors
from fedras_ray.fleet.links import ConstantLink, Direction, VaryingLink, build_link
from fedras_ray.fleet.profiles import Fleet
from fedras_ray.fleet.quanta import bytes_per_s, quanta_per_ns
from fedras_ray.fleet.traces import FactorTrace

S = NANOS_PER_SECOND
GAMMA = GammaVariation(kind="gamma", cv=0.8, hold_s=2.0)
LOG_NORMAL = LogNormalVariation(kind="log-normal", cv=1.5, hold_s=0.5)
TRACE = FactorTrace((0, 2 * S, 2 * S + 7), (0.5, 0.0, 4 / 3), 3 * S)  # with an outage of 7 ns

CLIENTS = st.integers(0, 2)
WAYS = st.sampled_from(Direction)
STARTS = st.integers(0, 10**12)
COUNTS = st.integers(0, 10**7)


def fleet_of(count=3, latency_s=(0.0, 0.056, 1e-9), up=(760_000.0, 17_500.3, 4e9), down=(1e6, 123.4, 5e8)):
    """Devices that differ much."""
    arrays = [np.resize(np.array(values, dtype=float), count) for values in ([1e-4], up, down, latency_s)]
    return Fleet(*arrays, device_class=np.zeros(count, dtype=np.int8), class_names=("all",))


def factors_of(kind, seed=1):
    if kind == "trace":
        return TracedFactors(TRACE, seed)
    return DrawnFactors({"gamma": GAMMA, "log-normal": LOG_NORMAL}[kind], seed)


VARYING = {kind: factors_of(kind) for kind in ("gamma", "log-normal", "trace")}
LINKS = {"constant": ConstantLink(fleet_of())} | {
    kind: VaryingLink(fleet_of(), factors) for kind, factors in VARYING.items()
}
every_link = pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
every_factor = pytest.mark.parametrize("factors", VARYING.values(), ids=VARYING)


def carried(factors, base, client, start, until):
    """Bytes in a stretch of time, as an exact fraction: the integral, written out once more."""
    total, at = Fraction(0), start
    while at < until:
        factor, ends = factors.piece(client, at)
        assert ends > at
        total += Fraction(base * factor) * (min(ends, until) - at) / S
        at = ends
    return total


@given(CLIENTS, WAYS, STARTS, COUNTS)
def test_a_constant_link_is_the_fleet_to_the_nanosecond(client, way, start, count):
    fleet = fleet_of()
    takes = fleet.upload_ns if way is Direction.UP else fleet.download_ns
    link = build_link(NoVariation(), fleet, 1)
    assert link.end_ns(client, way, start, count) == start + takes(client, count)
    assert link.rate_now(client, way, start) == [[1e6, 123.4, 5e8], [760_000, 17_500.3, 4e9]][way][client]
    assert link.steady_until(client, start) is None


@every_link
@given(CLIENTS, WAYS, STARTS, COUNTS)
def test_the_end_is_the_first_instant_with_all_through(link, client, way, start, count):
    end = link.end_ns(client, way, start, count)
    assert type(end) is int
    assert link.bytes_by(client, way, start, end) >= count
    assert count == 0 or link.bytes_by(client, way, start, end - 1) < count


@given(CLIENTS, STARTS, st.integers(0, 10**12))
def test_the_inverse_of_a_constant_link_is_exact_for_long_transfers_too(client, start, count):
    link = LINKS["constant"]
    end = link.end_ns(client, Direction.UP, start, count)
    by = link.bytes_by(client, Direction.UP, start, end)
    assert by >= count
    assert (
        link.end_ns(client, Direction.UP, start, by) <= end < link.end_ns(client, Direction.UP, start, by + 1)
    )


@every_link
@given(CLIENTS, WAYS, STARTS, st.integers(0, 10**11), st.integers(0, 10**11))
def test_more_time_never_carries_less(link, client, way, start, span, more):
    fewer = link.bytes_by(client, way, start, start + span)
    assert 0 <= fewer <= link.bytes_by(client, way, start, start + span + more)
    assert link.bytes_by(client, way, start, start) == 0
    assert link.end_ns(client, way, start, fewer) <= max(start + span, link.end_ns(client, way, start, 0))


@every_factor
@given(CLIENTS, STARTS, st.integers(1, 10**7), st.floats(0.01, 1e9))
def test_integration_is_exact(factors, client, start, count, base):
    link = VaryingLink(fleet_of(latency_s=[0.0], up=[base]), factors)
    count = min(count, 1 + int(base * 100))
    end = link.end_ns(client, Direction.UP, start, count)
    assert carried(factors, base, client, start, end) >= count
    assert carried(factors, base, client, start, end - 1) < count
    assert link.bytes_by(client, Direction.UP, start, end) == int(carried(factors, base, client, start, end))


@every_factor
@given(CLIENTS, STARTS, COUNTS, COUNTS)
def test_two_transfers_take_as_long_as_one_but_for_a_nanosecond_of_bytes(factors, client, start, one, two):
    """The second begins at a whole nanosecond: what the first left of its last one is all that is lost."""
    base = 760_000.0
    link = VaryingLink(fleet_of(latency_s=[0.0], up=[base]), factors)
    split = link.end_ns(client, Direction.UP, start, one)
    apart = link.end_ns(client, Direction.UP, split, two)
    together = link.end_ns(client, Direction.UP, start, one + two)
    assert together <= apart
    if apart > max(together, start):
        lost = carried(factors, base, client, split - 1, split)
        assert carried(factors, base, client, together, apart - 1) < lost


@every_link
@given(CLIENTS, WAYS, STARTS, COUNTS)
def test_before_the_end_something_is_missing_and_half_of_the_way_is_on_the_way(
    link, client, way, start, count
):
    end = link.end_ns(client, way, start, count)
    so_far = link.bytes_by(client, way, start, (start + end) // 2)
    assert 0 <= so_far <= count
    assert link.end_ns(client, way, start, so_far) <= end


def test_the_rate_over_a_long_time_is_the_profiles():
    link = VaryingLink(fleet_of(12, latency_s=[0.0], up=[1e6]), DrawnFactors(GAMMA, 3))
    span = 20_000 * S  # 10,000 holds: the mean's standard deviation is 0.8 × sqrt(2 / 10,000) = 1.1 %
    rates = [link.bytes_by(client, Direction.UP, 0, span) / 2e4 for client in range(12)]
    assert np.mean(rates) == pytest.approx(1e6, rel=0.012)
    assert all(rate == pytest.approx(1e6, rel=0.05) for rate in rates)


def test_a_trace_by_hand():
    """0.5 for 2 s, nothing for 1 s, 2 for 1 s; latency 0.5 s; 100 bytes/s."""
    trace = FactorTrace((0, 2 * S, 3 * S), (0.5, 0.0, 2.0), 4 * S)
    factors = TracedFactors(trace, 1)
    client = 5
    ends = factors.piece(client, 0).until_ns
    cycle = next(
        at for at in (ends, *boundaries(factors, client, ends)) if factors.piece(client, at).factor == 0.5
    )
    link = VaryingLink(fleet_of(6, latency_s=[0.5], up=[100.0]), factors)
    start = cycle - S // 2  # the latency is over where a cycle begins
    times = [link.end_ns(client, Direction.UP, start, count) - cycle for count in (0, 50, 100, 101, 300, 301)]
    assert times == [0, S, 2 * S, 3 * S + 5_000_000, 4 * S, 4 * S + 20_000_000]
    marks = (-S // 2, 0, S, 2 * S, 3 * S, 3 * S + 5_000_000, 3 * S + 4_999_999, 8 * S)
    by = [link.bytes_by(client, Direction.UP, start, cycle + mark) for mark in marks]
    assert by == [0, 0, 50, 100, 100, 101, 100, 600]
    assert link.rate_now(client, Direction.UP, cycle) == 50
    assert link.rate_now(client, Direction.UP, cycle + 2 * S) == 0
    assert link.steady_until(client, cycle + 1) == cycle + 2 * S


def boundaries(factors, client, at):
    for _ in range(4):
        at = factors.piece(client, at).until_ns
        yield at


def test_a_trace_file_is_cycled_and_divided_by_its_mean(tmp_path):
    path = Path(tmp_path / "link.csv")
    path.write_text("t_s, factor, note\n0,3,a\n\n1.5,6,b\n3,9,c\n")
    config = TraceVariation(kind="trace", file=str(path))
    link = build_link(config, fleet_of(latency_s=[0.0], up=[100.0]), 1)
    cycle_s = 4.5  # the last row holds as long as the one before
    for client in range(3):
        assert link.bytes_by(client, Direction.UP, 0, round(200 * cycle_s * S)) in (89_999, 90_000)
    rates = {round(link.rate_now(0, Direction.UP, at * S // 2)) for at in range(9)}
    assert rates == {50, 100, 150}
    longer = build_link(config.model_copy(update={"period_s": 6.0}), fleet_of(latency_s=[0.0]), 1)
    assert longer.steady_until(0, 0) is not None


def test_a_link_that_carries_nothing_is_an_error_that_names_the_device():
    slow = VaryingLink(fleet_of(up=[1e-6]), VARYING["gamma"])
    with pytest.raises(FleetError, match=r"device 1: .* too low"):
        slow.end_ns(1, Direction.UP, 0, 10**7)


def test_idle_clients_cost_nothing():
    fleet = fleet_of(1_000_000)
    tracemalloc.start()
    link = build_link(GAMMA, fleet, 1)
    for client in range(0, 1_000_000, 10_000):
        link.end_ns(client, Direction.UP, 0, 1_000)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000


@given(st.floats(2.0**-12, 1e15))
def test_a_rate_in_quanta_is_the_rate_itself(rate):
    assert bytes_per_s(quanta_per_ns(rate)) == rate
    assert Fraction(quanta_per_ns(rate), 2**64) == Fraction(rate)


@pytest.mark.parametrize("rate", [-1.0, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_is_refused(rate):
    with pytest.raises(FleetError, match="finite and not negative"):
        quanta_per_ns(rate)
