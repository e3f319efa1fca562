"""What a checkpoint after every version costs: `python -m benchmarks.checkpoints [--versions 100 --pools 2]`.

The default experiment, in one process or in pools on Ray, with and without checkpoints by turns: records to
Parquet as in a run, in a temporary folder. Told are the medians over pairs of the ratios of wall time, from
the first version to the last record; in one process also of CPU time, which counts the thread that writes,
and how many checkpoints were written of those that were taken, as a newer one takes the place of one that
waits.

With `--whole` it is `fedras run` as a user starts it, all of its versions, from the command to its end: the
ratios of its wall time, with Ray's start and everything else that a run does once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from actors.connecting import STARTS_ITS_OWN
from actors.session import RaySession
from benchmarks.tracking import Stopwatch
from fedras_ray.config import read
from fedras_ray.data import load
from fedras_ray.snapshots.container import Piece
from workloads.checkpoints.files import SUFFIX
from workloads.checkpoints.store import LocalStore
from workloads.course import Course
from workloads.experiments import DEFAULT, find
from workloads.running import SerialSession
from workloads.stopping import Wish


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--pools", type=int, default=0, help="on Ray; 0: in one process")
    parser.add_argument("--whole", action="store_true", help="`fedras run`, from the command to its end")
    asked = parser.parse_args()
    if asked.whole:
        whole(asked.pairs)
        return
    pairs, written = [], []
    for pair in range(asked.pairs + 1):  # the first compiles
        runs = {every: spent(every, asked.versions, asked.pools) for every in by_turns(pair)}
        without, with_them = runs[0][:2], runs[1][:2]
        written.append(runs[1][2])
        if pair:
            pairs.append([after / before for before, after in zip(without, with_them, strict=True)])
            say(f"wall {without[0]:.2f} → {with_them[0]:.2f} s, CPU {without[1]:.2f} → {with_them[1]:.2f} s")
    wall, cpu = (statistics.median(column) for column in zip(*pairs, strict=True))
    if asked.pools:
        say(f"a checkpoint after each of {asked.versions} versions, {asked.pools} pools: wall × {wall:.3f}")
        return
    say(f"a checkpoint after each of {asked.versions} versions: wall × {wall:.3f}, CPU × {cpu:.3f}")
    say(f"written: {min(written)} to {max(written)} of {asked.versions - 1}; the last version needs none")


def by_turns(pair: int) -> tuple[int, int]:
    """Without checkpoints and with: now one first, now the other, whatever the machine does meanwhile."""
    return (0, 1) if pair % 2 else (1, 0)


def whole(pairs: int) -> None:
    """Ratios of whole runs, and that both come to the same."""
    lasted(0)  # compiles
    ratios = []
    for pair in range(pairs):
        runs = {every: lasted(every) for every in by_turns(pair)}
        (without_s, digest), (with_s, its_digest) = runs[0], runs[1]
        assert digest == its_digest
        ratios.append(with_s / without_s)
        say(f"fedras run {without_s:.2f} → {with_s:.2f} s, × {ratios[-1]:.3f}")
    say(f"a checkpoint after each version of fedras run: wall × {statistics.median(ratios):.3f}")


def lasted(every: int) -> tuple[float, str]:
    """How many seconds `fedras run` takes with a checkpoint every so many versions, and its digest."""
    settings = f"checkpoint.every_versions={every}", "checkpoint.every_minutes=0"
    chosen = [part for one in settings for part in ("--set", one)]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "workloads", "run", *chosen, "--out", f"{folder}/run", "--json"]
        store = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
        began_s = time.monotonic()
        ended = subprocess.run(
            command, env=os.environ | store, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
        took_s = time.monotonic() - began_s
    return took_s, json.loads(ended.stdout.splitlines()[-1])["trace_digest"]


class Counted(LocalStore):
    """A folder that counts the checkpoints that become whole in it."""

    count = 0

    def write(self, name: str, pieces: Iterable[Piece]) -> None:
        super().write(name, pieces)
        self.count += name.endswith(SUFFIX)


def spent(every: int, versions: int, pools: int) -> tuple[float, float, int]:
    """Wall and CPU seconds of a run with a checkpoint every so many versions, and how many were written."""
    settings = [f"schedule.versions={versions}", f"checkpoint.every_versions={every}"]
    where = [f"execution.pools={pools}"] if pools else []
    experiment = read(find(DEFAULT), [*settings, *where, "checkpoint.every_minutes=0"])
    dataset = load(experiment.data, experiment.seed)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        store = Counted(Path(folder) / "checkpoints")
        course = Course(experiment, dataset, Path(folder), store, [watch], Wish())
        if pools:
            course.run(lambda *on: RaySession(experiment, dataset, STARTS_ITS_OWN, *on), None, 0)
        else:
            course.run(lambda *on: SerialSession(experiment, dataset, *on), None, 0)
    assert watch.first is not None
    assert watch.last is not None
    wall_s, _, cpu_s = (last - first for first, last in zip(watch.first, watch.last, strict=True))
    return wall_s, cpu_s, store.count


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
