"""Memory of the default experiment in a loop: whether it is flat, and its slope.

``python -m benchmarks.memory --minutes 10`` runs `ml-100k-fedras` again and again on one Ray cluster of this
machine, which stays up in between, and after each run adds up the memory (PSS: what processes share is
counted once) of this process and all that it began. A line per run; then the slope, by least squares over all
runs but the first two, in which kernels are compiled and caches filled, with its standard error.
"""

from __future__ import annotations

import argparse
import gc
import time
from typing import NamedTuple

import numpy as np
import ray

from actors.session import RaySession
from benchmarks.family import descendants, pss_bytes
from fedras_ray.config import read
from fedras_ray.data import load
from fedras_ray.records import EndRecord
from workloads.experiments import find

WARM_UP_RUNS = 2
MIB = 2**20


class Sample(NamedTuple):
    """After one run."""

    at_s: float
    driver_bytes: int
    family_bytes: int


def sample(began_s: float) -> Sample:
    """This process, and it with all that it began."""
    gc.collect()
    driver, *others = descendants()
    mine = pss_bytes([driver])
    return Sample(time.monotonic() - began_s, mine, mine + pss_bytes(others))


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
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE laid over the experiment")
    asked = parser.parse_args()
    experiment = read(find("ml-100k-fedras"), [*asked.set, f"execution.pools={asked.pools}"])
    dataset = load(experiment.data, experiment.seed)
    ray.init(address="local", logging_level="ERROR", log_to_driver=False, include_dashboard=False)
    began_s = time.monotonic()
    samples: list[Sample] = []
    while not samples or samples[-1].at_s < 60 * asked.minutes:
        records = RaySession(experiment, dataset)
        updates = [one.client_updates for one in records if isinstance(one, EndRecord)]
        samples.append(sample(began_s))
        driver, family = (held / MIB for held in samples[-1][1:])
        print(
            f"run {len(samples):3}  {samples[-1].at_s:6.0f} s  {updates[0]:,} updates  "
            f"driver {driver:7.1f} MiB  all processes {family:7.1f} MiB",
            flush=True,
        )
    ray.shutdown()
    measured = samples[WARM_UP_RUNS:]
    if len(measured) < 3:
        raise SystemExit("too few runs for a slope; give it more --minutes")
    for of in ("driver_bytes", "family_bytes"):
        found, error = slope(measured, of)
        print(f"slope of {of}: {found:+.2f} ± {error:.2f} MiB a minute over {len(measured)} runs")


if __name__ == "__main__":
    main()
