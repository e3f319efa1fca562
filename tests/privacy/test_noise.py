"""Clipping and noise: the norm, the scale, the address of each draw, and what stays as it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import kstest

from fedras_ray.config import build
from fedras_ray.config.privacy import GaussianPrivacy, LaplacePrivacy, NoPrivacy
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.privacy import LocalPrivacy, clipped, noise, scale
from fedras_ray.simulation import simulate
from fedras_ray.streams import Purpose, stream
from tests.simulation.test_determinism import ScrambledExecutor
from tests.simulation.worlds import SCHEDULES, world

CLIPS = st.floats(1e-3, 1e3)
UPDATES = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.floats(-1e6, 1e6, width=32)
)
GAUSSIAN = GaussianPrivacy(kind="gaussian", clip=0.5, noise_multiplier=3.0)
LAPLACE = LaplacePrivacy(kind="laplace", clip=0.5, epsilon=0.25)


def configs(clip):
    return GaussianPrivacy(kind="gaussian", clip=clip), LaplacePrivacy(kind="laplace", clip=clip)


def norm(rows, config):
    return np.linalg.norm(rows.astype(float).ravel(), 2 if isinstance(config, GaussianPrivacy) else 1)


@given(UPDATES, CLIPS)
def test_no_update_is_longer_than_the_clip_and_none_turns(rows, clip):
    for config in configs(clip):
        short = clipped(rows, config)
        assert norm(short, config) <= clip * (1 + 1e-12)
        longest = max(norm(rows, config), 1e-300)
        assert np.allclose(short, rows * min(1.0, clip / longest), rtol=1e-9, atol=0)


@given(UPDATES, CLIPS)
def test_an_update_within_the_clip_stays_as_it_is(rows, clip):
    for config in configs(clip):
        if norm(rows, config) <= clip * (1 - 1e-9):
            assert np.array_equal(clipped(rows, config), rows)


@given(UPDATES, UPDATES, CLIPS)
def test_two_updates_differ_by_no_more_than_the_sensitivity(one, other, clip):
    """`scale` divides by what two updates of the same rows can be apart, twice the clip."""
    other = np.resize(other, one.shape)
    for config in configs(clip):
        apart = norm(clipped(one, config) - clipped(other, config), config)
        assert apart <= 2 * clip * (1 + 1e-12)


@pytest.mark.parametrize(
    ("config", "expected", "law"), [(GAUSSIAN, 2 * 0.5 * 3.0, "norm"), (LAPLACE, 2 * 0.5 / 0.25, "laplace")]
)
def test_noise_has_the_scale_and_the_law_that_are_stated(config, expected, law):
    assert scale(config) == expected
    drawn = noise(config, stream(1, Purpose.PRIVACY), (400, 50)).ravel() / expected
    assert kstest(drawn, law).pvalue > 0.01


@given(st.integers(0, 5), st.integers(0, 5))
def test_noise_hangs_on_the_client_and_its_turn_alone(client, turn):
    """Not on who else is in the batch, or where in it."""
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    privacy = LocalPrivacy(GAUSSIAN, 7)
    alone = privacy.noised([(client, turn)], np.array([0, 3]), rows[3:])
    together = privacy.noised([(9, 9), (client, turn)], np.array([0, 3, 6]), rows)
    assert np.array_equal(alone, together[3:])
    assert alone.dtype == np.float32
    assert not np.array_equal(alone, privacy.noised([(client, turn + 1)], np.array([0, 3]), rows[3:]))


def test_without_privacy_the_rows_are_the_same_object():
    rows = np.ones((2, 2), np.float32)
    assert LocalPrivacy(NoPrivacy(), 1).noised([(0, 0)], np.array([0, 2]), rows) is rows


def test_an_update_that_is_not_finite_stays_that():
    rows = np.array([[np.inf, 1.0]], np.float32)
    assert not np.isfinite(LocalPrivacy(GAUSSIAN, 1).noised([(0, 0)], np.array([0, 1]), rows)).all()


@pytest.mark.parametrize("kind", ["gaussian", "laplace"])
@pytest.mark.parametrize("feedback", ["none", "residual"])
def test_real_order_and_place_change_nothing(kind, feedback):
    settings = [
        *SCHEDULES["buffered"],
        f"privacy.kind={kind}",
        "privacy.clip=0.5",
        f"feedback.kind={feedback}",
    ]
    experiment, dataset = world(*settings)
    population = population_of(dataset)
    records = list(simulate(experiment, population, SerialExecutor(experiment, dataset)))
    assert list(simulate(experiment, population, ScrambledExecutor(experiment, dataset, 1))) == records
    other = build(experiment.model_dump(mode="json", exclude_none=True), ["execution.pools=7"])
    assert other.digest() == experiment.digest()


def test_noise_changes_what_is_sent_and_not_which_rows():
    """`sparse` tells rows and values apart: as many bytes and rows, another loss from the second turn on."""
    settings = [*SCHEDULES["sync"], "codec.kind=sparse"]
    plain, dataset = world(*settings)
    noisy, _ = world(*settings, "privacy.kind=gaussian", "privacy.clip=0.1", "privacy.noise_multiplier=10")
    runs = [
        list(simulate(one, population_of(dataset), SerialExecutor(one, dataset))) for one in (plain, noisy)
    ]
    sent = [[one for one in run if type(one).__name__ == "TurnRecord"] for run in runs]
    assert sent[0] == sent[1]
    losses = [[one.train_loss for one in run if type(one).__name__ == "VersionRecord"] for run in runs]
    assert losses[0][0] == losses[1][0]
    assert losses[0][1:] != losses[1][1:]
