"""A logarithmic axis of time, with ticks that a clock has: 1 s, 10 s, 1 min, 10 min, 1 h, 10 h, 1 d."""

from __future__ import annotations

import math

from dashboards.drawing.scale import Scale, seconds_label

_MOST = 7  # ticks with a label
_DAY = 86_400.0
_DAYS = range(6)  # powers of ten: to the end of the clock
_ROUND = (
    *(10.0**power for power in range(-9, 2)),
    *(60.0, 600.0, 3_600.0, 36_000.0),
    *(_DAY * 10**power for power in _DAYS),
)
_BETWEEN = (
    *(times * 10.0**power for power in range(-9, 0) for times in (2, 5)),
    *(2.0, 5.0, 20.0, 30.0, 120.0, 300.0, 1_200.0, 1_800.0, 7_200.0, 18_000.0),
    *(times * _DAY * 10**power for power in _DAYS for times in (2, 5)),
)
_EDGES = tuple(sorted((*_ROUND, *_BETWEEN)))


def logarithmic_time(low: float, high: float) -> Scale:
    """From a tick at or below `low` to one at or above `high`, in seconds from 1e-9 to 1e10."""
    first = max(index for index, edge in enumerate(_EDGES) if edge <= low * (1 + 1e-9))
    last = min(index for index, edge in enumerate(_EDGES) if edge >= high * (1 - 1e-9) and index > first)
    ticks = _EDGES[first : last + 1]
    if len(ticks) > _MOST:
        ticks = tuple(tick for tick in ticks if tick in _ROUND)
        ticks = ticks[:: math.ceil(len(ticks) / _MOST)]
    labels = tuple(seconds_label(tick, tick) for tick in ticks)
    return Scale(_EDGES[first], _EDGES[last], ticks, labels, log=True)
