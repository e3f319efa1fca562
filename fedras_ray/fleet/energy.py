"""What a device draws while it trains, receives and sends, in watts.

These are assumptions, not measurements: a phone's processor under a steady load on one or two
cores, and its radio at work. Their order is that of J. Huang, F. Qian, A. Gerber, Z. M. Mao, S. Sen,
O. Spatscheck, "A Close Examination of Performance and Power Characteristics of 4G LTE Networks",
MobiSys 2012, https://doi.org/10.1145/2307636.2307658: Wi-Fi needs far less than LTE, and sending
more than receiving. They serve to set one device's turn beside another's; nothing in a run's result
depends on them. What the radio draws after a transfer (its tail) is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.errors import FleetError
from fedras_ray.fleet.profiles import Fleet

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EnergyClass:
    """A kind of device and radio."""

    name: str
    training_w: float
    receiving_w: float
    sending_w: float


CLASSES = (
    EnergyClass("phone-wifi", training_w=2.5, receiving_w=0.8, sending_w=1.0),
    EnergyClass("phone-4g", training_w=2.5, receiving_w=1.8, sending_w=2.5),
    EnergyClass("phone-5g", training_w=2.5, receiving_w=2.5, sending_w=3.5),
)


def index(name: str) -> int:
    """The place of an energy class in `CLASSES`.

    Raises:
        FleetError: there is no such class.
    """
    names = [one.name for one in CLASSES]
    if name not in names:
        raise FleetError(f"there is no energy class '{name}' (known: {', '.join(names)})")
    return names.index(name)


def turn_joules(fleet: Fleet, down_s: Floats, train_s: Floats, up_s: Floats) -> Floats:
    """(U,) joules of a turn whose parts take these (U,) seconds."""
    classes = fleet.energy_class if fleet.energy_class is not None else np.zeros(len(fleet), dtype=np.int8)
    receiving, training, sending = (
        np.array([getattr(one, name) for one in CLASSES])[classes]
        for name in ("receiving_w", "training_w", "sending_w")
    )
    return np.asarray(receiving * down_s + training * train_s + sending * up_s)
