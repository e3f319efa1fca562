"""By what links differ from their profiles: a factor of mean 1, with the variation asked for."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.clock import NANOS_PER_SECOND
from fedras_ray.config.network import GammaVariation, LogNormalVariation
from fedras_ray.fleet.factors import DrawnFactors, TracedFactors
from fedras_ray.fleet.traces import FactorTrace

S = NANOS_PER_SECOND
GAMMA = GammaVariation(kind="gamma", cv=0.8, hold_s=2.0)
LOG_NORMAL = LogNormalVariation(kind="log-normal", cv=1.5, hold_s=0.5)
TRACE = FactorTrace((0, 2 * S, 2 * S + 7), (0.5, 0.0, 4 / 3), 3 * S)
KINDS = {
    "gamma": lambda seed: DrawnFactors(GAMMA, seed),
    "log-normal": lambda seed: DrawnFactors(LOG_NORMAL, seed),
    "trace": lambda seed: TracedFactors(TRACE, seed),
}
VARYING = {kind: build(1) for kind, build in KINDS.items()}
every_factor = pytest.mark.parametrize("factors", VARYING.values(), ids=VARYING)
CLIENTS, STARTS = st.integers(0, 2), st.integers(0, 10**12)


@pytest.mark.parametrize("build", KINDS.values(), ids=KINDS)
def test_the_order_of_questions_changes_nothing(build):
    questions = [(client, at * S) for client in (0, 1, 7, 10**6) for at in (0, 3, 500, 10**6, 2)]
    forth, back = build(1), build(1)
    answers = [forth.piece(*question) for question in questions]
    assert answers == [back.piece(*question) for question in reversed(questions)][::-1]
    assert answers != [build(2).piece(*question) for question in questions]


@every_factor
@given(CLIENTS, STARTS, st.floats(0, 1))
def test_a_piece_is_the_same_from_any_instant_in_it(factors, client, at, share):
    piece = factors.piece(client, at)
    assert factors.piece(client, at + int(share * (piece.until_ns - 1 - at))) == piece
    assert factors.piece(client, piece.until_ns - 1) == piece
    assert factors.piece(client, piece.until_ns).until_ns > piece.until_ns


@every_factor
def test_clients_differ(factors):
    assert len({factors.piece(client, 10**9) for client in range(100)}) > 50


@pytest.mark.parametrize("config", [GAMMA, LOG_NORMAL], ids=lambda config: config.kind)
def test_factors_have_mean_one_and_the_variation_asked_for_from_the_start_and_for_ever(config):
    factors = DrawnFactors(config, 5)
    skewness = {"gamma": 2 * config.cv, "log-normal": config.cv * (config.cv**2 + 3)}[config.kind]
    for at in (0, 10_000 * S):
        values = np.array([factors.piece(client, at).factor for client in range(8_000)])
        assert values.mean() == pytest.approx(1, abs=4 * config.cv / math.sqrt(len(values)))
        assert np.median(values) == pytest.approx(median(config), rel=0.05)
        if config.kind == "gamma":
            assert values.std() == pytest.approx(config.cv, rel=0.05)
            assert ((values - 1) ** 3).mean() / config.cv**3 == pytest.approx(skewness, rel=0.25)


def median(config):
    """Of the log-normal in closed form; of the gamma of shape 1 / 0.8^2 from its quantile function."""
    return 1 / math.sqrt(1 + config.cv**2) if config.kind == "log-normal" else 0.79662


def test_changes_come_as_often_as_asked_for_and_without_memory():
    factors = DrawnFactors(GAMMA, 3)
    holds, at, since, value = [], 0, None, factors.piece(0, 0).factor
    while len(holds) < 5_000:
        now, ends = factors.piece(0, at)
        if now != value:
            holds += [] if since is None else [at - since]
            value, since = now, at
        at = ends
    holds = np.array(holds) / S
    assert holds.mean() == pytest.approx(2.0, rel=0.05)
    assert holds.std() == pytest.approx(2.0, rel=0.07)  # exponential


def test_values_at_the_same_instant_are_alike_only_for_a_hold():
    """Correlation exp(-lag / hold): the factor is drawn anew at the points of a Poisson process."""
    factors = DrawnFactors(GAMMA, 9)
    start = np.array([factors.piece(client, 50 * S).factor for client in range(6_000)])
    for lag_s in (1.0, 4.0):
        later = np.array([factors.piece(client, int((50 + lag_s) * S)).factor for client in range(6_000)])
        assert np.corrcoef(start, later)[0, 1] == pytest.approx(math.exp(-lag_s / 2), abs=0.05)


def test_clients_begin_a_trace_anywhere():
    """The share of clients in each part of a cycle is its share of time."""
    shares = np.array([VARYING["trace"].piece(client, 0).factor == 0.5 for client in range(4_000)])
    assert shares.mean() == pytest.approx(2 / 3, abs=0.03)
