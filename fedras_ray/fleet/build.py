"""From a fleet's configuration to its devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fedras_ray.config import fleet as configs
from fedras_ray.fleet import energy
from fedras_ray.fleet.draws import Devices, cellular, fedscale, log_normal, mobiperf
from fedras_ray.fleet.own_file import devices_of_file
from fedras_ray.fleet.profiles import Fleet, thirds
from fedras_ray.fleet.scenarios import gaussian_classes, harsh_mobile
from fedras_ray.streams import Purpose, stream


def build_fleet(config: configs.FleetConfig, count: int, seed: int) -> Fleet:
    """The devices of `count` clients; the same seed gives the same devices.

    Raises:
        FleetError: a file of devices is missing or wrong, or a device cannot be.
    """
    devices = _DRAWN[type(config)](config, count, stream(seed, Purpose.FLEET))
    if devices.device_class is None:
        device_class, names = thirds(devices.train_s_per_sample, devices.uplink, devices.downlink)
    else:
        device_class, names = devices.device_class, devices.class_names
    energy_class = devices.energy_class
    if isinstance(energy_class, str):
        energy_class = np.full(count, energy.index(energy_class), dtype=np.int8)
    return Fleet(
        devices.train_s_per_sample,
        devices.uplink,
        devices.downlink,
        np.broadcast_to(devices.latency_s, count).copy(),
        device_class,
        names,
        energy_class,
    )


def _homogeneous(config: configs.HomogeneousFleet, count: int, _: np.random.Generator) -> Devices:
    return Devices(
        np.full(count, config.train_s_per_sample),
        np.full(count, config.uplink_bytes_per_s),
        np.full(count, config.downlink_bytes_per_s),
        config.latency_s,
    )


_DRAWN: dict[type, Callable[[Any, int, np.random.Generator], Devices]] = {
    configs.HomogeneousFleet: _homogeneous,
    configs.LogNormalFleet: log_normal,
    configs.FedScaleFleet: fedscale,
    configs.MobiPerfFleet: mobiperf,
    configs.CellularFleet: cellular,
    configs.GaussianClassesFleet: gaussian_classes,
    configs.HarshMobileFleet: harsh_mobile,
    configs.FileFleet: devices_of_file,
}
