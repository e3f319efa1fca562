"""Dropouts and losses: as often as asked for, and the same ones at every higher probability."""

import numpy as np
import pytest

from fedras_ray.fleet.mishaps import drop_share, is_lost

TURNS = [(client, turn) for client in range(200) for turn in range(20)]


def drops(probability, seed=1):
    return [drop_share(probability, seed, *address) for address in TURNS]


def losses(probability, seed=1):
    return [is_lost(probability, seed, *address) for address in TURNS]


def test_nothing_happens_at_probability_zero():
    assert set(drops(0.0)) == {None}
    assert set(losses(0.0)) == {False}


@pytest.mark.parametrize("probability", [0.05, 0.5, 0.95])
def test_it_happens_as_often_as_asked_for_and_anywhere_in_the_turn(probability):
    shares = np.array([share for share in drops(probability) if share is not None])
    error = 4 * np.sqrt(probability * (1 - probability) / len(TURNS))
    assert len(shares) / len(TURNS) == pytest.approx(probability, abs=error)
    assert np.mean(losses(probability)) == pytest.approx(probability, abs=error)
    assert shares.min() >= 0
    assert shares.max() < 1
    np.testing.assert_allclose(np.quantile(shares, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.1)


def test_what_happens_at_one_probability_happens_at_every_higher_one():
    for fewer, more in [(0.1, 0.2), (0.2, 0.9)]:
        assert all(few is None or few == many for few, many in zip(drops(fewer), drops(more), strict=True))
        assert all(many or not few for few, many in zip(losses(fewer), losses(more), strict=True))


def test_turns_clients_seeds_and_kinds_are_independent():
    lost, dropped = np.array(losses(0.5)), np.array([share is not None for share in drops(0.5)])
    assert losses(0.5) == losses(0.5)
    for other in (np.array(losses(0.5, seed=2)), dropped, np.roll(lost, 1), np.roll(lost, 20)):
        assert abs(np.corrcoef(lost, other)[0, 1]) < 0.07
