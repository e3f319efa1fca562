"""Running an experiment on Ray from a driver: the one door through which workloads come in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import chain
from typing import Any

import ray

from actors.cluster import pool_count
from actors.connecting import Rising, connected
from actors.coordinator import Coordinator
from actors.pending import fetch
from actors.placing import Placement, actor_class, beside_driver
from actors.pool import ClientPool
from actors.reserving import give_back, new_run
from actors.stop_sign import StopSign
from fedras_ray.checkpoints import Keeping, Plain
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.errors import ExecutorError
from fedras_ray.population import population_of
from fedras_ray.records import Record
from fedras_ray.stretches import Stretch
from fedras_ray.trained import Told

ASIDE_S = 0.5  # after so long a silence somebody's wish is looked at


class RaySession:
    """One run on a cluster; iterate over it for its records."""

    def __init__(
        self,
        experiment: Experiment,
        dataset: Dataset,
        address: str | Rising | None = None,
        start: Plain | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        """`start` is a checkpoint to go on from, `keeping` how others are kept; None: they are not."""
        self._experiment = experiment
        self._dataset = dataset
        self._address = address
        self._start, self._keeping = start, keeping
        self._wish = threading.Event()
        self.pools = 0
        self.peak_rss_bytes = 0  # of coordinator and pools, known after the run

    def __iter__(self) -> Iterator[Record]:
        """The records of `stretches`, one by one."""
        return chain.from_iterable(one for one in self.stretches() if isinstance(one, Stretch))

    def stop(self) -> None:
        """Have `stretches` end soon, after a last checkpoint; from a signal's handler, too."""
        self._wish.set()

    def stretches(self) -> Iterator[Told]:
        """Connect, place the actors, stream the records, and let everything go.

        Raises:
            ExecutorError: the cluster is not there, too small, or lost an actor.
            FedrasError: whatever of ours was raised in an actor.
        """
        with connected(self._address):
            yield from self._run()

    def _run(self) -> Iterator[Told]:
        execution = self._experiment.execution
        self.pools = pool_count(execution)
        population = population_of(self._dataset)
        stored = ray.put(self._dataset)
        where = beside_driver()
        place: Any = actor_class(Coordinator).options(
            num_cpus=0, scheduling_strategy=where, enable_task_events=False
        )
        sign, run = StopSign(), new_run()
        placement = Placement(self._experiment, stored, ClientPool, self.pools, run)
        begun = placement.first()  # they start while the coordinator does
        coordinator: Any = place.remote(
            self._experiment, population, [stored], self.pools, sign, self._start, begun, self._keeping
        )
        try:
            fetch(coordinator.ready.remote(), "the coordinator", 2 * execution.start_limit_s)
            yield from self._stream(coordinator, sign)
            if self._wish.is_set():
                return
            self.pools, self.peak_rss_bytes = fetch(
                coordinator.usage.remote(), "the coordinator", execution.work_limit_s
            )
        finally:
            ray.kill(coordinator)
            give_back(run)
            sign.take_down()

    def _stream(self, coordinator: Any, sign: StopSign) -> Iterator[Told]:
        execution = self._experiment.execution
        limit_s = 2 * execution.work_limit_s + execution.start_limit_s  # a pool hangs, and is replaced
        told = coordinator.run.remote()
        silent_since_s, is_told = time.monotonic(), False
        while True:
            ready, _ = ray.wait([told], timeout=ASIDE_S)
            if self._wish.is_set() and not is_told:
                sign.put_up()
                is_told = True
            if ready:
                try:
                    said = next(told)
                except StopIteration:
                    return
                yield fetch(said, "the coordinator", limit_s)
                silent_since_s = time.monotonic()
            elif time.monotonic() - silent_since_s >= limit_s:
                raise ExecutorError(f"the coordinator said nothing for {limit_s:g} s")
