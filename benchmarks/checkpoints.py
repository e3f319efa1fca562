"""What a checkpoint after every version costs: `python -m benchmarks.checkpoints [--versions 100]`.

The default experiment in one process, with and without checkpoints by turns: records to Parquet as in a run,
in a temporary folder. Told are the medians over pairs of the ratios of wall and CPU time; CPU time counts the
thread that writes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from fedras_ray.config import Experiment, read
from fedras_ray.data import load
from fedras_ray.data.interactions import Dataset
from workloads.checkpoints.store import LocalStore
from workloads.course import Course
from workloads.experiments import DEFAULT, find
from workloads.running import SerialSession
from workloads.stopping import Wish


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=5)
    asked = parser.parse_args()
    pairs = []
    for pair in range(asked.pairs + 1):  # the first compiles
        without, with_them = (spent(every, asked.versions) for every in (0, 1))
        ratios = [after / before for before, after in zip(without, with_them, strict=True)]
        if pair:
            pairs.append(ratios)
            say(f"wall {without[0]:.2f} → {with_them[0]:.2f} s, CPU {without[1]:.2f} → {with_them[1]:.2f} s")
    wall, cpu = (statistics.median(column) for column in zip(*pairs, strict=True))
    say(f"a checkpoint after each of {asked.versions} versions: wall × {wall:.3f}, CPU × {cpu:.3f}")


def spent(every: int, versions: int) -> tuple[float, float]:
    """Wall and CPU seconds of a run with a checkpoint every so many versions."""
    settings = [f"schedule.versions={versions}", f"checkpoint.every_versions={every}"]
    experiment = read(find(DEFAULT), [*settings, "checkpoint.every_minutes=0"])
    dataset = load(experiment.data, experiment.seed)
    with tempfile.TemporaryDirectory() as folder:
        began_s, cpu_s = time.perf_counter(), time.process_time()
        carry_out(experiment, dataset, Path(folder))
        return time.perf_counter() - began_s, time.process_time() - cpu_s


def carry_out(experiment: Experiment, dataset: Dataset, folder: Path) -> None:
    """A run from its beginning to its end."""
    course = Course(experiment, dataset, folder, LocalStore(folder / "checkpoints"), [], Wish())
    course.run(lambda start: SerialSession(experiment, dataset, start), None, 0)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
