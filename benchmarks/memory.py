"""Memory over time: whether it is flat, and its slope.

    python -m benchmarks.memory --minutes 10         MovieLens-100k's default experiment again and again
    python -m benchmarks.memory --minutes 10 --one   in one run, with versions for as long as that

All on one Ray cluster of this machine, which stays up in between. After each run, or every ten seconds of the
one, it looks at the memory (PSS: what processes share is counted once) of this process, the driver; of the
actors, pools and coordinator; and of Ray's own processes. A line each; then the slopes, over all but the
first, in which kernels are compiled and caches filled. A slope is the median of those between any two moments
(Sen 1968), with its interval of 95 %: an actor that is just ending, or new, is seen as a leap. What is let go
of with a run's actors is seen in one run alone.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import psutil
import ray

from actors.coordinator import Coordinator
from actors.pool import ClientPool
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
ACTORS = tuple(f"ray::{kind.__name__}" for kind in (ClientPool, Coordinator))
OF = ("driver", "actors", "ray", "all")


class Sample(NamedTuple):
    """At one moment."""

    at_s: float
    updates: int  # so far
    bytes_of: dict[str, int]  # of each of `OF`


def sample(began_s: float, updates: int) -> Sample:
    """This process, and all that it began."""
    gc.collect()
    driver, *others = descendants()
    actors = [one for one in others if _title(one).startswith(ACTORS)]
    rest = [one for one in others if one not in actors]
    held = [pss_bytes(some) for some in ([driver], actors, rest)]
    return Sample(time.monotonic() - began_s, updates, dict(zip(OF, [*held, sum(held)], strict=True)))


def _title(process: psutil.Process) -> str:
    """What it calls itself; nothing if it has just ended."""
    with suppress(psutil.Error, OSError):
        return process.name()
    return ""


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


def slope(samples: list[Sample], of: str) -> tuple[float, float, float]:
    """MiB per minute, and from where to where it is."""
    from scipy import stats  # 55 MiB, which the driver of a run does not hold

    minutes = [one.at_s / 60 for one in samples]
    found = stats.theilslopes([one.bytes_of[of] / MIB for one in samples], minutes)
    return float(found.slope), float(found.low_slope), float(found.high_slope)


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
        held = "  ".join(f"{of} {one.bytes_of[of] / MIB:7.1f} MiB" for of in OF)
        print(f"{len(samples):3}  {one.at_s:6.0f} s  {one.updates:,} updates  {held}", flush=True)
    ray.shutdown()
    measured = [one for one in samples if one.at_s >= WARM_UP_S] if asked.one else samples[WARM_UP_RUNS:]
    if len(measured) < 3:
        raise SystemExit("too few samples for a slope; give it more --minutes")
    for of in OF:
        found, least, most = slope(measured, of)
        print(f"{of}: {found:+.2f} MiB a minute ({least:+.2f} to {most:+.2f}) over {len(measured)} samples")


if __name__ == "__main__":
    main()
