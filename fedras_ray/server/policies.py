"""What the server decides, as pure functions: how many to ask, what to send, what late work is worth."""

from __future__ import annotations

import math

from fedras_ray.config.codecs import CodecConfig, adaptive_actions
from fedras_ray.config.system import (
    BufferedSchedule,
    ConstantRate,
    ConstantStaleness,
    CosineDecay,
    DecayConfig,
    LinearDecay,
    PolynomialStaleness,
    ScheduleConfig,
    StalenessConfig,
    SyncSchedule,
)
from fedras_ray.server.selection import select as select


def wanted(schedule: ScheduleConfig, in_flight: int) -> int:
    """How many clients to dispatch now."""
    match schedule:
        case SyncSchedule():
            return schedule.clients_per_version if in_flight == 0 else 0
        case BufferedSchedule():
            return schedule.concurrency - in_flight


def ready(schedule: ScheduleConfig, arrived: int, in_flight: int) -> bool:
    """Whether the updates that arrived since the last version make the next one."""
    match schedule:
        case SyncSchedule():
            return in_flight == 0
        case BufferedSchedule():
            return arrived >= schedule.buffer


def staleness_weight(config: StalenessConfig, staleness: int) -> float:
    """The weight of an update that is `staleness` versions old, 1 for a fresh one."""
    match config:
        case ConstantStaleness():
            return 1.0
        case PolynomialStaleness():
            return float((1 + staleness) ** -config.exponent)


def upload_budget_bytes(codec: CodecConfig, uplink_bytes_per_s: float) -> int | None:
    """What a device may send in one turn; None where the codec does not adapt."""
    wanted = adaptive_actions(codec)
    return None if wanted is None else int(uplink_bytes_per_s * wanted.upload_s)


def rate_factor(decay: DecayConfig, version: int, versions: int) -> float:
    """What the server's rate is multiplied with on the way from `version` to the next."""
    match decay:
        case ConstantRate():
            return 1.0
        case LinearDecay():
            left = 1 - version / versions
        case CosineDecay():
            left = (1 + math.cos(math.pi * version / versions)) / 2
    return decay.final + (1 - decay.final) * left
