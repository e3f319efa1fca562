"""From a configured downlink to the object that serves it."""

from __future__ import annotations

from fedras_ray.config import codecs as configs
from fedras_ray.server.downlink import DenseDownlink, Downlink
from fedras_ray.server.lattice import LatticeDownlink


def build_downlink(config: configs.DownlinkConfig, clients: int, seed: int) -> Downlink:
    """The downlink of an experiment, for so many clients."""
    match config:
        case configs.DenseDownlink():
            return DenseDownlink(config, seed)
        case configs.LatticeDownlink():
            return LatticeDownlink(config, clients, seed)
