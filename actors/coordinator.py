"""The coordinator: one simulation as an actor, which streams its records to whoever asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ray

from actors.executor import RayExecutor
from actors.pool import peak_rss_bytes
from fedras_ray.config import Experiment
from fedras_ray.population import Population
from fedras_ray.records import EndRecord, EvaluationRecord, Record, VersionRecord
from fedras_ray.simulation import simulate

CHUNK = 1_000  # records sent together, at most


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
    def run(self) -> Iterator[list[Record]]:
        """The records of the run, a chunk per version."""
        chunk: list[Record] = []
        for record in simulate(self._experiment, self._population, self._executor):
            chunk.append(record)
            if isinstance(record, VersionRecord | EvaluationRecord | EndRecord) or len(chunk) >= CHUNK:
                yield chunk
                chunk = []

    @ray.method
    def peak_rss_bytes(self) -> int:
        """The most memory that coordinator and pools held, added up."""
        return peak_rss_bytes() + self._executor.peak_rss_bytes()
