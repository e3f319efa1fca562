"""Updates that are too long: what is left of them, and what they do to the limit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config import build
from fedras_ray.config.defence import FixedClip, MedianClip, NoClip
from fedras_ray.errors import ConfigError
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import EvaluationRecord
from fedras_ray.server.defence import Clipping
from fedras_ray.simulation import Simulation
from tests.simulation.worlds import SCHEDULES, world

LENGTHS = st.lists(st.floats(0, 1e12), min_size=1, max_size=40)


@given(LENGTHS)
def test_without_a_limit_nothing_is_shortened(lengths):
    clipping = Clipping(NoClip())
    assert {clipping.factor(length) for length in lengths} == {1.0}


@given(LENGTHS, st.floats(1e-6, 1e6))
def test_a_fixed_limit_is_kept_and_what_is_below_it_stays(lengths, norm):
    clipping = Clipping(FixedClip(kind="fixed", norm=norm))
    for length in lengths:
        factor = clipping.factor(length)
        assert factor * length == pytest.approx(min(length, norm))
        assert length > norm or factor == 1.0


@given(LENGTHS, st.floats(0.5, 10), st.integers(1, 7))
def test_a_relative_limit_is_that_of_the_definition(lengths, factor, memory):
    clipping = Clipping(MedianClip(kind="median", factor=factor, memory=memory))
    used = []
    for length in lengths:
        recent = sorted(used[-memory:])
        limit = factor * recent[(len(recent) - 1) // 2] if recent else np.inf
        found = clipping.factor(length)
        assert found == (limit / length if length > limit else 1.0)
        used.append(found * length)


def test_whoever_shouts_cannot_raise_the_limit():
    clipping = Clipping(MedianClip(kind="median", factor=3.0, memory=101))
    for _ in range(60):
        clipping.factor(1.0)
    for _ in range(40):
        assert clipping.factor(1e6) * 1e6 == pytest.approx(3.0)


def quality_of(*settings):
    experiment, dataset = world(*settings)
    simulation = Simulation(experiment, population_of(dataset), SerialExecutor(experiment, dataset))
    records = [record for record in simulation.run() if isinstance(record, EvaluationRecord)]
    return simulation._server.table, dict(records[-1].quality)


def test_one_client_in_ten_that_shouts_destroys_the_table_and_clipped_does_not():
    settings = ["schedule.versions=6", "schedule.clients_per_version=20"]
    attack = ["faults.poison=0.1"]
    clean, _ = quality_of(*settings)
    broken, _ = quality_of(*settings, *attack)
    clipped, _ = quality_of(*settings, *attack, "server.defence.clip.kind=median")
    assert np.abs(broken).max() > 1e3 * np.abs(clean).max()
    assert np.abs(clipped).max() < 2 * np.abs(clean).max()


def test_a_limit_that_nobody_reaches_changes_nothing():
    settings = SCHEDULES["buffered"]
    clean, quality = quality_of(*settings)
    same, its_quality = quality_of(
        *settings, "server.defence.clip.kind=fixed", "server.defence.clip.norm=1e9"
    )
    np.testing.assert_array_equal(clean, same)
    assert quality == its_quality


def test_a_limit_has_a_number():
    with pytest.raises(ConfigError, match=r"server\.defence\.clip\.norm"):
        build({}, ["server.defence.clip.kind=fixed"])
