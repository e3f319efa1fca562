"""What a checkpoint after every version costs: `python -m benchmarks.checkpoints [--versions 100]`.

The default experiment in one process, with and without checkpoints by turns: records to Parquet as in a run,
in a temporary folder. Told are the medians over pairs of the ratios of wall and CPU time; CPU time counts the
thread that writes; and how many checkpoints were written of those that were taken, as a newer one takes the
place of one that waits.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from fedras_ray.config import Experiment, read
from fedras_ray.data import load
from fedras_ray.data.interactions import Dataset
from fedras_ray.snapshots.container import Piece
from workloads.checkpoints.files import SUFFIX
from workloads.checkpoints.store import LocalStore, Store
from workloads.course import Course
from workloads.experiments import DEFAULT, find
from workloads.running import SerialSession
from workloads.stopping import Wish


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=5)
    asked = parser.parse_args()
    pairs, written = [], []
    for pair in range(asked.pairs + 1):  # the first compiles
        order = (0, 1) if pair % 2 else (1, 0)  # whatever the machine does meanwhile
        runs = {every: spent(every, asked.versions) for every in order}
        without, with_them = runs[0][:2], runs[1][:2]
        written.append(runs[1][2])
        ratios = [after / before for before, after in zip(without, with_them, strict=True)]
        if pair:
            pairs.append(ratios)
            say(f"wall {without[0]:.2f} → {with_them[0]:.2f} s, CPU {without[1]:.2f} → {with_them[1]:.2f} s")
    wall, cpu = (statistics.median(column) for column in zip(*pairs, strict=True))
    say(f"a checkpoint after each of {asked.versions} versions: wall × {wall:.3f}, CPU × {cpu:.3f}")
    say(f"written: {min(written)} to {max(written)} of {asked.versions - 1}; the last version needs none")


class Counted(LocalStore):
    """A folder that counts the checkpoints that become whole in it."""

    count = 0

    def write(self, name: str, pieces: Iterable[Piece]) -> None:
        super().write(name, pieces)
        self.count += name.endswith(SUFFIX)


def spent(every: int, versions: int) -> tuple[float, float, int]:
    """Wall and CPU seconds of a run with a checkpoint every so many versions, and how many were written."""
    settings = [f"schedule.versions={versions}", f"checkpoint.every_versions={every}"]
    experiment = read(find(DEFAULT), [*settings, "checkpoint.every_minutes=0"])
    dataset = load(experiment.data, experiment.seed)
    with tempfile.TemporaryDirectory() as folder:
        began_s, cpu_s = time.perf_counter(), time.process_time()
        store = Counted(Path(folder) / "checkpoints")
        carry_out(experiment, dataset, Path(folder), store)
        return time.perf_counter() - began_s, time.process_time() - cpu_s, store.count


def carry_out(experiment: Experiment, dataset: Dataset, folder: Path, store: Store) -> None:
    """A run from its beginning to its end."""
    course = Course(experiment, dataset, folder, store, [], Wish())
    course.run(lambda start: SerialSession(experiment, dataset, start), None, 0)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
