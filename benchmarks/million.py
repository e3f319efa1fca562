"""A million clients on one machine, beside ten thousand: what an update costs, and what memory it takes.

``python -m benchmarks.million`` makes 10⁶ clients with 50 interactions each over 10⁵ items (d = 32) and a
FedScale fleet, asks for 10⁵ client updates without rounds (2,000 at work, a version after 500), FedRAS with
16 actions, on Ray with a pool per core, and ranks for all before and after; then the same with 10⁴ clients.
Each size runs in a process of its own. CPU is of all processes together, memory the sum of their proportional
set sizes, looked at every two seconds (looking is not counted). Updates are counted from the first version to
the last: neither making the data, nor starting, nor the last ranking is in what one costs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from actors.session import RaySession
from benchmarks.family import Family
from fedras_ray.config import Experiment, build
from fedras_ray.data import load
from fedras_ray.records import EndRecord, EvaluationRecord, VersionRecord

SIZES = (1_000_000, 10_000)
GIB = 2**30
LOOK_EVERY_S = 2.0
LIMIT_S = 3_600.0  # of one size


def experiment_of(clients: int, asked: argparse.Namespace) -> Experiment:
    """The same work for any number of clients."""
    versions = asked.updates // 500
    return build(
        {},
        [
            "data.kind=synthetic",
            f"data.users={clients}",
            f"data.items={asked.items}",
            "data.mean_interactions=50",
            "fleet.kind=fedscale",
            "codec.kind=actions",
            "schedule.kind=buffered",
            "schedule.concurrency=2000",
            "schedule.buffer=500",
            "server.optimizer.rate=0.1",  # with which it learns: one that diverges is another workload
            f"schedule.versions={versions}",
            f"evaluation.every={versions}",
            "evaluation.sampled_negatives=0",
            *asked.set,
        ],
    )


class Watched:
    """The family of this process, looked at again and again; what looking costs is not in its CPU."""

    def __init__(self) -> None:
        self.family = Family()
        self._looking_s = 0.0

    def cpu_s(self) -> float:
        """So far."""
        return self.family.cpu_s() - self._looking_s

    @contextmanager
    def watched(self) -> Iterator[None]:
        """For the time of the block."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(LOOK_EVERY_S):
                self._looking_s += self.family.sample()

        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join(10)


def measure(clients: int, asked: argparse.Namespace) -> dict[str, float]:
    """One run, from nothing to the end."""
    run, began_s = Watched(), time.monotonic()
    experiment = experiment_of(clients, asked)
    dataset = load(experiment.data, experiment.seed)
    found = {"clients": float(clients), "data_s": time.monotonic() - began_s}
    with run.watched():
        first = last = (0, 0.0, 0.0)
        for record in RaySession(experiment, dataset):
            if isinstance(record, VersionRecord):
                last = (record.client_updates, time.monotonic(), run.cpu_s())
                first = first if first[0] else last
            elif isinstance(record, EvaluationRecord) and record.version:
                found |= {"rank_s": time.monotonic() - last[1], "rank_cpu_s": run.cpu_s() - last[2]}
                found["users"] = record.users
                found |= {name: value for name, value in record.quality if name == "ndcg@20"}
            elif isinstance(record, EndRecord):
                found |= {"updates": record.client_updates, "up_bytes": record.up_bytes}
    measured = last[0] - first[0]
    return found | {
        "start_s": first[1] - began_s - found["data_s"],
        "train_s": last[1] - first[1],
        "cpu_us_per_update": 1e6 * (last[2] - first[2]) / measured,
        "wall_us_per_update": 1e6 * (last[1] - first[1]) / measured,
        "peak_gib": run.family.peak_pss_bytes / GIB,
        "total_s": time.monotonic() - began_s,
    }


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, nargs="+", default=SIZES)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--updates", type=int, default=100_000)
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE laid over the experiment")
    parser.add_argument("--here", action="store_true", help="in this process; for one size")
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps(measure(asked.clients[0], asked)))
        return
    rest = sys.argv[1:]
    costs = []
    for clients in asked.clients:
        command = [sys.executable, "-m", "benchmarks.million", *rest, "--clients", str(clients), "--here"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
        if done.returncode:
            raise SystemExit(f"{clients:,} clients: failed\n{done.stderr[-4000:]}")
        found = json.loads(done.stdout.splitlines()[-1])
        costs.append(found["cpu_us_per_update"])
        print(f"{clients:,} clients: " + ", ".join(f"{name} {value:,.4g}" for name, value in found.items()))
    print(f"CPU of an update, first over last: {costs[0] / costs[-1]:.2f}")


if __name__ == "__main__":
    main()
