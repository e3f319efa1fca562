"""Where the CPU goes in a serial run, per client update: ``python -m benchmarks.shares [NAME …]``.

The parts are timed where they are called (`time.process_time`, without what is called within them), so the
whole is what it is without this but for one to five microseconds a call:

* training: sampling, gathering and fitting;
* clustering: what finds an update's actions or gains;
* coding: the rest of encoding, and decoding;
* aggregation: decoded updates into a version;
* everything else: the engine, and what stands between these.

``--codec`` lays other codecs over the experiment, and data come as they do for `fedras run`.
"""

from __future__ import annotations

import argparse
import functools
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from fedras_ray import clients, site
from fedras_ray.codecs import actions, gain_shape
from fedras_ray.codecs.build import build_codec
from fedras_ray.config import Experiment, build
from fedras_ray.data import load
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import VersionRecord
from fedras_ray.server import desk
from fedras_ray.server.server import Server
from fedras_ray.simulation import Simulation
from fedras_ray.training import local
from workloads.experiments import find

PARTS: list[tuple[object, str, str]] = [
    (local, "sample_each", "training"),
    (local, "given_each", "training"),
    (local, "together", "training"),
    (local, "train_each", "training"),
    (local, "train_cohort", "training"),
    (actions, "codebooks_each", "clustering"),
    (actions, "clustered", "clustering"),
    (gain_shape, "_gains_each", "clustering"),
    (gain_shape, "clustered", "clustering"),
    (clients, "encode_each", "coding"),
    (desk, "decode_each", "coding"),
    (desk.Desk, "fold", "aggregation"),
    (desk.Desk, "sums_of", "aggregation"),
    (site, "arriving", "aggregation"),
    (site, "joined", "aggregation"),
    (Server, "advance", "aggregation"),
]


class Shares:
    """Seconds of CPU per part, each without the parts within it."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._open = ["everything else"]
        self._since = time.process_time()

    def turn(self, part: str | None) -> None:
        """From now on this part; None: the one around it again."""
        now = time.process_time()
        self.seconds[self._open[-1]] += now - self._since
        self._since = now
        if part is None:
            self._open.pop()
        else:
            self._open.append(part)

    def timed(self, part: str, called: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, whose time counts for a part."""

        @functools.wraps(called)
        def timed(*given: Any, **named: Any) -> Any:
            self.turn(part)
            try:
                return called(*given, **named)
            finally:
                self.turn(None)

        return timed


def measure(experiment: Experiment, versions: int) -> tuple[int, Counter[str]]:
    """Client updates, and the seconds of each part, between the first version and the last."""
    dataset, shares = load(experiment.data, experiment.seed), Shares()
    places = [*PARTS, (type(build_codec(experiment.codec)), "decode", "coding")]
    kept = [getattr(owner, name) for owner, name, _ in places]
    for (owner, name, part), called in zip(places, kept, strict=True):
        setattr(owner, name, shares.timed(part, called))
    first = updates = 0
    try:
        executor = SerialExecutor(experiment, dataset)
        simulation = Simulation(experiment, population_of(dataset), executor)
        for version, total in _versions(simulation):
            updates = total
            if version == 1:  # kernels are compiled
                first = updates
                shares.turn("everything else")
                shares.turn(None)
                shares.seconds.clear()
            if version == versions:
                break
        shares.turn("everything else")
    finally:
        for (owner, name, _), called in zip(places, kept, strict=True):
            setattr(owner, name, called)
    return updates - first, shares.seconds


def _versions(simulation: Simulation) -> Iterator[tuple[int, int]]:
    """Each version and the client updates so far; turns are told as tables, as a run has them told."""
    for _ in simulation.events():
        for _, record in simulation.tell().others if simulation.said.others else ():
            if isinstance(record, VersionRecord):
                yield record.version, record.client_updates


def main() -> None:
    """See the module."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("names", nargs="*", default=["ml-1m-fedras"])
    asked.add_argument("--codec", nargs="*", default=["actions", "gain-shape"])
    asked.add_argument("--versions", type=int, default=41)
    asked.add_argument("--set", action="append", default=[], help="KEY=VALUE laid over the experiments")
    options = asked.parse_args()
    for name in options.names:
        tree = tomllib.loads(find(name).read_text(encoding="utf-8"))
        for kind in options.codec:
            limits = [f"schedule.versions={options.versions + 1}", "evaluation.every=1000000"]
            limits.append("execution.threads=1")  # whose time is told apart by what it does
            experiment = build({**tree, "codec": {"kind": kind}}, [*limits, *options.set])
            updates, seconds = measure(experiment, options.versions)
            total = seconds.total()
            print(f"\n{name}, {kind}: {updates:,} updates, {1e6 * total / updates:.0f} µs of CPU each")
            for part, spent in seconds.most_common():
                print(f"  {part:16}{1e6 * spent / updates:8.1f} µs{spent / total:8.1%}")


if __name__ == "__main__":
    main()
