"""The accountant against closed forms, and what the summary says of a run."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from fedras_ray.config.privacy import GaussianPrivacy, LaplacePrivacy, NoPrivacy
from fedras_ray.guarantees import delta_of, epsilon
from workloads.guarantee import guarantee

TURNS = st.integers(1, 100_000)
MULTIPLIERS = st.floats(0.01, 1e6)
DELTAS = st.floats(1e-30, 0.1)


def gaussian(multiplier, delta):
    return GaussianPrivacy(kind="gaussian", clip=1.0, noise_multiplier=multiplier, delta=delta)


def exact_delta(epsilon, multiplier, turns):
    """Normal noise: turns are as one at multiplier / √turns. B. Balle, Y.-X. Wang, ICML 2018, theorem 8."""
    mean = math.sqrt(turns) / multiplier
    tail = epsilon + norm.logcdf(-epsilon / mean - mean / 2)
    return norm.cdf(-epsilon / mean + mean / 2) - math.exp(tail)


def zero_concentrated(multiplier, delta, turns):
    """M. Bun, T. Steinke, TCC 2016, prop. 1.3: ρ + 2 √(ρ ln(1/δ)), ρ = turns / (2 · multiplier²)."""
    rho = turns / (2 * multiplier**2)
    return rho + 2 * math.sqrt(rho * math.log(1 / delta))


@given(MULTIPLIERS, DELTAS, TURNS)
def test_normal_noise_is_told_at_least_as_large_as_it_is_and_at_most_as_zcdp_says(multiplier, delta, turns):
    told = epsilon(gaussian(multiplier, delta), turns)
    assert told <= zero_concentrated(multiplier, delta, turns) * 1.001 + 1e-12
    assert exact_delta(told, multiplier, turns) <= delta * (1 + 1e-6)


@pytest.mark.parametrize(
    ("multiplier", "delta", "turns", "known"),
    [
        (1.0, 1e-5, 1, 4.37718),
        (1.0, 1e-5, 100, 91.81729),
        (10.0, 1e-5, 10, 1.19937),
        (5.0, 1e-6, 25, 4.88655),
    ],
)
def test_known_values_are_met_from_above(multiplier, delta, turns, known):
    """`known` solves `exact_delta`; Renyi's way is looser by some per cent."""
    assert exact_delta(known, multiplier, turns) == pytest.approx(delta, rel=1e-3)
    assert known < epsilon(gaussian(multiplier, delta), turns) < 1.1 * known


def test_laplace_noise_adds_up():
    config = LaplacePrivacy(kind="laplace", clip=3.0, epsilon=0.5)
    assert [epsilon(config, turns) for turns in (0, 1, 7)] == [0.0, 0.5, 3.5]
    assert delta_of(config) == 0


@given(MULTIPLIERS, DELTAS, TURNS)
def test_more_turns_tell_more(multiplier, delta, turns):
    config = gaussian(multiplier, delta)
    assert epsilon(config, turns) <= epsilon(config, turns + 1)
    assert epsilon(config, 0) == 0


def test_the_summary_tells_of_the_client_with_most_turns_and_of_the_median_one():
    config = LaplacePrivacy(kind="laplace", clip=1.0, epsilon=2.0)
    assert guarantee(config, np.array([0, 5, 0, 1, 2, 2])) == {
        "epsilon_most": 10.0, "turns_most": 5, "epsilon_median": 4.0, "turns_median": 2, "delta": 0.0,
    }  # fmt: skip
    assert guarantee(NoPrivacy(), np.array([3])) is None
    nobody = guarantee(gaussian(1.0, 1e-5), np.zeros(3, np.int64))
    assert (nobody["turns_most"], nobody["epsilon_most"], nobody["delta"]) == (0, 0.0, 1e-5)
