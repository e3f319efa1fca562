"""From a configured downlink to the object that serves it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config import codecs as configs
from fedras_ray.fleet.profiles import Fleet
from fedras_ray.server.downlink import DenseDownlink, Downlink
from fedras_ray.server.lanes import LanesDownlink, assign
from fedras_ray.server.lattice import LatticeDownlink


def build_downlink(
    config: configs.DownlinkConfig, fleet: Fleet, samples: NDArray[np.int64], seed: int
) -> Downlink:
    """The downlink of an experiment, for the clients of a fleet and what each trains on in a turn (U,)."""
    match config:
        case configs.DenseDownlink():
            return DenseDownlink(config, seed)
        case configs.LatticeDownlink():
            return LatticeDownlink(config, len(fleet), seed)
        case configs.LanesDownlink():
            return LanesDownlink(config, assign(config, fleet, samples, seed), seed)
