"""Memory over time: whether it is flat, and its slope.

    python -m benchmarks.memory --minutes 10         MovieLens-100k's default experiment again and again
    python -m benchmarks.memory --minutes 10 --one   in one run, with versions for as long as that

All on one Ray cluster of this machine, which stays up in between. After each run, or every ten seconds of the
one, the memory (PSS: what processes share is counted once) of this process and of all that it began is added
up. A line each; then the slope, by least squares over all but the first, in which kernels are compiled and
caches filled, with its standard error. What is let go of with a run's actors is seen in one run alone.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import ray

from actors.session import RaySession
from benchmarks.family import descendants, pss_bytes
from fedras_ray.config import Experiment, read
from fedras_ray.data import load
from fedras_ray.data.interactions import Dataset
from fedras_ray.records import EndRecord, VersionRecord
from workloads.experiments import find

WARM_UP_RUNS, WARM_UP_S = 2, 60.0
EVERY_S = 10.0  # of one run
ENDLESS = 10**8  # versions: it is stopped
MIB = 2**20


class Sample(NamedTuple):
    """At one moment."""

    at_s: float
    updates: int  # so far
    driver_bytes: int
    family_bytes: int


def sample(began_s: float, updates: int) -> Sample:
    """This process, and it with all that it began."""
    gc.collect()
    driver, *others = descendants()
    mine = pss_bytes([driver])
    return Sample(time.monotonic() - began_s, updates, mine, mine + pss_bytes(others))


def of_runs(experiment: Experiment, dataset: Dataset, seconds: float) -> Iterator[Sample]:
    """After each of as many runs as there is time for."""
    began_s, updates = time.monotonic(), 0
    while time.monotonic() - began_s < seconds:
        records = RaySession(experiment, dataset)
        updates += sum(one.client_updates for one in records if isinstance(one, EndRecord))
        yield sample(began_s, updates)


def of_one(experiment: Experiment, dataset: Dataset, seconds: float) -> Iterator[Sample]:
    """Again and again during one run."""
    session = RaySession(experiment, dataset)
    began_s = said_s = time.monotonic()
    for record in session:
        if isinstance(record, VersionRecord) and time.monotonic() - said_s >= EVERY_S:
            yield sample(began_s, record.client_updates)
            said_s = time.monotonic()
            if said_s - began_s >= seconds:
                session.stop()


def slope(samples: list[Sample], of: str) -> tuple[float, float]:
    """MiB per minute and its standard error, by least squares."""
    minutes = np.array([one.at_s for one in samples]) / 60
    held = np.array([getattr(one, of) for one in samples]) / MIB
    about = minutes - minutes.mean()
    found = float(about @ held / (about @ about))
    left = held - held.mean() - found * about
    spread = float(left @ left) / max(1, len(samples) - 2)
    return found, float(np.sqrt(spread / (about @ about)))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--pools", type=int, default=2)
    parser.add_argument("--one", action="store_true", help="one run, instead of run after run")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE laid over the experiment")
    asked = parser.parse_args()
    fixed = [f"execution.pools={asked.pools}", *([f"schedule.versions={ENDLESS}"] if asked.one else [])]
    experiment = read(find("ml-100k-fedras"), [*asked.set, *fixed])
    dataset = load(experiment.data, experiment.seed)
    ray.init(address="local", logging_level="ERROR", log_to_driver=False, include_dashboard=False)
    samples: list[Sample] = []
    for one in (of_one if asked.one else of_runs)(experiment, dataset, 60 * asked.minutes):
        samples.append(one)
        print(
            f"{len(samples):3}  {one.at_s:6.0f} s  {one.updates:,} updates  driver "
            f"{one.driver_bytes / MIB:7.1f} MiB  all processes {one.family_bytes / MIB:7.1f} MiB",
            flush=True,
        )
    ray.shutdown()
    measured = [one for one in samples if one.at_s >= WARM_UP_S] if asked.one else samples[WARM_UP_RUNS:]
    if len(measured) < 3:
        raise SystemExit("too few samples for a slope; give it more --minutes")
    for of in ("driver_bytes", "family_bytes"):
        found, error = slope(measured, of)
        print(f"slope of {of}: {found:+.2f} ± {error:.2f} MiB a minute over {len(measured)} samples")


if __name__ == "__main__":
    main()
