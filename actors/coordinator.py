"""The coordinator: one simulation as an actor, which streams its records to whoever asked for it."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from typing import Any

import ray

from actors.executor import RayExecutor
from actors.pool import peak_rss_bytes
from fedras_ray.config import Experiment
from fedras_ray.population import Population
from fedras_ray.simulation import Simulation
from fedras_ray.stretches import Stretch

MOST = 10_000  # records told together
SOON_S = 0.1  # after which a version is told


class Coordinator:
    """See the module. A plain class; `actors.session` places it."""

    def __init__(
        self, experiment: Experiment, population: Population, dataset: list[Any], pools: int
    ) -> None:
        """`dataset` is a list of one object reference, so that Ray does not fetch it here."""
        self._experiment = experiment
        self._population = population
        self._executor = RayExecutor(experiment, dataset[0], pools)

    @ray.method
    def ready(self) -> bool:
        """Answers once all pools are there."""
        return True

    @ray.method(num_returns="streaming")
    def run(self) -> Iterator[Stretch]:
        """The records of the run, some at a time."""
        simulation = Simulation(self._experiment, self._population, self._executor)
        gc.freeze()  # see `ClientPool`
        yield from stretches(simulation)

    @ray.method
    def peak_rss_bytes(self) -> int:
        """The most memory that coordinator and pools held, added up."""
        return peak_rss_bytes() + self._executor.peak_rss_bytes()


def stretches(simulation: Simulation) -> Iterator[Stretch]:
    """Run a simulation; its records in pieces that are worth a message, and told soon."""
    told_s = time.monotonic()
    for _ in simulation.events():
        if len(simulation.said) >= MOST or (simulation.said.others and time.monotonic() - told_s >= SOON_S):
            yield simulation.tell()
            told_s = time.monotonic()
    if simulation.said:
        yield simulation.tell()
