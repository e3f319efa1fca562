"""Fleets that are a scenario: what if devices were in clear classes, or a part of them crawled?"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config.fleet import GaussianClassesFleet, HarshMobileFleet, MobiPerfFleet
from fedras_ray.fleet.copula import tied_ranks
from fedras_ray.fleet.draws import Devices, mobiperf
from fedras_ray.fleet.profiles import Floats, thirds

# mean and standard deviation, in units of time; those of FedRAS' authors in other studies of theirs
TRAINING_UNITS = ((100.0, 5.0), (150.0, 10.0), (200.0, 20.0), (300.0, 30.0), (500.0, 50.0))
LINK_UNITS = ((10.0, 1.0), (15.0, 2.0), (20.0, 3.0), (30.0, 5.0), (80.0, 10.0))
MOST_SIGMAS = 5.0  # a draw further out is moved here, so that no time is negative


def gaussian_classes(config: GaussianClassesFleet, count: int, rng: Generator) -> Devices:
    """Classes of devices, then of links, then the times within them; 25 device classes.

    A class of devices and one of links are equally likely. A device has one link time, which is that
    of `reference_bytes` in either direction.
    """
    slow = rng.random(count)
    device = _class(slow, len(TRAINING_UNITS))
    link = _class(tied_ranks(rng.random(count), slow, config.speed_link_correlation), len(LINK_UNITS))
    train_s = config.unit_s * _units(TRAINING_UNITS, device, rng)
    link_s = config.unit_s * _units(LINK_UNITS, link, rng)
    bytes_per_s = config.reference_bytes / link_s
    return Devices(
        train_s / config.reference_samples,
        bytes_per_s,
        bytes_per_s,
        config.latency_s,
        (device * len(LINK_UNITS) + link).astype(np.int8),
        tuple(f"train-{train:.0f} link-{way:.0f}" for train, _ in TRAINING_UNITS for way, _ in LINK_UNITS),
    )


def harsh_mobile(config: HarshMobileFleet, count: int, rng: Generator) -> Devices:
    """A `mobiperf` fleet, then those that crawl: exactly their share, rounded, drawn without replacement.

    They are a class of their own, ``crawling``; the others are in thirds by the time of a nominal turn.
    """
    usual = MobiPerfFleet(
        kind="mobiperf",
        train_s_per_sample=config.train_s_per_sample,
        speed_link_correlation=config.speed_link_correlation,
    )
    drawn = mobiperf(usual, count, rng)
    crawls = np.zeros(count, dtype=bool)
    crawls[rng.permutation(count)[: round(config.crawling_share * count)]] = True
    train = np.where(crawls, config.crawling_slowness * drawn.train_s_per_sample, drawn.train_s_per_sample)
    up, down = (np.maximum(way, config.least_link_bytes_per_s) for way in (drawn.uplink, drawn.downlink))
    device_class = np.full(count, 3, dtype=np.int8)
    device_class[~crawls] = thirds(train[~crawls], up[~crawls], down[~crawls])[0]
    names = ("fast", "medium", "slow", "crawling")
    return Devices(train, up, down, drawn.latency_s, device_class, names, "phone-4g")


def _class(ranks: Floats, classes: int) -> NDArray[np.int64]:
    return np.minimum((ranks * classes).astype(np.int64), classes - 1)


def _units(classes: tuple[tuple[float, float], ...], chosen: NDArray[np.int64], rng: Generator) -> Floats:
    mean, deviation = np.array(classes).T
    within = np.clip(rng.standard_normal(len(chosen)), -MOST_SIGMAS, MOST_SIGMAS)
    return np.asarray(mean[chosen] + deviation[chosen] * within)
