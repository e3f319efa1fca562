"""What the server does about updates that are too large: it takes them, at the length that is usual.

An update Δ that is longer than the limit C goes into its version with C / |Δ| times its weight, so with
length C; what the version is divided by stays. The limit is a number, or `factor` times the median length of
the last `memory` updates that were used, each at the length at which it was: a client can make itself heard,
but it moves the limit by one place among many at most. The first update of a run has nothing to be compared
with.

Norm clipping against poisoned updates: Z. Sun, P. Kairouz, A. T. Suresh, H. B. McMahan, "Can You Really
Backdoor Federated Learning?", 2019, arXiv 1911.07963, section 4.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from fedras_ray.config.defence import ClipConfig, FixedClip, MedianClip
from fedras_ray.snapshots.kinds import kept


@kept("_recent", "_ordered")
class Clipping:
    """See the module."""

    def __init__(self, config: ClipConfig) -> None:
        self._config = config
        self._recent: list[float] = []  # lengths at which updates were used, the newest last
        self._ordered: list[float] = []  # the same, increasing

    def factor(self, length: float) -> float:
        """What the weight of an update of this length is multiplied with; it is remembered."""
        match self._config:
            case FixedClip():
                return _shortening(length, self._config.norm)
            case MedianClip():
                limit = self._limit()
                factor = 1.0 if limit is None else _shortening(length, limit)
                self._remember(factor * length)
                return factor
            case _:
                return 1.0

    def _limit(self) -> float | None:
        """None: nothing was used so far."""
        if not self._ordered or not isinstance(self._config, MedianClip):
            return None
        return self._config.factor * self._ordered[(len(self._ordered) - 1) // 2]

    def _remember(self, length: float) -> None:
        if isinstance(self._config, MedianClip) and len(self._recent) == self._config.memory:
            del self._ordered[bisect_left(self._ordered, self._recent.pop(0))]
        self._recent.append(length)
        insort(self._ordered, length)


def _shortening(length: float, limit: float) -> float:
    return limit / length if length > limit else 1.0
