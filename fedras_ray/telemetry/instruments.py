"""The instruments: names, kinds, labels and meanings, by the conventions of Prometheus.

A name begins with the project and ends with its unit, and a counter's with ``_total``
(https://prometheus.io/docs/practices/naming/). No label grows with clients, items or versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MOST_CLASSES = 16  # device classes with a name of their own; the others are one
OTHER = "other"
EVERYONE = "everyone"  # the device class of what is sent to all at once
PHASES = ("download", "train", "upload")
STALENESS_BOUNDS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256)  # versions, each bound included


@dataclass(frozen=True, slots=True)
class Instrument:
    """One of them; the series it has are the values of its labels."""

    name: str
    kind: Literal["counter", "gauge"]
    about: str
    labels: tuple[str, ...] = ()


TURNS = Instrument(
    "fedras_turns_total", "counter", "Turns of clients that ended, by what became of them.",
    ("device_class", "fate"),
)  # fmt: skip
SENT = Instrument(
    "fedras_sent_bytes_total", "counter",
    "Bytes of messages: up by the codec, down by the downlink.", ("direction", "device_class", "codec"),
)  # fmt: skip
DENSE = Instrument(
    "fedras_dense_bytes_total", "counter", "What the same turns had cost in dense f32.", ("direction",)
)
WASTED = Instrument(
    "fedras_wasted_bytes_total", "counter", "Bytes up that were sent and not used.", ("device_class",)
)
PHASE = Instrument(
    "fedras_turn_virtual_seconds_total", "counter",
    "Virtual time of turns that ended, by what the client did.", ("device_class", "phase"),
)  # fmt: skip
STALENESS = Instrument(
    "fedras_staleness_versions_bucket_total", "counter",
    "Used updates that were at most so many versions old: the buckets of a histogram.", ("le",),
)  # fmt: skip
STALENESS_SUM = Instrument(
    "fedras_staleness_versions_sum_total", "counter", "The staleness of used updates, added up."
)
VERSIONS = Instrument("fedras_versions_total", "counter", "Versions of the item table that were made.")
VIRTUAL = Instrument("fedras_virtual_seconds_total", "counter", "Virtual time that passed.")
WAITED = Instrument(
    "fedras_pool_wait_seconds_total", "counter", "Wall time that the coordinator waited for its pools."
)
RESTARTS = Instrument("fedras_pool_restarts_total", "counter", "Pools that were lost and placed anew.")
IN_FLIGHT = Instrument("fedras_in_flight_clients", "gauge", "Clients at work.")
PROGRESS = Instrument("fedras_progress_ratio", "gauge", "Versions made, of those that were asked for.")
QUALITY = Instrument(
    "fedras_quality_ratio", "gauge", "Quality of the last version that was evaluated.", ("metric",)
)
LOSS = Instrument("fedras_train_loss", "gauge", "Mean loss of the clients of the last version.")
STATE = Instrument("fedras_downlink_state_bytes", "gauge", "The server's memory of what clients hold.")

INSTRUMENTS = (
    TURNS, SENT, DENSE, WASTED, PHASE, STALENESS, STALENESS_SUM, VERSIONS, VIRTUAL, WAITED, RESTARTS,
    IN_FLIGHT, PROGRESS, QUALITY, LOSS, STATE,
)  # fmt: skip
