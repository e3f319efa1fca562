"""Bytes and rates as whole numbers that lose nothing, so that a sum does not hang on its bracketing.

A quantum is 2^-64 of what a link of 1 byte/s carries in 1 ns. A rate in bytes/s times 2^64 is then its
quanta per nanosecond, and that is a whole number for every float of at least 2^-12: a transfer that is cut
at any instant and goes on carries exactly what it would have carried in one piece.
"""

from __future__ import annotations

import math

from fedras_ray.clock import NANOS_PER_SECOND
from fedras_ray.errors import FleetError

_FRACTION_BITS = 64
QUANTA_PER_BYTE = NANOS_PER_SECOND << _FRACTION_BITS


def quanta_per_ns(rate_bytes_per_s: float) -> int:
    """A rate as whole quanta per nanosecond; what lies below 2^-64 bytes/s is cut off.

    Raises:
        FleetError: the rate is negative, infinite or not a number.
    """
    if not math.isfinite(rate_bytes_per_s) or rate_bytes_per_s < 0:
        raise FleetError(f"a rate must be finite and not negative, got {rate_bytes_per_s} bytes/s")
    return int(math.ldexp(rate_bytes_per_s, _FRACTION_BITS))


def bytes_per_s(rate_quanta_per_ns: int) -> float:
    """The other way round, for people and policies."""
    return math.ldexp(rate_quanta_per_ns, -_FRACTION_BITS)


def ceil_ratio(amount: int, rate: int) -> int:
    """The least whole number of nanoseconds in which `rate` quanta per ns carry `amount` quanta."""
    return -(-amount // rate)
