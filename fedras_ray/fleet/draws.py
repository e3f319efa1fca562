"""Devices drawn from distributions: one function per kind of fleet.

The order in which a kind draws is part of its identity: a draw more or less, or in another place,
is another fleet under the same seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config.fleet import CellularFleet, FedScaleFleet, LogNormalFleet, MobiPerfFleet
from fedras_ray.fleet import quantiles
from fedras_ray.fleet.cellular import GENERATIONS
from fedras_ray.fleet.copula import normals, tied_normals, tied_ranks
from fedras_ray.fleet.profiles import Floats

BYTES_PER_S_PER_KBIT_PER_S = 125.0


@dataclass(frozen=True, slots=True)
class Devices:
    """What a kind has drawn for U clients; what it says nothing of is filled in by `build_fleet`."""

    train_s_per_sample: Floats  # (U,)
    uplink: Floats  # (U,) bytes a second
    downlink: Floats  # (U,) bytes a second
    latency_s: Floats | float  # (U,), or one for all
    device_class: NDArray[np.int8] | None = None  # (U,); None: thirds by the time of a nominal turn
    class_names: tuple[str, ...] = ()
    energy_class: NDArray[np.int8] | str = "phone-wifi"  # (U,), or one for all


def log_normal(config: LogNormalFleet, count: int, rng: Generator) -> Devices:
    """Slowness, then uplinks, then downlinks."""
    slow = rng.standard_normal(count)
    slowness = config.median_slowness * np.exp(config.slowness_sigma * slow)
    up, down = (
        median * np.exp(config.link_sigma * tied_normals(own, -slow, config.speed_link_correlation))
        for median, own in (
            (config.median_uplink_bytes_per_s, rng.standard_normal(count)),
            (config.median_downlink_bytes_per_s, rng.standard_normal(count)),
        )
    )
    return Devices(config.train_s_per_sample * slowness, up, down, config.latency_s)


def fedscale(config: FedScaleFleet, count: int, rng: Generator) -> Devices:
    """Slowness, then links."""
    slow = rng.random(count)
    ranks = tied_ranks(rng.random(count), 1 - slow, config.speed_link_correlation)
    link = quantiles.at(quantiles.FEDSCALE_LINK_KBIT_PER_S, ranks) * BYTES_PER_S_PER_KBIT_PER_S
    return Devices(
        config.train_s_per_sample * slowness_at(slow), config.uplink_share * link, link, config.latency_s
    )


def mobiperf(config: MobiPerfFleet, count: int, rng: Generator) -> Devices:
    """Slowness, then uplinks, downlinks and round trips."""
    slow = rng.random(count)
    up, down = (
        quantiles.at(table, tied_ranks(rng.random(count), 1 - slow, config.speed_link_correlation))
        * BYTES_PER_S_PER_KBIT_PER_S
        for table in (quantiles.MOBIPERF_UPLINK_KBIT_PER_S, quantiles.MOBIPERF_DOWNLINK_KBIT_PER_S)
    )
    latency_s = quantiles.draw(quantiles.MOBIPERF_RTT_MS, count, rng) / 1000
    return Devices(config.train_s_per_sample * slowness_at(slow), up, down, latency_s)


def cellular(config: CellularFleet, count: int, rng: Generator) -> Devices:
    """Slowness, then uplinks, then downlinks."""
    published = GENERATIONS[config.generation]
    slow = rng.random(count)
    fast = -normals(slow)
    up, down = (
        median
        * np.exp(
            published.sigma * tied_normals(rng.standard_normal(count), fast, config.speed_link_correlation)
        )
        for median in (published.median_uplink_bytes_per_s, published.median_downlink_bytes_per_s)
    )
    train = config.train_s_per_sample * slowness_at(slow)
    return Devices(train, up, down, published.response_s, energy_class=f"phone-{config.generation}")


def slowness_at(ranks: Floats) -> Floats:
    """How many times slower than the median device FedScale's devices at these ranks are."""
    return quantiles.at(quantiles.FEDSCALE_COMPUTE_MS, ranks) / quantiles.FEDSCALE_COMPUTE_MEDIAN_MS
