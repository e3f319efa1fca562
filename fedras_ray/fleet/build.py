"""From a fleet's configuration to its devices."""

from __future__ import annotations

import numpy as np

from fedras_ray.config.system import FedScaleFleet, FleetConfig, HomogeneousFleet, LogNormalFleet
from fedras_ray.fleet import quantiles
from fedras_ray.fleet.profiles import Fleet, Floats, thirds
from fedras_ray.streams import Purpose, stream

BYTES_PER_S_PER_KBIT_PER_S = 125.0


def build_fleet(config: FleetConfig, count: int, seed: int) -> Fleet:
    """The devices of `count` clients; the same seed gives the same devices."""
    match config:
        case HomogeneousFleet():
            train = np.full(count, config.train_s_per_sample)
            up = np.full(count, config.uplink_bytes_per_s)
            down = np.full(count, config.downlink_bytes_per_s)
        case LogNormalFleet():
            train, up, down = _log_normal(config, count, seed)
        case FedScaleFleet():
            train, up, down = _fedscale(config, count, seed)
    device_class, names = thirds(train, up, down)
    return Fleet(train, up, down, np.full(count, config.latency_s), device_class, names)


def _log_normal(config: LogNormalFleet, count: int, seed: int) -> tuple[Floats, Floats, Floats]:
    rng = stream(seed, Purpose.FLEET)
    slowness = config.median_slowness * np.exp(config.slowness_sigma * rng.standard_normal(count))
    up = config.median_uplink_bytes_per_s * np.exp(config.link_sigma * rng.standard_normal(count))
    down = config.median_downlink_bytes_per_s * np.exp(config.link_sigma * rng.standard_normal(count))
    return config.train_s_per_sample * slowness, up, down


def _fedscale(config: FedScaleFleet, count: int, seed: int) -> tuple[Floats, Floats, Floats]:
    rng = stream(seed, Purpose.FLEET)
    slowness = (
        quantiles.draw(quantiles.FEDSCALE_COMPUTE_MS, count, rng) / quantiles.FEDSCALE_COMPUTE_MEDIAN_MS
    )
    link = quantiles.draw(quantiles.FEDSCALE_LINK_KBIT_PER_S, count, rng) * BYTES_PER_S_PER_KBIT_PER_S
    return config.train_s_per_sample * slowness, config.uplink_share * link, link
