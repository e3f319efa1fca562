"""Whom the server asks: places, quotas and utilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config.pacing import AvailableSelection, ClassSelection, UniformSelection, UtilitySelection
from fedras_ray.errors import ConfigError
from fedras_ray.server import policies
from fedras_ray.server.selection import Candidates, choose, class_shares, quotas, select, weighted
from fedras_ray.server.utility import explored_share, no_history, utilities
from fedras_ray.streams import Purpose, stream

KINDS = {
    "uniform": UniformSelection(),
    "available": AvailableSelection(kind="available"),
    "class": ClassSelection(kind="class"),
    "utility": UtilitySelection(kind="utility"),
}
UTILITY = UtilitySelection(kind="utility")


def rng(turn=0):
    return stream(5, Purpose.SELECTION, 0, turn)


def candidates(count, *, asked=0.5, available=None, preferred=None, version=9):
    draw = np.random.default_rng(count)
    history = no_history(count)
    for client in np.flatnonzero(draw.random(count) < asked):
        history.note(client, draw.random(), draw.lognormal(), int(draw.integers(version + 1)))
    shares = class_shares(ClassSelection(kind="class"), ("fast", "medium", "slow"))
    classes = draw.integers(0, 3, count).astype(np.int8)
    samples, turn_s = draw.integers(1, 500, count), draw.lognormal(size=count)
    return Candidates(classes, shares, samples, turn_s, history, version, available, preferred)


@pytest.mark.parametrize("idle", [1, 2, 7, 50, 51, 9_999, 10_001, 100_000])
def test_one_client_is_chosen_as_the_first_of_many_would_be(idle):
    """The short way to one draw gives the same place, and leaves the generator in the same state."""
    for turn in range(20):
        short, long = rng(turn), rng(turn)
        for _ in range(3):
            expected = long.choice(idle, size=1, replace=False, shuffle=False)
            assert select(np.arange(idle), 1, short).tolist() == expected.tolist()
        assert short.bit_generator.state == long.bit_generator.state


@pytest.mark.parametrize("turn", range(5))
@pytest.mark.parametrize("preferred", [None, np.arange(90) % 3 == 0, np.zeros(90, bool)])
def test_uniform_choice_is_what_it_was(turn, preferred):
    """To the bit: the words of numpy that the first version of this project used."""
    idle = np.random.default_rng(turn).permutation(90)[:60]
    known = candidates(90, preferred=preferred, available=np.zeros(90, bool))
    chosen = choose(UniformSelection(), idle, 25, rng(turn), known)
    assert (chosen == select(idle, 25, rng(turn), preferred)).all()
    everyone = known._replace(available=np.ones(90, bool))
    assert (choose(KINDS["available"], idle, 25, rng(turn), everyone) == chosen).all()
    if preferred is None:
        assert (chosen == rng(turn).choice(60, size=25, replace=False, shuffle=False)).all()
    assert policies.select is select


@given(
    kind=st.sampled_from(list(KINDS)),
    idle=st.integers(0, 40),
    count=st.integers(0, 45),
    asked=st.sampled_from([0.0, 0.3, 1.0]),
    on=st.sampled_from([None, 0.0, 0.4, 1.0]),
    wanted=st.sampled_from([None, 0.0, 0.4, 1.0]),
    turn=st.integers(0, 99),
)
def test_distinct_places_of_those_who_are_on_as_many_as_there_are(kind, idle, count, asked, on, wanted, turn):
    draw = np.random.default_rng(turn)
    available = None if on is None else draw.random(50) < on
    preferred = None if wanted is None else draw.random(50) < wanted
    clients = draw.permutation(50)[:idle]
    known = candidates(50, asked=asked, available=available, preferred=preferred)
    places = choose(KINDS[kind], clients, count, rng(turn), known)
    reachable = clients if available is None or kind == "uniform" else clients[available[clients]]
    assert len(places) == len(set(places.tolist())) == min(count, len(reachable))
    assert set(clients[places]) <= set(reachable)
    if preferred is not None:
        assert preferred[clients[places]].sum() == min(count, preferred[reachable].sum())
    again = choose(KINDS[kind], clients, count, rng(turn), known)
    assert (places == again).all()


def test_classes_get_their_quota():
    known = candidates(300)._replace(shares=np.array([0.5, 0.5, 0.0]))
    chosen = choose(KINDS["class"], np.arange(300), 40, rng(), known)
    assert np.bincount(known.device_class[chosen], minlength=3).tolist() == [20, 20, 0]


@pytest.mark.parametrize(
    ("shares", "available", "count", "expected"),
    [
        ([1, 1, 1], [9, 9, 9], 9, [3, 3, 3]),
        ([1, 1, 1], [9, 9, 9], 10, [4, 3, 3]),
        ([2, 1, 1], [9, 9, 9], 8, [4, 2, 2]),
        ([1, 1, 1], [1, 9, 9], 9, [1, 4, 4]),
        ([1, 1, 0], [2, 2, 9], 6, [2, 2, 2]),
        ([1, 1, 1], [1, 1, 1], 9, [1, 1, 1]),
        ([1, 1, 1], [0, 0, 0], 9, [0, 0, 0]),
        ([1, 1, 1], [9, 9, 9], 0, [0, 0, 0]),
        ([0.98, 0.01, 0.01], [9, 9, 9], 20, [9, 6, 5]),
    ],
)
def test_quotas_by_hand(shares, available, count, expected):
    weights = np.array(shares, float) / np.sum(shares)
    assert quotas(weights, np.array(available), count).tolist() == expected


def test_shares_have_names():
    assert class_shares(ClassSelection(kind="class"), ("a", "b")).tolist() == [0.5, 0.5]
    chosen = ClassSelection(kind="class", shares={"a": 3.0, "c": 1.0})
    assert class_shares(chosen, ("a", "b", "c")).tolist() == [0.75, 0, 0.25]
    with pytest.raises(ConfigError, match=r"selection.shares.slwo.*did you mean 'slow'"):
        class_shares(ClassSelection(kind="class", shares={"slwo": 1.0}), ("fast", "slow"))


def test_weights_are_chances():
    weights, times = np.array([1.0, 2.0, 5.0]), 4_000
    firsts = [weighted(weights, 1, rng(turn))[0] for turn in range(times)]
    counts = np.bincount(firsts, minlength=3)
    expected = weights / 8 * times
    assert (np.square(counts - expected) / expected).sum() < 13.8  # 2 degrees of freedom, p = 0.001


def test_utility_by_hand():
    """Three clients: scaled loss mass 0, ½ and 1; bonuses for their ages; the last one twice too slow."""
    history = no_history(4)
    for client, (loss, turn_s, version) in enumerate([(0.1, 1.0, 0), (0.2, 2.0, 3), (0.3, 8.0, 9)]):
        history.note(client, loss, turn_s, version)
    config = UTILITY.model_copy(update={"preferred": 0.5})  # T = 2
    samples = np.array([100, 100, 100, 7])
    found = utilities(config, history, np.array([0, 1, 2]), samples, version=9)
    bonus = np.sqrt(0.1 * np.log(10) / np.array([1, 4, 10]))
    clip = np.quantile([10, 20, 30], 0.95)
    worth = np.array([0, 10 / (clip - 10), 1])
    assert found == pytest.approx((worth + bonus) * [1, 1, (2 / 8) ** 2], rel=1e-6)
    assert history.never(np.arange(4)).tolist() == [False, False, False, True]


def test_those_near_the_best_are_chosen_and_some_who_were_never_asked():
    count, known = 100, candidates(1_000, asked=0.6, version=400)
    chosen = choose(UTILITY, np.arange(1_000), count, rng(), known)
    new = known.history.never(chosen)
    assert abs(new.sum() - UTILITY.least_exploration * count) <= 1
    asked = np.flatnonzero(known.history.last_version >= 0)
    score = dict(
        zip(asked, utilities(UTILITY, known.history, asked, known.samples, known.version), strict=True)
    )
    best = sorted(score.values())[-int((~new).sum())]
    assert min(score[client] for client in chosen[~new]) >= 0.95 * best
    assert known.expected_turn_s[chosen[new]].mean() < known.expected_turn_s.mean()


def test_exploration_falls_to_its_least():
    shares = [explored_share(UTILITY, version) for version in range(300)]
    assert shares == sorted(shares, reverse=True)
    assert (shares[0], shares[-1]) == (0.9, 0.2)


def test_a_slow_client_that_matters_is_asked_again_in_the_end():
    """Its bonus grows with its absence; nobody known is shut out."""
    history = no_history(2)
    history.note(0, 0.5, 1.0, 0)
    history.note(1, 0.5, 1.0, 100)
    old, new = utilities(UTILITY, history, np.array([0, 1]), np.array([10, 10]), version=100)
    assert old > new > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_thousand_clients_are_chosen_from(kind):
    known = candidates(1_000)
    many = known._replace(
        device_class=np.resize(known.device_class, 100_000),
        samples=np.resize(known.samples, 100_000),
        expected_turn_s=np.resize(known.expected_turn_s, 100_000),
        history=no_history(100_000),
        available=np.ones(100_000, bool),
    )
    assert len(set(choose(KINDS[kind], np.arange(100_000), 500, rng(), many).tolist())) == 500
