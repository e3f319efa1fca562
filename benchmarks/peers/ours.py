"""Ours, as the peers' scripts are run: ``python -m benchmarks.peers.ours CACHE --pools 2 --rounds 60``.

A line per round, as the peers print them. Every upload is encoded (sparse f32, lossless), decoded and
checked; the table goes down as dense f32. ``--pools 0`` is one process without Ray.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.connecting import Rising


def main() -> None:
    """See the module."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("cache", type=Path)
    asked.add_argument("--pools", type=int, default=0)
    asked.add_argument("--rounds", type=int, default=60)
    options = asked.parse_args()
    if options.pools:
        from actors.connecting import STARTS_ITS_OWN, Rising

        with Rising(STARTS_ITS_OWN) as where:  # it comes up while we import and read
            run(options.cache, options.rounds, options.pools, where)
    else:
        run(options.cache, options.rounds, 0, None)


def run(cache: Path, rounds: int, pools: int, where: Rising | None) -> None:
    """In pools where Ray is, or in this process."""
    from benchmarks.peers.job import tree
    from fedras_ray.data import load
    from workloads.running import SerialSession

    experiment = tree(cache, rounds, pools)
    dataset = load(experiment.data, experiment.seed)
    if where is None:
        tell(SerialSession(experiment, dataset).stretches(), rounds)
        return
    from actors.session import RaySession

    tell(RaySession(experiment, dataset, where).stretches(), rounds)


def tell(told: Iterable[object], rounds: int) -> None:
    """A line per version, up to the last that is asked for."""
    from benchmarks.peers.job import CLIENTS_PER_ROUND
    from fedras_ray.records import VersionRecord
    from fedras_ray.stretches import Stretch

    before = time.monotonic()
    for stretch in told:
        for _, record in stretch.others if isinstance(stretch, Stretch) else ():
            if not isinstance(record, VersionRecord):
                continue
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
