"""Ours, as the peers' scripts are run: ``python -m benchmarks.peers.ours CACHE --pools 2 --rounds 60``.

A line per round, as the peers print them. Every upload is encoded (sparse f32, lossless), decoded and
checked; the table goes down as dense f32. ``--pools 0`` is one process without Ray.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from pathlib import Path

from actors.cluster import STARTS_ITS_OWN
from actors.session import RaySession
from benchmarks.peers.job import CLIENTS_PER_ROUND, tree
from fedras_ray.data import load
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import Record, VersionRecord
from fedras_ray.simulation import simulate


def main() -> None:
    """See the module."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("cache", type=Path)
    asked.add_argument("--pools", type=int, default=0)
    asked.add_argument("--rounds", type=int, default=60)
    options = asked.parse_args()
    experiment = tree(options.cache, options.rounds, options.pools)
    dataset = load(experiment.data, experiment.seed)
    records: Iterable[Record]
    if options.pools:
        records = RaySession(experiment, dataset, STARTS_ITS_OWN)
    else:
        records = simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset))
    tell(records, options.rounds)


def tell(records: Iterable[Record], rounds: int) -> None:
    """A line per version, up to the last that is asked for."""
    before = time.monotonic()
    for record in records:
        if isinstance(record, VersionRecord):
            now = time.monotonic()
            print(
                f"[ours] round {record.version - 1}: {CLIENTS_PER_ROUND} clients {now - before:.2f}s "
                f"loss {record.train_loss:.6f}",
                flush=True,
            )
            before = now
            if record.version == rounds:
                return


if __name__ == "__main__":
    main()
