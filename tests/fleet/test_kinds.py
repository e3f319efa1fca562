"""What is particular to a kind of fleet: where its numbers come from and what its classes are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config.fleet import (
    CellularFleet,
    FedScaleFleet,
    GaussianClassesFleet,
    HarshMobileFleet,
    LogNormalFleet,
    MobiPerfFleet,
)
from fedras_ray.fleet.build import build_fleet
from fedras_ray.fleet.cellular import GENERATIONS
from fedras_ray.fleet.energy import CLASSES

MBIT_PER_S = 125_000.0
MANY = 100_000
# drawn before fleets could be correlated: a run of that time has the same devices
STORED = {
    "fedscale": (
        FedScaleFleet(),
        [0.841636202181, 0.899896436934, 1.14070822107],
        [298333.651897, 7344944.81728, 675410.558619],
    ),
    "log-normal": (
        LogNormalFleet(kind="log-normal"),
        [1.47303982024, 2.15035138593, 1.127305875],
        [843290.539486, 80694.1477918, 904734.423574],
    ),
}


def classes_of(fleet):
    return np.array(fleet.class_names)[fleet.device_class]


@pytest.mark.parametrize("kind", STORED)
def test_a_fleet_is_what_it_was_before_it_could_be_correlated(kind):
    config, slowness, uplink = STORED[kind]
    fleet = build_fleet(config, 3, 1)
    np.testing.assert_allclose(fleet.train_s_per_sample / 1e-4, slowness, rtol=1e-9)
    np.testing.assert_allclose(fleet.uplink_bytes_per_s, uplink, rtol=1e-9)


def test_a_mobiperf_fleet_has_its_medians_in_bytes_and_seconds():
    fleet = build_fleet(MobiPerfFleet(kind="mobiperf", train_s_per_sample=2e-3), MANY, 1)
    assert np.median(fleet.uplink_bytes_per_s) / MBIT_PER_S == pytest.approx(2.024, rel=0.03)
    assert np.median(fleet.downlink_bytes_per_s) / MBIT_PER_S == pytest.approx(3.017, rel=0.03)
    assert np.median(fleet.latency_s) == pytest.approx(0.0573, rel=0.03)
    assert np.median(fleet.train_s_per_sample) == pytest.approx(2e-3, rel=0.03)


@pytest.mark.parametrize(
    ("generation", "slow", "fast", "ratio"), [("4g", 0.05, 0.11, 0.258), ("5g", 0.01, 0.47, 0.113)]
)
def test_cellular_links_have_the_published_shares_and_ratio(generation, slow, fast, ratio):
    fleet = build_fleet(CellularFleet(kind="cellular", generation=generation), MANY, 1)
    down = fleet.downlink_bytes_per_s / MBIT_PER_S
    assert (down < 2).mean() == pytest.approx(slow, abs=0.004)
    assert (down >= 100).mean() == pytest.approx(fast, abs=0.01)
    assert np.median(fleet.uplink_bytes_per_s) / np.median(fleet.downlink_bytes_per_s) == pytest.approx(
        ratio, rel=0.04
    )
    assert set(fleet.latency_s) == {GENERATIONS[generation].response_s}
    assert {CLASSES[place].name for place in fleet.energy_class} == {f"phone-{generation}"}


def test_gaussian_classes_have_their_means_and_deviations_in_units():
    config = GaussianClassesFleet(
        kind="gaussian-classes", unit_s=0.5, reference_samples=10, reference_bytes=3_000
    )
    fleet = build_fleet(config, MANY, 1)
    assert len(fleet.class_names) == 25
    assert (np.bincount(fleet.device_class, minlength=25) / MANY).tolist() == pytest.approx(
        [0.04] * 25, abs=0.004
    )
    np.testing.assert_array_equal(fleet.uplink_bytes_per_s, fleet.downlink_bytes_per_s)
    one = classes_of(fleet) == "train-300 link-80"
    units = fleet.train_s_per_sample[one] * 10 / 0.5
    assert units.mean() == pytest.approx(300, rel=0.01)
    assert units.std() == pytest.approx(30, rel=0.05)
    units = 3_000 / fleet.uplink_bytes_per_s[one] / 0.5
    assert units.mean() == pytest.approx(80, rel=0.01)
    assert units.std() == pytest.approx(10, rel=0.05)


@given(st.integers(0, 2**31), st.floats(-1, 1))
def test_no_gaussian_device_has_a_time_of_nothing(seed, correlation):
    config = GaussianClassesFleet(kind="gaussian-classes", speed_link_correlation=correlation)
    fleet = build_fleet(config, 500, seed)
    assert fleet.train_s_per_sample.min() > 0


def test_tied_gaussian_classes_lie_on_the_diagonal():
    config = GaussianClassesFleet(kind="gaussian-classes", speed_link_correlation=1.0)
    found = set(classes_of(build_fleet(config, 2_000, 1)))
    assert found == {
        "train-100 link-10",
        "train-150 link-15",
        "train-200 link-20",
        "train-300 link-30",
        "train-500 link-80",
    }


@given(st.integers(1, 400), st.floats(0, 1), st.integers(0, 99))
def test_as_many_crawl_as_were_asked_for(count, share, seed):
    fleet = build_fleet(HarshMobileFleet(kind="harsh-mobile", crawling_share=share), count, seed)
    assert (classes_of(fleet) == "crawling").sum() == round(share * count)
    rest = np.bincount(fleet.device_class, minlength=4)[:3]
    assert rest.max() - rest.min() <= 1 or not rest[1:].any()


def test_a_harsh_fleet_is_a_mobiperf_fleet_with_a_floor_whose_crawlers_are_20_times_slower():
    harsh = build_fleet(HarshMobileFleet(kind="harsh-mobile"), 2_000, 1)
    usual = build_fleet(MobiPerfFleet(kind="mobiperf"), 2_000, 1)
    crawling = classes_of(harsh) == "crawling"
    ratio = harsh.train_s_per_sample / usual.train_s_per_sample
    np.testing.assert_allclose(ratio, np.where(crawling, 20, 1))
    assert crawling.mean() == 0.05
    for name in ("uplink_bytes_per_s", "downlink_bytes_per_s"):
        assert getattr(harsh, name).min() == 17_500
        np.testing.assert_array_equal(getattr(harsh, name), np.maximum(getattr(usual, name), 17_500))
    assert np.median(harsh.uplink_bytes_per_s) / MBIT_PER_S == pytest.approx(2.0, rel=0.15)
    np.testing.assert_array_equal(harsh.latency_s, usual.latency_s)
