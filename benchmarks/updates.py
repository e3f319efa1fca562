"""Client updates a second, end to end: training, clustering, encoding, decoding, aggregating, recording.

    python benchmarks/updates.py            MovieLens-1M-sized synthetic clients on all cores

The clients are as large as MovieLens-1M's (165 positives on average out of 3,706 items). The rate is
taken between the first and the last version, so it leaves the start of the cluster out, and the
evaluation at the end; the serial row is one process without Ray. Rates are the machine's: compare
within one run.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from actors.session import RaySession
from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import Record, VersionRecord
from fedras_ray.simulation import simulate

ML_1M = [
    "data.kind=synthetic",
    "data.users=6040",
    "data.items=3706",
    "data.mean_interactions=165",
    "model.item_std=0.03",
    "training.item_rate=0.03",
    "training.private_rate=0.005",
    "evaluation.every=100000",
    "execution.shards=8",
]
SCHEDULES = {
    "sync, rounds of 256": ["schedule.kind=sync", "schedule.clients_per_version=256"],
    "buffered, 512 at work, 128 a version": [
        "schedule.kind=buffered",
        "schedule.concurrency=512",
        "schedule.buffer=128",
    ],
}


def rate(records: Iterable[Record], least_s: float) -> float:
    """Updates a second between the first version and the last one within `least_s` seconds of it."""
    first: tuple[float, int] | None = None
    for record in records:
        if isinstance(record, VersionRecord):
            now = time.monotonic()
            if first is None:
                first = (now, record.client_updates)
            elif now - first[0] >= least_s:
                return (record.client_updates - first[1]) / (now - first[0])
    raise SystemExit("the run was too short to measure")


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=float, default=15.0, help="measured per row")
    asked.add_argument("--pools", type=int, default=os.cpu_count() or 1)
    options = asked.parse_args()
    table = Table("schedule", "codec", "serial, updates/s", f"{options.pools} pools, updates/s")
    for schedule, settings in SCHEDULES.items():
        for codec in ("actions", "dense"):
            chosen = build({}, [*ML_1M, f"codec.kind={codec}", *settings, "schedule.versions=100000"])
            dataset = load(chosen.data, chosen.seed)
            serial = simulate(chosen, population_of(dataset), SerialExecutor(chosen, dataset))
            pooled = RaySession(
                build(chosen.model_dump(mode="json"), [f"execution.pools={options.pools}"]), dataset
            )
            table.add_row(
                schedule, codec, *(f"{rate(one, options.seconds):,.0f}" for one in (serial, pooled))
            )
    Console().print(table)


if __name__ == "__main__":
    main()
