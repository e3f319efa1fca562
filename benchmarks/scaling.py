"""Updates a second by pools and threads, and what the cores of this machine are worth together.

    python -m benchmarks.scaling                             MovieLens-1M's default experiment on two cores
    python -m benchmarks.scaling --pools 1 2 4 --threads 2   pools of two threads each
    python -m benchmarks.scaling --set model.width=128       of another experiment

The ways take turns, `--repetitions` times, in a process of their own each; a rate is of the versions in
between `--versions`, by the clock on the wall. `apart` is as many processes as asked for, each with the whole
experiment, one thread, and nothing to do with the others: what cores give that share caches and memory, and
so the most that anything can have of them. The last column is each way's median over that of the first of
its kind.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Barrier
from typing import NamedTuple

from actors.connecting import STARTS_ITS_OWN
from actors.session import RaySession
from fedras_ray.config import Experiment, read
from fedras_ray.data import load
from fedras_ray.records import VersionRecord
from workloads.experiments import find
from workloads.running import SerialSession

LIMIT_S = 600.0  # of one process
KINDS = {"serial": "one process", "pools": "Ray", "apart": "processes apart"}


class Way(NamedTuple):
    """How an experiment is run."""

    kind: str  # one of `KINDS`
    processes: int
    threads: int

    def __str__(self) -> str:
        """A row's head."""
        many = f", {self.processes} pools" if self.kind == "pools" else ""
        many = f", {self.processes}" if self.kind == "apart" else many
        return f"{KINDS[self.kind]}{many}, {self.threads} threads"


class Asked(NamedTuple):
    """What is run, and what of it is measured."""

    name: str
    settings: list[str]
    first: int
    last: int

    def experiment(self, way: Way) -> Experiment:
        """It, as it is run in one way."""
        fixed = [f"schedule.versions={self.last}", "evaluation.every=1000000"]
        where = [f"execution.pools={way.processes}"] if way.kind == "pools" else []
        return read(find(self.name), [*fixed, *where, f"execution.threads={way.threads}", *self.settings])


def rate(asked: Asked, way: Way, begin: Callable[[], object] = lambda: None) -> float:
    """Updates a second between two versions, of which `begin` is called at the first."""
    experiment = asked.experiment(way)
    dataset = load(experiment.data, experiment.seed)
    session = (
        RaySession(experiment, dataset, STARTS_ITS_OWN)
        if way.kind == "pools"
        else SerialSession(experiment, dataset)
    )
    at: dict[int, tuple[float, int]] = {}
    for stretch in session.stretches():
        for _, record in getattr(stretch, "others", ()):
            if isinstance(record, VersionRecord) and record.version in (asked.first, asked.last):
                if record.version == asked.first:
                    begin()
                at[record.version] = time.monotonic(), record.client_updates
    (since_s, before), (until_s, after) = at[asked.first], at[asked.last]
    return (after - before) / (until_s - since_s)


def _alone(asked: Asked, way: Way, barrier: Barrier, told: multiprocessing.SimpleQueue[float]) -> None:
    """One process of a way: it measures when all are warm."""
    told.put(rate(asked, way, lambda: barrier.wait(LIMIT_S)))


def measured(asked: Asked, way: Way) -> float:
    """Updates a second, added up over processes that are apart.

    Raises:
        RuntimeError: a process failed; it has said why.
    """
    context = multiprocessing.get_context("spawn")
    count = way.processes if way.kind == "apart" else 1
    barrier, told = context.Barrier(count), context.SimpleQueue()
    processes = [context.Process(target=_alone, args=(asked, way, barrier, told)) for _ in range(count)]
    for one in processes:
        one.start()
    for one in processes:
        one.join(LIMIT_S)
        one.kill()
    if any(one.exitcode for one in processes):
        raise RuntimeError(f"{way}: a process failed, see above; or it took more than {LIMIT_S:g} s")
    return sum(told.get() for _ in processes)


def table(found: dict[Way, list[float]]) -> str:
    """As Markdown."""
    lines = ["| | updates/s, median | least | most | ratio |", "|---|---:|---:|---:|---:|"]
    first: dict[str, float] = {}
    for way, rates in found.items():
        middle = statistics.median(rates)
        ratio = middle / first.setdefault(way.kind, middle)
        lines.append(
            f"| {way} | {middle:,.0f} | {min(rates):,.0f} | {max(rates):,.0f} | {ratio:.2f} |",
        )
    return "\n".join(lines)


def ways(serial: Sequence[int], pools: Sequence[int], threads: int, apart: Sequence[int]) -> list[Way]:
    """All that are asked for, in the order of the table."""
    return [
        *(Way("serial", 1, count) for count in serial),
        *(Way("pools", count, threads) for count in pools),
        *(Way("apart", count, 1) for count in apart),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiment", default="ml-1m-fedras")
    parser.add_argument("--serial", type=int, nargs="*", default=[1, 2], help="threads of one process")
    parser.add_argument("--pools", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--threads", type=int, default=1, help="of each pool")
    parser.add_argument("--apart", type=int, nargs="*", default=[1, 2], help="processes that share nothing")
    parser.add_argument("--versions", type=int, nargs=2, default=[20, 220], help="measured from, to")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE laid over the experiment")
    options = parser.parse_args()
    asked = Asked(options.experiment, options.set, *options.versions)
    found: dict[Way, list[float]] = {
        way: [] for way in ways(options.serial, options.pools, options.threads, options.apart)
    }
    for number in range(options.repetitions):
        for way, rates in found.items():
            rates.append(measured(asked, way))
            sys.stderr.write(f"{number + 1}/{options.repetitions}  {way}: {rates[-1]:,.0f} updates/s\n")
    sys.stdout.write(table(found) + "\n")


if __name__ == "__main__":
    main()
