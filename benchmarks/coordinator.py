"""CPU per client update by process, and what the coordinator's comes to with many pools.

    python -m benchmarks.coordinator                 FedRAS on MovieLens-1M, with 1 and 2 pools
    python -m benchmarks.coordinator --idle 2 8 32   pools that compute nothing, on a cluster of 4 nodes here

Microseconds of CPU, user and system, between two versions, divided by the updates in between. `driver` writes
the records; `raylet` is all of Ray's own processes. With idle pools every version is made of 32 updates of
each pool: there are more of them with more pools, as on a cluster that is larger because there is more to do.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import ray
from ray.cluster_utils import Cluster

from actors import messages
from actors.executor import RayExecutor
from actors.keeping import Cadence, stretches
from actors.messages import Message
from actors.session import RaySession
from benchmarks.family import descendants
from fedras_ray.config import Experiment, build, read
from fedras_ray.data import load
from fedras_ray.evaluation.shards import ShardQuality
from fedras_ray.population import Population
from fedras_ray.records import VersionRecord
from fedras_ray.server.folding import Partial
from fedras_ray.simulation import Simulation
from fedras_ray.site import Rounded
from fedras_ray.snapshots.sealed import sealed
from fedras_ray.stretches import Stretch
from fedras_ray.work import Receipts
from workloads.experiments import find
from workloads.record_writer import RecordWriter
from workloads.sinks import listening

COLUMNS = ("coordinator", "driver", "raylet", "pools")
ROWS, WIDTH = 2_000, 32  # that a sum of idle pools touches
TURNS_PER_POOL, NODES = 32, 4


class IdlePool:
    """A pool that has its answers ready."""

    def __init__(self, experiment: Experiment, dataset: Any, shards: range) -> None:
        self._shards = shards
        self._sum = (
            np.arange(ROWS, dtype=np.int32),
            np.ones((ROWS, WIDTH), np.float32),
            np.ones(ROWS, np.int32),
        )

    def ready(self) -> bool:
        """At once."""
        return True

    def round(self, work: Message, tells: bool, news: Any, *tables: Any) -> Message:
        """The same for all, and one branch of 2**k shards."""
        clients = np.array(messages.clients(work))
        whole = np.broadcast_to(np.array([0, 600, 400, 2_000, 50_000, 16, 0]), (len(clients), 7)).copy()
        whole[:, 0] = clients
        level = len(self._shards).bit_length() - 1
        receipts = Receipts(whole, np.full((len(clients), 2), 0.5))
        sums = [Partial(level, self._shards.start >> level, *self._sum)]
        return messages.round_answers(Rounded(receipts, sums), None)

    def states(self, at_work: Any = None) -> bytes:
        """There is nothing to go on from."""
        return sealed([])

    def evaluate(
        self, shard: int, views: Any, training: Sequence[int], news: Any, *tables: Any
    ) -> ShardQuality:
        """Nobody is ranked for."""
        return ShardQuality(shard, np.zeros(0, np.int64), {}, 0)


class IdleCoordinator:
    """As `actors.coordinator.Coordinator`, with idle pools."""

    def __init__(self, experiment: Experiment, pools: int) -> None:
        self._cadence = Cadence(experiment)
        self._executor = RayExecutor(experiment, None, pools, IdlePool)
        clients = np.full(100_000, 20)
        self._simulation = Simulation(experiment, Population(clients, ROWS), self._executor)

    @ray.method(num_returns="streaming")
    def run(self) -> Iterable[Stretch]:
        """The records."""
        for said in stretches(self._simulation, self._executor, self._cadence):
            assert isinstance(said, Stretch)
            yield said


def cpu_s() -> Counter[str]:
    """Seconds of this process and of its children so far, by what they are."""
    me, *others = descendants()
    found = Counter({"driver": sum(me.cpu_times()[:2])})
    for process in others:
        with contextlib.suppress(psutil.Error):
            found[_role(process.cmdline())] += sum(process.cpu_times()[:2])
    return found


def _role(command: Sequence[str]) -> str:
    name = command[0] if command else ""
    if "Coordinator" in name:
        return "coordinator"
    return "pools" if "Pool" in name else "raylet"


def measured(told: Iterable[Stretch], first: int, last: int) -> dict[str, float]:
    """Microseconds per update by process, between two versions, with the records written."""
    samples: list[tuple[Counter[str], int]] = []
    with tempfile.TemporaryDirectory() as folder, listening(RecordWriter(Path(folder))) as writer:
        for stretch in told:
            writer.write(stretch)
            for _, record in stretch.others:
                if isinstance(record, VersionRecord) and record.version in (first, last):
                    samples.append((cpu_s(), record.client_updates))
    (before, begun), (after, done) = samples
    return {name: 1e6 * (after[name] - before[name]) / (done - begun) for name in COLUMNS}


def trained(pools: int, first: int, last: int, settings: Sequence[str]) -> dict[str, float]:
    """The default experiment on MovieLens-1M."""
    fixed = [f"schedule.versions={last}", "evaluation.every=100000", f"execution.pools={pools}"]
    experiment = read(find("ml-1m-fedras"), [*fixed, *settings])
    session = RaySession(experiment, load(experiment.data, experiment.seed), "local")
    return measured(session.stretches(), first, last)


def idle(pools: int, first: int, last: int, settings: Sequence[str]) -> dict[str, float]:
    """As many idle pools, spread over the nodes of a cluster on this machine."""
    fixed = [
        f"schedule.versions={last}",
        f"schedule.clients_per_version={TURNS_PER_POOL * pools}",
        f"execution.shards={4 * pools}",
        f"model.width={WIDTH}",
        "evaluation.every=100000",
    ]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    for _ in range(NODES - 1):
        cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        coordinator: Any = ray.remote(IdleCoordinator).options(num_cpus=0)
        told = coordinator.remote(build({}, [*fixed, *settings]), pools).run.remote()
        return measured((ray.get(one) for one in told), first, last)
    finally:
        ray.shutdown()
        cluster.shutdown()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pools", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--idle", type=int, nargs="*", default=[])
    parser.add_argument("--versions", type=int, nargs=2, default=[20, 80], help="measured from, to")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE laid over the experiment")
    asked = parser.parse_args()
    os.environ.setdefault("RAY_worker_niceness", "0")  # as the driver: they share the cores
    print("pools", *(f"{name:>12}" for name in COLUMNS))
    for count in asked.idle or asked.pools:
        found = (idle if asked.idle else trained)(count, *asked.versions, asked.set)
        print(f"{count:5}", *(f"{found[name]:9.1f} µs" for name in COLUMNS), flush=True)


if __name__ == "__main__":
    main()
