"""The coordinator: one simulation as an actor, which streams its records to whoever asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ray

from actors.executor import RayExecutor
from actors.following import Following
from actors.keeping import Cadence, stretches
from actors.meter import Meter
from actors.placing import Begun
from actors.process import peak_rss_bytes, settle
from actors.stop_sign import StopSign
from fedras_ray.checkpoints import Keeping, Plain, put_back
from fedras_ray.config import Experiment
from fedras_ray.kernels.compiling import wake
from fedras_ray.population import Population
from fedras_ray.simulation import Simulation
from fedras_ray.stretches import Stretch
from fedras_ray.trained import Told


class Coordinator:
    """See the module. A plain class; `actors.session` places it."""

    def __init__(
        self,
        experiment: Experiment,
        population: Population,
        dataset: list[Any],
        pools: int,
        sign: StopSign,
        start: Plain | None = None,
        begun: Begun | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        """`dataset` is a list of one object reference, so that Ray does not fetch it here.

        `sign` is where a wish to stop is seen, `start` a checkpoint to go on from, `begun` the pools, if
        they were placed already, and `keeping` how checkpoints are kept; None: they are not.
        """
        wake()  # while the pools begin
        self._experiment = experiment
        self._population = population
        self._executor = RayExecutor(experiment, dataset[0], pools, begun=begun)
        self._following = Following(experiment, self._executor)
        self._cadence = Cadence(experiment, sign.is_up)
        self._start, self._keeping = start, keeping

    @ray.method
    def ready(self) -> bool:
        """Answers once all pools are there."""
        return True

    @ray.method(num_returns="streaming")
    def run(self) -> Iterator[Told]:
        """The records of the run, some at a time, and checkpoints between them."""
        simulation = Simulation(self._experiment, self._population, self._executor)
        meter = Meter(self._experiment, self._executor.restarts_and_waits, self._start is not None)
        if self._start is not None:
            put_back(self._start, simulation, self._executor)
            self._start = None
        settle()
        self._following.begin()
        with meter.showing():
            for said in stretches(simulation, self._executor, self._cadence, self._keeping, self._between):
                if isinstance(said, Stretch):
                    meter.hear(said)
                yield said

    def _between(self, version: int) -> None:
        """What is done now that a version is made."""
        self._strike(version)
        self._following.look()

    def _strike(self, version: int) -> None:
        """Kill a pool if that is asked for; another one each time."""
        kills = self._experiment.faults.pool_kills
        if version in kills:
            self._executor.lose_pool(kills.index(version))

    @ray.method
    def usage(self) -> tuple[int, int]:
        """How many pools there are, and the most memory that coordinator and pools held, added up."""
        return self._executor.pools, peak_rss_bytes() + self._executor.peak_rss_bytes()
