"""What a fleet looks like: quantiles of its devices, and of the time and energy of one nominal turn.

A nominal turn is `NOMINAL_BYTES` down, `NOMINAL_SAMPLES` of training and `NOMINAL_BYTES` up. It serves
to set devices beside one another; what a run's turns take depends on its data, codec and downlink.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fedras_ray.fleet.energy import turn_joules
from fedras_ray.fleet.profiles import NOMINAL_BYTES, NOMINAL_SAMPLES, Fleet, Floats

BYTES_PER_S_PER_MBIT_PER_S = 125_000.0
PERCENTS = tuple(range(101))  # at which quantiles are taken
EVERYONE = "all"


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something every device has; `key` is its name in the summary."""

    key: str
    title: str
    unit: str


QUANTITIES = (
    Quantity("slowness", "compute time", "× median"),
    Quantity("uplink_mbit_per_s", "uplink", "Mbit/s"),
    Quantity("downlink_mbit_per_s", "downlink", "Mbit/s"),
    Quantity("rtt_ms", "RTT", "ms"),
    Quantity("down_s", "download", "s"),
    Quantity("train_s", "training", "s"),
    Quantity("up_s", "upload", "s"),
    Quantity("turn_s", "turn", "s"),
    Quantity("joules", "energy", "J"),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the devices: (101,) quantiles of each quantity, at 0, 1, … 100 percent."""

    name: str
    clients: int
    quantiles: dict[str, Floats]

    def at(self, key: str, percent: int) -> float:
        """The quantile of a quantity."""
        return float(self.quantiles[key][percent])


@dataclass(frozen=True, slots=True)
class Portrait:
    """All devices first, then each class that has any; the one class of an undivided fleet is left out."""

    median_train_s_per_sample: float
    groups: tuple[Group, ...]

    def as_tree(self, percents: tuple[int, ...] = (5, 25, 50, 75, 95)) -> dict[str, object]:
        """For JSON: each group's size, and its quantiles by quantity and percent."""
        everyone, *classes = (
            {"clients": group.clients}
            | {one.key: {f"p{p}": group.at(one.key, p) for p in percents} for one in QUANTITIES}
            for group in self.groups
        )
        return {
            "median_train_s_per_sample": self.median_train_s_per_sample,
            "nominal_turn": {
                "down_bytes": NOMINAL_BYTES,
                "samples": NOMINAL_SAMPLES,
                "up_bytes": NOMINAL_BYTES,
            },
            "all": everyone,
            "classes": {group.name: tree for group, tree in zip(self.groups[1:], classes, strict=True)},
        }


def portrait(fleet: Fleet) -> Portrait:
    """The quantiles of a fleet of one device or more."""
    values = measures(fleet)
    everyone = np.ones(len(fleet), dtype=bool)
    chosen = [(EVERYONE, everyone)]
    if len(fleet.class_names) > 1:
        chosen += [(name, fleet.device_class == place) for place, name in enumerate(fleet.class_names)]
    groups = tuple(_group(name, values, mask) for name, mask in chosen if mask.any())
    return Portrait(float(np.median(fleet.train_s_per_sample)), groups)


def measures(fleet: Fleet) -> dict[str, Floats]:
    """(U,) of each of the `QUANTITIES`; slowness is relative to the fleet's median device."""
    down_s = fleet.latency_s + NOMINAL_BYTES / fleet.downlink_bytes_per_s
    train_s = NOMINAL_SAMPLES * fleet.train_s_per_sample
    up_s = fleet.latency_s + NOMINAL_BYTES / fleet.uplink_bytes_per_s
    return {
        "slowness": fleet.train_s_per_sample / np.median(fleet.train_s_per_sample),
        "uplink_mbit_per_s": fleet.uplink_bytes_per_s / BYTES_PER_S_PER_MBIT_PER_S,
        "downlink_mbit_per_s": fleet.downlink_bytes_per_s / BYTES_PER_S_PER_MBIT_PER_S,
        "rtt_ms": 1000 * fleet.latency_s,
        "down_s": down_s,
        "train_s": train_s,
        "up_s": up_s,
        "turn_s": down_s + train_s + up_s,
        "joules": turn_joules(fleet, down_s, train_s, up_s),
    }


def _group(name: str, values: dict[str, Floats], mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Group:
    ranks = np.array(PERCENTS) / 100
    return Group(
        name, int(mask.sum()), {key: np.quantile(value[mask], ranks) for key, value in values.items()}
    )
