"""What the server decides, as tables."""

import numpy as np
import pytest

from fedras_ray.config.codecs import (
    ActionsCodec,
    AdaptiveActions,
    CustomCodec,
    DenseCodec,
    FixedActions,
    GainShapeCodec,
    ProductCodec,
    ResidualCodec,
    SparseCodec,
)
from fedras_ray.config.system import (
    ConstantRate,
    ConstantStaleness,
    CosineDecay,
    HingeStaleness,
    LinearDecay,
    PolynomialStaleness,
    StalenessLimit,
)
from fedras_ray.server.policies import (
    limited_weight,
    rate_factor,
    select,
    staleness_weight,
    upload_budget_bytes,
)
from fedras_ray.streams import Purpose, stream


@pytest.mark.parametrize(
    ("config", "staleness", "weight"),
    [
        (ConstantStaleness(), 0, 1),
        (ConstantStaleness(), 50, 1),
        (PolynomialStaleness(kind="polynomial"), 0, 1),
        (PolynomialStaleness(kind="polynomial"), 3, 0.5),
        (PolynomialStaleness(kind="polynomial", exponent=1), 3, 0.25),
        (PolynomialStaleness(kind="polynomial", exponent=2), 9, 0.01),
        (PolynomialStaleness(kind="polynomial", exponent=0), 9, 1),
        (HingeStaleness(kind="hinge"), 4, 1),
        (HingeStaleness(kind="hinge"), 6, 0.5),
        (HingeStaleness(kind="hinge", grace=0, slope=1), 3, 0.25),
    ],
)
def test_what_a_late_update_weighs(config, staleness, weight):
    assert staleness_weight(config, staleness) == pytest.approx(weight)


@pytest.mark.parametrize(
    ("changes", "staleness", "weight"),
    [
        ({}, 10**6, 1),
        ({"versions": 2}, 2, 1),
        ({"versions": 2}, 3, 0),
        ({"versions": 0}, 1, 0),
        ({"versions": 2, "beyond": "use"}, 3, 1),
        ({"versions": 2, "beyond": "down-weight", "weight": 0.25}, 3, 0.25),
    ],
)
def test_what_an_update_beyond_the_limit_weighs(changes, staleness, weight):
    assert limited_weight(StalenessLimit(**changes), staleness) == weight


@pytest.mark.parametrize(
    ("codec", "expected"),
    [
        (DenseCodec(), None),
        (SparseCodec(kind="sparse"), None),
        (CustomCodec(kind="custom", target="m:f"), None),
        (ActionsCodec(kind="actions", actions=FixedActions()), None),
        (ActionsCodec(kind="actions", actions=AdaptiveActions(kind="adaptive")), 1000),
        (ActionsCodec(kind="actions", actions=AdaptiveActions(kind="adaptive", upload_s=0.25)), 250),
        (GainShapeCodec(kind="gain-shape"), None),
        (GainShapeCodec(kind="gain-shape", actions=AdaptiveActions(kind="adaptive", upload_s=2)), 2001),
        (ProductCodec(kind="product", actions=AdaptiveActions(kind="adaptive")), 1000),
        (ResidualCodec(kind="residual", actions=AdaptiveActions(kind="adaptive")), 1000),
    ],
)
def test_what_a_device_may_send(codec, expected):
    assert upload_budget_bytes(codec, 1000.9) == expected


@pytest.mark.parametrize(
    ("idle", "count", "expected"), [(10, 4, 4), (10, 10, 10), (3, 10, 3), (0, 4, 0), (5, 0, 0)]
)
def test_selection_names_distinct_places_and_no_more_than_there_are(idle, count, expected):
    places = select(np.arange(100, 100 + idle), count, stream(1, Purpose.SELECTION))
    assert len(places) == len(set(places.tolist())) == expected
    assert all(0 <= place < idle for place in places)


def test_every_client_is_selected_about_as_often():
    idle, count, times = np.arange(20), 5, 2_000
    chosen = [select(idle, count, stream(1, Purpose.SELECTION, 0, turn)) for turn in range(times)]
    counts = np.bincount(np.concatenate(chosen), minlength=20)
    expected = count * times / 20
    assert np.square(counts - expected).sum() / (expected * 0.75) < 43.8  # 19 degrees of freedom, p = 0.001
    pairs = np.zeros((20, 20))
    for places in chosen:
        pairs[np.ix_(places, places)] += 1
    together = pairs[np.triu_indices(20, 1)]
    assert abs(together / (times * 5 * 4 / (20 * 19)) - 1).max() < 0.45  # 4.5 standard errors of 105


def test_the_same_stream_selects_the_same_clients():
    first, again, other = (
        select(np.arange(50), 9, stream(seed, Purpose.SELECTION)).tolist() for seed in (1, 1, 2)
    )
    assert first == again != other


def test_preferred_clients_are_asked_first_and_others_fill_up():
    idle, preferred = np.array([7, 2, 9, 4, 0, 5]), np.isin(np.arange(10), [2, 4, 8])
    for seed in range(20):
        two = idle[select(idle, 2, np.random.default_rng(seed), preferred)]
        assert set(two) == {2, 4}
        four = idle[select(idle, 4, np.random.default_rng(seed), preferred)]
        assert set(four) > {2, 4}
        assert len(set(four)) == 4
    assert len(select(idle, 99, np.random.default_rng(0), preferred)) == len(idle)
    asked = {int(idle[select(idle, 1, np.random.default_rng(seed), preferred)][0]) for seed in range(40)}
    assert asked == {2, 4}


@pytest.mark.parametrize(
    ("decay", "factors"),
    [
        (ConstantRate(), [1, 1, 1]),
        (LinearDecay(kind="linear"), [1, 0.5, 0.1]),
        (LinearDecay(kind="linear", final=0.2), [1, 0.6, 0.28]),
        (CosineDecay(kind="cosine", final=0.5), [1, 0.75, 0.5 + 0.5 * 0.02447174]),
    ],
)
def test_the_rate_falls_from_one_towards_its_final_share(decay, factors):
    assert [rate_factor(decay, version, 10) for version in (0, 5, 9)] == pytest.approx(factors)
