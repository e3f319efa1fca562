"""Events a second of the engine alone: 10⁵ clients whose turns cost nothing to compute.

``python -m benchmarks.engine`` prints a line per schedule. An event is a dispatch, an end of training, an
arrival, or a version. Everything but training, encoding and ranking is real: clock, choice of clients,
fleet, downlink, decoding of (tiny) updates, aggregation, records.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clients import Assignment, ShardQuality, Turn
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.build import build_codec
from fedras_ray.config import Experiment, build
from fedras_ray.executor import Done
from fedras_ray.population import Population
from fedras_ray.records import TurnRecord
from fedras_ray.simulation import Simulation
from fedras_ray.streams import Purpose, stream

ITEMS, WIDTH = 100, 2


class IdleExecutor:
    """Every turn is the same tiny update, there at once."""

    def __init__(self, experiment: Experiment) -> None:
        update = ItemUpdate(np.array([1], np.int32), np.ones((1, WIDTH), np.float32), ITEMS)
        self._blob = build_codec(experiment.codec).encode(
            Outgoing(update, lambda: stream(0, Purpose.ENCODING))
        )

    def publish(self, view: int, table: NDArray[np.float32]) -> None:
        """Nobody looks at it."""

    def retire(self, view: int) -> None:
        """Nothing was kept."""

    def requests(self, shard: int, turns: Sequence[tuple[int, int]]) -> Done[list[NDArray[np.int32]]]:
        """One row each."""
        return Done([np.array([1], np.int32) for _ in turns])

    def train(self, shard: int, assignments: Sequence[Assignment]) -> Done[list[Turn]]:
        """The same for all."""
        return Done([Turn(one.client, self._blob, 1, 10, 60, 0.5) for one in assignments])

    def evaluate(self, shard: int, views: NDArray[np.int64], training: Sequence[int]) -> Done[ShardQuality]:
        """Nobody is ranked for."""
        return Done(ShardQuality(shard, np.zeros(0, np.int64), {}))


SCHEDULES = {
    "sync": ["schedule.clients_per_version=1000", "schedule.versions={rounds}"],
    "sync-deadline": [
        "schedule.kind=sync-deadline",
        "schedule.clients_per_version=1000",
        "schedule.deadline_s=2",
        "schedule.versions={rounds}",
    ],
    "buffered": [
        "schedule.kind=buffered",
        "schedule.concurrency=1000",
        "schedule.buffer=1000",
        "schedule.versions={rounds}",
    ],
}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE laid over the experiment")
    asked = parser.parse_args()
    for name, settings in SCHEDULES.items():
        rounds = max(1, asked.events // 3_000)
        common = ["codec.kind=sparse", f"model.width={WIDTH}", "evaluation.every=1000000"]
        experiment = build({}, [*common, *[text.format(rounds=rounds) for text in settings], *asked.set])
        population = Population(np.full(asked.clients, 20), ITEMS)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        simulation = Simulation(experiment, population, IdleExecutor(experiment))
        began = time.process_time()
        turns = sum(isinstance(record, TurnRecord) for record in simulation.run())
        seconds = time.process_time() - began
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        events = simulation.trace.events
        print(
            f"{name:15} {events:>10,} events, {turns:>8,} turns in {seconds:6.1f} s of CPU: "
            f"{events / seconds:>9,.0f} events/s, {grown / asked.clients:6.0f} bytes more per client"
        )


if __name__ == "__main__":
    main()
