"""The engine's events with turns that cost nothing, and ranking."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.engine import SCHEDULES, experiment_of, run
from fedras_ray.clients import ClientHost
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.models.build import build_model
from fedras_ray.streams import Purpose, stream


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_events(benchmark: Any, schedule: str) -> None:
    """20 rounds of a thousand turns, of 10,000 clients."""
    simulation = benchmark(run, experiment_of(schedule, 20, []), 10_000)
    assert simulation.trace.events > 20_000


def test_evaluation(benchmark: Any, experiment: Experiment, dataset: Dataset) -> None:
    """Every user of one shard of eight."""
    host = ClientHost(experiment, dataset, [0])
    table = build_model(experiment.model).initial_items(dataset.item_count, stream(1, Purpose.ITEM_TABLE))
    host.publish(0, table)
    assert len(benchmark(host.evaluate, 0, np.zeros(1, np.int64), []).users) > 0
