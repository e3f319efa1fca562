"""Events a second of the engine alone, and bytes per idle client: 10⁵ clients whose turns cost nothing.

``python -m benchmarks.engine`` prints a line per schedule. An event is a dispatch, an end of training, an
arrival, or a version. Everything but training, encoding and ranking is real: clock, choice of clients,
fleet, downlink, aggregation, records. Decoding an update of one row, as often as one arrives, is no work of
the engine; the first rate is without it (a blob that was seen before is not decoded again), the second with.
Seconds are of CPU. Bytes are what 10⁵ more clients make the simulation hold once it has run a little, by
`tracemalloc`, and at most on the way; what clients hold themselves is not in them.

On a busy core of an AMD EPYC, thousand events/s without and with decoding: `sync` 75 and 48, `sync-deadline`
73 and 49, `buffered` 56 and 38; on a quiet one 92, 95 and 70 without. 62 bytes per client.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config import Experiment, build
from fedras_ray.evaluation.shards import ShardQuality
from fedras_ray.executor import Done
from fedras_ray.population import Population
from fedras_ray.server.folding import Partial, Shares
from fedras_ray.simulation import Simulation
from fedras_ray.site import Rounded
from fedras_ray.work import Assignments, Receipts, Round

ITEMS, WIDTH, SHARDS = 100, 2, 8
Ids = NDArray[np.int32]


class IdleExecutor:
    """Every turn is the same tiny update, there at once."""

    def __init__(self) -> None:
        self._items, self._rows = np.array([1], np.int32), np.ones((1, WIDTH), np.float32)

    def publish(self, view: int, table: NDArray[np.float32]) -> None:
        """Nobody looks at it."""

    def retire(self, view: int) -> None:
        """Nothing was kept."""

    def requests(self, turns: Mapping[int, Sequence[tuple[int, int]]]) -> list[Done[dict[int, Ids]]]:
        """One row each."""
        return [Done({client: self._items for some in turns.values() for client, _ in some})]

    def train(self, work: Mapping[int, Assignments]) -> list[Done[Receipts]]:
        """The same for all."""
        clients = np.concatenate([some.column("client") for some in work.values()])
        whole = np.broadcast_to(np.array([0, 60, 1, 10, 60, 0, 0]), (len(clients), 7)).copy()
        whole[:, 0] = clients
        return [Done(Receipts(whole, np.full((len(clients), 2), 0.5)))]

    def round(self, work: Mapping[int, Round]) -> list[Done[Rounded]]:
        """Likewise."""
        (trained,) = self.train({shard: some.assignments for shard, some in work.items()})
        receipts = trained.result()
        return [Done(Rounded(receipts, [self._added(len(receipts))]))]

    def fold(
        self, shares: Mapping[int, Shares], gone: Mapping[int, Sequence[tuple[int, int]]]
    ) -> list[Done[list[Partial]]]:
        """One row of as many updates as there were."""
        return [Done([self._added(sum(len(some.clients) for some in shares.values()))])]

    def _added(self, updates: int) -> Partial:
        level, count = (SHARDS - 1).bit_length(), np.array([updates], np.int32)
        return Partial(level, 0, self._items, self._rows, count)

    def evaluate(self, shard: int, views: NDArray[np.int64], training: Sequence[int]) -> Done[ShardQuality]:
        """Nobody is ranked for."""
        return Done(ShardQuality(shard, np.zeros(0, np.int64), {}, 0))


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


def experiment_of(schedule: str, rounds: int, settings: Sequence[str]) -> Experiment:
    """A schedule for so many rounds of a thousand turns."""
    common = [f"model.width={WIDTH}", "evaluation.every=1000000", f"execution.shards={SHARDS}"]
    chosen = [text.format(rounds=rounds) for text in SCHEDULES[schedule]]
    return build({}, [*common, *chosen, *settings])


def run(experiment: Experiment, clients: int) -> Simulation:
    """All of it, with nobody listening."""
    simulation = Simulation(experiment, Population(np.full(clients, 20), ITEMS), IdleExecutor())
    for _ in simulation.run():
        pass
    return simulation


def events_per_s(experiment: Experiment, clients: int) -> tuple[int, float]:
    """How many there were, and how many in a second of CPU."""
    began = time.process_time()
    events = run(experiment, clients).trace.events
    return events, events / (time.process_time() - began)


def memory(experiment: Experiment, clients: int) -> NDArray[np.int64]:
    """(2,) bytes that a simulation holds once it has run, and the most that it held."""
    tracemalloc.start()
    simulation = run(experiment, clients)
    found = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del simulation
    return np.array(found)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE laid over the experiment")
    asked = parser.parse_args()
    rounds = max(1, asked.events // 3_000)
    for schedule in SCHEDULES:
        run(experiment_of(schedule, 1, asked.set), asked.clients)  # kernels are compiled
        events, rate = events_per_s(experiment_of(schedule, rounds, asked.set), asked.clients)
        short = experiment_of(schedule, 3, asked.set)
        grown = memory(short, 2 * asked.clients) - memory(short, asked.clients)
        held, most = grown / asked.clients
        print(
            f"{schedule:13} {events:>9,} events: {rate:>7,.0f} events/s; "
            f"{held:.0f} bytes per idle client, {most:.0f} at the most"
        )


if __name__ == "__main__":
    main()
