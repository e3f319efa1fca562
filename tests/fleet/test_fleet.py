"""Devices that could exist, drawn as their distribution says, and the time their work takes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config.fleet import (
    CellularFleet,
    FedScaleFleet,
    GaussianClassesFleet,
    HarshMobileFleet,
    HomogeneousFleet,
    LogNormalFleet,
    MobiPerfFleet,
)
from fedras_ray.errors import FleetError
from fedras_ray.fleet import quantiles
from fedras_ray.fleet.build import build_fleet
from fedras_ray.fleet.profiles import Fleet, thirds
from fedras_ray.streams import Purpose, stream

ARRAYS = ("train_s_per_sample", "uplink_bytes_per_s", "downlink_bytes_per_s", "latency_s")
IN_THIRDS = [LogNormalFleet(kind="log-normal"), FedScaleFleet(), CellularFleet(kind="cellular")]
CONFIGS = [
    HomogeneousFleet(kind="homogeneous"),
    *IN_THIRDS,
    MobiPerfFleet(kind="mobiperf"),
    GaussianClassesFleet(kind="gaussian-classes"),
    HarshMobileFleet(kind="harsh-mobile"),
]
NAMES = [config.kind for config in CONFIGS]
MANY = 100_000


def fleet_of(**changed):
    """Three devices."""
    values = {name: np.array([1.0, 2.0, 4.0]) for name in ARRAYS} | changed
    return Fleet(**values, device_class=np.array([0, 1, 1], dtype=np.int8), class_names=("one", "two"))


TABLES = [
    name for name in dir(quantiles) if name.startswith(("FEDSCALE_", "MOBIPERF_")) and "MEDIAN" not in name
]


@pytest.mark.parametrize("table", TABLES)
def test_a_large_draw_has_the_quantiles_of_its_table(table):
    values = getattr(quantiles, table)
    drawn = quantiles.draw(values, MANY, stream(1, Purpose.FLEET))
    inner = slice(2, -3)  # the outermost of MobiPerf's are so steep that the rank's own noise shows
    found = np.quantile(drawn, quantiles.PROBABILITIES)
    np.testing.assert_allclose(found[inner], values[inner], rtol=0.05)
    assert drawn.min() >= values[0]
    assert drawn.max() <= values[-1]


def test_the_tables_of_quantiles_never_fall():
    for values in (quantiles.PROBABILITIES, *(getattr(quantiles, table) for table in TABLES)):
        assert len(values) == len(quantiles.PROBABILITIES)
        assert (np.diff(values) >= 0).all()
    assert quantiles.PROBABILITIES[[0, -1]].tolist() == [0, 1]


def test_a_fedscale_fleet_is_relative_to_the_median_device_and_in_bytes():
    config = FedScaleFleet(uplink_share=0.25, latency_s=0.5, train_s_per_sample=2e-3)
    fleet = build_fleet(config, MANY, 1)
    assert np.median(fleet.train_s_per_sample) == pytest.approx(2e-3, rel=0.03)
    assert fleet.train_s_per_sample.max() <= 2e-3 * 199 / 41 * (1 + 1e-9)
    assert np.median(fleet.downlink_bytes_per_s) == pytest.approx(6074.7 * 1000 / 8, rel=0.03)
    np.testing.assert_allclose(fleet.uplink_bytes_per_s, 0.25 * fleet.downlink_bytes_per_s)
    assert set(fleet.latency_s) == {0.5}
    ranks = [np.argsort(np.argsort(v)) for v in (fleet.train_s_per_sample, fleet.downlink_bytes_per_s)]
    assert abs(np.corrcoef(*ranks)[0, 1]) < 0.02  # compute and link are independent


def test_a_log_normal_fleet_has_the_medians_and_the_sigmas_it_was_asked_for():
    config = LogNormalFleet(
        kind="log-normal",
        median_uplink_bytes_per_s=3e5,
        median_downlink_bytes_per_s=2e6,
        link_sigma=0.5,
        median_slowness=3,
        slowness_sigma=0.25,
        train_s_per_sample=1e-3,
    )
    fleet = build_fleet(config, MANY, 1)
    logs = [np.log(getattr(fleet, name)) for name in ARRAYS[:3]]
    for log, median, sigma in zip(logs, (3e-3, 3e5, 2e6), (0.25, 0.5, 0.5), strict=True):
        assert np.exp(np.median(log)) == pytest.approx(median, rel=0.02)
        assert log.std() == pytest.approx(sigma, rel=0.02)
    assert abs(np.corrcoef(logs) - np.eye(3)).max() < 0.02  # independent


def test_a_homogeneous_fleet_is_one_device_many_times_in_one_class():
    config = HomogeneousFleet(
        kind="homogeneous",
        uplink_bytes_per_s=10,
        downlink_bytes_per_s=20,
        latency_s=0.5,
        train_s_per_sample=3,
    )
    fleet = build_fleet(config, 4, 1)
    assert [set(getattr(fleet, name)) for name in ARRAYS] == [{3}, {10}, {20}, {0.5}]
    assert fleet.class_names == ("all",)
    assert {fleet.class_of(client) for client in range(4)} == {"all"}


@pytest.mark.parametrize("config", CONFIGS, ids=NAMES)
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_a_fleet_has_as_many_devices_as_it_was_asked_for(config, count):
    fleet = build_fleet(config, count, 1)
    assert len(fleet) == count
    assert all(len(getattr(fleet, name)) == count for name in ARRAYS)
    assert {fleet.class_of(client) for client in range(count)} <= set(fleet.class_names)


@pytest.mark.parametrize("config", CONFIGS, ids=NAMES)
def test_the_same_seed_gives_the_same_fleet(config):
    one, again, other = (build_fleet(config, 50, seed) for seed in (1, 1, 2))
    for name in (*ARRAYS, "device_class"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    same = np.array_equal(one.train_s_per_sample, other.train_s_per_sample)
    assert same is (config.kind == "homogeneous")


@pytest.mark.parametrize("config", IN_THIRDS, ids=lambda config: config.kind)
@pytest.mark.parametrize("count", [1, 2, 3, 100, 101, 302])
def test_thirds_are_balanced_and_the_fast_ones_are_faster(config, count):
    fleet = build_fleet(config, count, 1)
    if count > 1:
        assert fleet.class_names == ("fast", "medium", "slow")
        sizes = np.bincount(fleet.device_class, minlength=3)
        assert sizes.sum() == count
        assert sizes.max() - sizes.min() <= 1
    turns = [
        fleet.download_ns(c, 200_000) + fleet.train_ns(c, 1_000) + fleet.upload_ns(c, 200_000)
        for c in range(count)
    ]
    worst = [
        max(t for t, c in zip(turns, fleet.device_class, strict=True) if c == k)
        for k in set(fleet.device_class)
    ]
    best = [
        min(t for t, c in zip(turns, fleet.device_class, strict=True) if c == k)
        for k in set(fleet.device_class)
    ]
    assert all(slowest <= fastest for slowest, fastest in zip(worst, best[1:], strict=False))


def test_one_difference_in_one_direction_is_enough_for_thirds():
    same, other = np.full(6, 2.0), np.array([2.0, 2, 2, 2, 2, 9])
    assert thirds(same, same, same)[1] == ("all",)
    for arrays in [(other, same, same), (same, other, same), (same, same, other)]:
        device_class, names = thirds(*arrays)
        assert names == ("fast", "medium", "slow")
        assert np.bincount(device_class).tolist() == [2, 2, 2]


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("value", [-1.0, 0.0, float("nan"), float("inf"), float("-inf")])
def test_a_device_that_cannot_be_is_refused_with_its_number_and_its_field(name, value):
    values = np.array([1.0, 2.0, value])
    if name == "latency_s" and value == 0:
        assert fleet_of(latency_s=values).download_ns(2, 8) == 2 * 10**9  # no latency is possible
        return
    with pytest.raises(FleetError, match=rf"device 2: {name} = {value}"):
        fleet_of(**{name: values})


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_another_length_are_refused_with_their_name(name):
    with pytest.raises(FleetError, match=f"{name} has 2 entries for 3 devices"):
        fleet_of(**{name: np.array([1.0, 2.0])})


def test_a_fleet_cannot_be_changed():
    fleet = fleet_of()
    for name in ARRAYS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(fleet, name)[0] = 9


def test_times_by_hand():
    fleet = fleet_of(
        train_s_per_sample=np.array([1e-3, 0.25, 1.0]),
        uplink_bytes_per_s=np.array([10.0, 100.0, 1e9]),
        downlink_bytes_per_s=np.array([1000.0, 50.0, 3.0]),
        latency_s=np.array([0.0, 0.5, 1e-9]),
    )
    assert [fleet.upload_ns(client, 50) for client in range(3)] == [5 * 10**9, 10**9, 51]
    assert [fleet.download_ns(client, 50) for client in range(3)] == [
        50_000_000,
        1_500_000_000,
        16_666_666_668,
    ]
    assert [fleet.train_ns(client, 12) for client in range(3)] == [12_000_000, 3 * 10**9, 12 * 10**9]
    assert fleet.train_ns(0, 0) == 0
    assert fleet.upload_ns(1, 0) == 500_000_000  # latency alone
    assert [fleet.class_of(client) for client in range(3)] == ["one", "two", "two"]


@given(st.integers(0, 2), st.integers(0, 10**7), st.integers(0, 10**6))
def test_more_bytes_and_more_samples_take_no_less_time(client, count, more):
    fleet = build_fleet(LogNormalFleet(kind="log-normal"), 3, 1)
    for duration in (fleet.download_ns, fleet.upload_ns, fleet.train_ns):
        assert duration(client, count) <= duration(client, count + more)
        assert type(duration(client, count)) is int


def test_a_fleet_with_other_latency_is_otherwise_the_same():
    one, other = (build_fleet(FedScaleFleet(latency_s=latency), 20, 1) for latency in (0.0, 0.5))
    assert other.upload_ns(3, 999) - one.upload_ns(3, 999) == pytest.approx(5 * 10**8, abs=1)
    assert other.train_ns(3, 999) == one.train_ns(3, 999)
