"""What MLflow costs a run: `python -m benchmarks.tracking [--versions 300] [--pairs 5] [--store URI]`.

A small synthetic experiment in one process, logged and not by turns, each run a process of its own; the first
pair warms up. Told are the medians over pairs of the ratios, from the first version to the last record, which
is what a longer run has more of: wall time, CPU of the main thread (which computes), CPU of all threads (the
one that sends included). Start-up, which loads MLflow, and the end, where the rest is sent, are told apart.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.records import Record, VersionRecord
from workloads.checkpoints.store import LocalStore
from workloads.course import Course
from workloads.running import SerialSession
from workloads.sinks import Sink, listening
from workloads.stopping import Wish

DATA = {"kind": "synthetic", "users": 3_000, "items": 1_500, "mean_interactions": 60}
Clocks = tuple[float, float, float]  # wall, CPU of this thread, CPU of the process; seconds
NAMES = "wall", "CPU of the main thread", "CPU of all threads"


class Stopwatch:
    """A sink that looks at the clocks at the first version and at every later record."""

    def __init__(self) -> None:
        self.first: Clocks | None = None
        self.last: Clocks | None = None

    def take(self, record: Record) -> None:
        """See `Sink.take`."""
        self.last = clocks()
        if self.first is None and isinstance(record, VersionRecord):
            self.first = self.last

    def close(self, ending: object) -> None:
        """See `Sink.close`."""


def clocks() -> Clocks:
    return time.perf_counter(), time.thread_time(), time.process_time()


def spent(is_logged: bool, versions: int, folder: Path) -> list[Clocks]:
    """The clocks of one run: up to the first version, from there to the last record, and after it."""
    schedule = {"versions": versions, "clients_per_version": 100}
    rates = {"item_rate": 0.003, "private_rate": 0.003}
    tree = {"data": DATA, "schedule": schedule, "training": rates, "evaluation": {"every": 10}}
    experiment = build(tree)
    dataset = load(experiment.data, experiment.seed)
    began, watch, sinks = clocks(), Stopwatch(), []
    if is_logged:
        from workloads.tracking.mlflow_sink import MlflowSink  # as a run does: for those who want it

        sinks.append(MlflowSink(experiment, dataset, folder))
    everyone: list[Sink] = [*sinks, watch]
    course = Course(experiment, dataset, folder, LocalStore(folder / "checkpoints"), everyone, Wish())
    if sinks:
        with listening(sinks[0]):
            course.run(lambda *on: SerialSession(experiment, dataset, *on), None, 0)
    else:
        course.run(lambda *on: SerialSession(experiment, dataset, *on), None, 0)
    assert watch.first is not None
    assert watch.last is not None
    marks = [began, watch.first, watch.last, clocks()]
    return [_less(late, soon) for soon, late in itertools.pairwise(marks)]


def _less(late: Clocks, soon: Clocks) -> Clocks:
    return late[0] - soon[0], late[1] - soon[1], late[2] - soon[2]


def elsewhere(is_logged: bool, versions: int, store: str | None) -> list[list[float]]:
    """`spent`, in a new process and a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        uri = store or f"sqlite:///{folder}/mlflow.db"
        command = [sys.executable, "-m", "benchmarks.tracking", "--one", folder, "--versions", str(versions)]
        done = subprocess.run(
            [*command, *(["--logged"] if is_logged else [])],
            env=os.environ | {"MLFLOW_TRACKING_URI": uri},
            capture_output=True, text=True,
        )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    found: list[list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--versions", type=int, default=300)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--store", help="an address as in MLFLOW_TRACKING_URI; by default a new SQLite file")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--logged", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        say(json.dumps(spent(asked.logged, asked.versions, asked.one)))
        return
    pairs = []
    for pair in range(asked.pairs + 1):
        order = (False, True) if pair % 2 else (True, False)  # whatever the machine does meanwhile
        runs = {logged: elsewhere(logged, asked.versions, asked.store) for logged in order}
        if pair:
            pairs.append((runs[False], runs[True]))
            say(told(*pairs[-1]))
    for place, name in enumerate(NAMES):
        ratios = [after[1][place] / before[1][place] for before, after in pairs]
        extra_s = [
            sum(after[part][place] - before[part][place] for part in (0, 2)) for before, after in pairs
        ]
        middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
        say(
            f"{name}: × {middle:.4f} ({low:.4f} to {high:.4f}), {statistics.median(extra_s):+.2f} s around it"
        )


def told(before: list[list[float]], after: list[list[float]]) -> str:
    """One pair."""
    columns = zip(NAMES, before[1], after[1], strict=True)
    return ", ".join(f"{name} {one:.2f} → {other:.2f} s" for name, one, other in columns)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
