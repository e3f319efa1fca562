"""Two quantities tied by a rank correlation: each keeps its distribution, and 0 changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fedras_ray.config.fleet import (
    CellularFleet,
    FedScaleFleet,
    HarshMobileFleet,
    LogNormalFleet,
    MobiPerfFleet,
)
from fedras_ray.fleet.build import build_fleet
from fedras_ray.fleet.copula import normals, tied_normals, tied_ranks
from fedras_ray.streams import Purpose, stream

MANY = 20_000
CORRELATIONS = st.floats(-1, 1, allow_nan=False)
KINDS = {
    "log-normal": LogNormalFleet,
    "fedscale": FedScaleFleet,
    "mobiperf": MobiPerfFleet,
    "cellular": CellularFleet,
    "harsh-mobile": HarshMobileFleet,
}


def ranks(seed, count=MANY):
    return stream(seed, Purpose.FLEET).random(count)


@given(CORRELATIONS)
def test_the_rank_correlation_is_the_one_that_was_asked_for(correlation):
    own, other = ranks(1), ranks(2)
    found = stats.spearmanr(tied_ranks(own, other, correlation), other).statistic
    assert found == pytest.approx(correlation, abs=0.03)


@given(CORRELATIONS, st.integers(0, 2**31))
def test_ties_keep_the_distribution(correlation, seed):
    own, other = np.split(ranks(seed), 2)
    tied = tied_ranks(own, other, correlation)
    assert ((tied >= 0) & (tied <= 1)).all()
    assert stats.kstest(tied, "uniform").statistic < 0.03
    z = tied_normals(normals(own), normals(other), correlation)
    assert z.std() == pytest.approx(1, abs=0.05)


def test_no_correlation_gives_back_what_was_drawn():
    own = ranks(1, 9)
    assert tied_ranks(own, ranks(2, 9), 0.0) is own
    assert tied_normals(own, ranks(2, 9), 0.0) is own


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1), st.sampled_from([-1.0, -0.5, 0.5, 1.0]))
def test_ranks_at_the_very_ends_are_tied_too(ends, correlation):
    tied = tied_ranks(np.array(ends), np.array(ends[::-1]), correlation)
    assert np.isfinite(tied).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("correlation", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_the_fast_devices_of_a_fleet_have_the_fast_links(kind, correlation):
    fleet = build_fleet(KINDS[kind](kind=kind, speed_link_correlation=correlation), MANY, 1)
    usual = build_fleet(KINDS[kind](kind=kind), MANY, 1)
    np.testing.assert_array_equal(fleet.train_s_per_sample, usual.train_s_per_sample)
    for name in ("uplink_bytes_per_s", "downlink_bytes_per_s"):
        found = stats.spearmanr(-fleet.train_s_per_sample, getattr(fleet, name)).statistic
        crawling = 0.12 if kind == "harsh-mobile" else 0.03  # the 5 % that crawl are not tied to their links
        assert found == pytest.approx(correlation, abs=crawling)
        assert np.median(getattr(fleet, name)) == pytest.approx(np.median(getattr(usual, name)), rel=0.1)
