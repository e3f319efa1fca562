"""The instruments of `fedras_ray.telemetry`, shown through Ray: each node offers them to Prometheus.

Ray's agent forgets a gauge that it is not told of for twenty seconds, and a round may take longer: a thread
tells it what there is, again and again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ray.util.metrics import Counter, Gauge

from fedras_ray.config import Experiment
from fedras_ray.stretches import Stretch
from fedras_ray.telemetry import instruments as at
from fedras_ray.telemetry.instruments import INSTRUMENTS, Instrument
from fedras_ray.telemetry.tally import Tally

SHOW_S = 2.0  # between two showings
RUN = "run"  # a label that all series have: several runs may share a cluster
ON_RAY = {"counter": Counter, "gauge": Gauge}


class Meter:
    """Of one run.

    Args:
        experiment: what is run.
        pools: tells how often pools were placed anew, and how many seconds they were waited for, in all.
        goes_on: from a checkpoint.
    """

    def __init__(
        self, experiment: Experiment, pools: Callable[[], tuple[int, float]], goes_on: bool = False
    ) -> None:
        self._tally = Tally(experiment, goes_on)
        self._pools, self._told = pools, (0, 0.0)
        self._heard: list[Stretch] = []  # and not told yet
        self._run = {RUN: f"{experiment.name} s{experiment.seed}"}
        self._one_at_a_time, self._over = threading.Lock(), threading.Event()
        self._instruments: dict[str, Any] = {
            one.name: ON_RAY[one.kind](one.name, one.about, (*one.labels, RUN)) for one in INSTRUMENTS
        }

    @contextmanager
    def showing(self) -> Iterator[None]:
        """For the time of the block, and once more as it ends."""
        thread = threading.Thread(target=self._work, name="meter", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def hear(self, stretch: Stretch) -> None:
        """Some more records."""
        stretch.table()  # made here: two threads may not do it at once
        with self._one_at_a_time:
            self._heard.append(stretch)

    def _work(self) -> None:
        while not self._over.wait(SHOW_S):
            self._show()
        self._show()

    def _show(self) -> None:
        """Hand everything heard so far to Ray."""
        with self._one_at_a_time:
            heard, self._heard = self._heard, []
        self._tally.hear(heard)
        self._count_pools()
        for (counter, labels), value in self._tally.take().items():
            self._instruments[counter.name].inc(value, self._labelled(counter, labels))
        for (gauge, labels), value in self._tally.gauges.items():
            self._instruments[gauge.name].set(value, self._labelled(gauge, labels))

    def _count_pools(self) -> None:
        restarts, waited_s = self._pools()
        self._tally.count(at.RESTARTS, restarts - self._told[0])
        self._tally.count(at.WAITED, waited_s - self._told[1])
        self._told = restarts, waited_s

    def _labelled(self, instrument: Instrument, labels: tuple[str, ...]) -> dict[str, str]:
        return dict(zip(instrument.labels, labels, strict=True)) | self._run
