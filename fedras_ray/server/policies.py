"""What the server decides, as pure functions: how many to ask, what to send, what late work is worth."""

from __future__ import annotations

import math

from fedras_ray.config.codecs import CodecConfig, adaptive_actions
from fedras_ray.config.system import (
    ConstantRate,
    ConstantStaleness,
    CosineDecay,
    DecayConfig,
    HingeStaleness,
    LinearDecay,
    PolynomialStaleness,
    StalenessConfig,
    StalenessLimit,
)
from fedras_ray.server.selection import select as select


def staleness_weight(config: StalenessConfig, staleness: int) -> float:
    """The weight of an update that is `staleness` versions old, 1 for a fresh one."""
    match config:
        case ConstantStaleness():
            return 1.0
        case PolynomialStaleness():
            return float((1 + staleness) ** -config.exponent)
        case HingeStaleness():
            return 1.0 / (1.0 + config.slope * max(0, staleness - config.grace))


def limited_weight(limit: StalenessLimit, staleness: int) -> float:
    """What that weight is multiplied with under a limit; 0 means that the update is not used."""
    if limit.versions is None or staleness <= limit.versions:
        return 1.0
    return {"waste": 0.0, "down-weight": limit.weight, "use": 1.0}[limit.beyond]


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
