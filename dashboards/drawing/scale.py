"""From values to a place on an axis, with ticks at numbers a person would choose.

A scale's domain begins and ends on a tick (`inside` keeps to the range it was given), ticks rise
strictly, and no two have the same label.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from dashboards.units import MINUS, THIN

Step = Callable[[float], float]  # the smallest good step that is not below a rough one
Label = Callable[[float, float], str]  # (value, step) -> text

_BYTES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_TIMES = (  # a unit in seconds, and the smallest step that is written in it
    (86_400.0, 86_400.0, "d"),
    (3_600.0, 3_600.0, "h"),
    (60.0, 60.0, "min"),
    (1.0, 0.1, "s"),
    (1e-3, 1e-4, "ms"),
    (1e-6, 1e-9, "µs"),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high`, linear or logarithmic."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    log: bool = False

    def at(self, value: float) -> float:
        """Where on the axis: 0 at its beginning, 1 at its end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def linear(low: float, high: float, *, step: Step, label: Label, target: int = 5) -> Scale:
    """About `target` intervals that cover low to high; an empty range is widened."""
    if high - low < 1e-9 * max(abs(low), abs(high)) or high == low:
        high, low = (high * 1.5, low * 0.5) if high > 0 else (high + 1, low)
    width = step((high - low) / target)
    first, last = math.floor(low / width + 1e-9), math.ceil(high / width - 1e-9)
    ticks = tuple(index * width for index in range(first, max(last, first + 1) + 1))
    return Scale(ticks[0], ticks[-1], ticks, tuple(label(tick, width) for tick in ticks))


def inside(low: float, high: float, *, step: Step, label: Label, target: int = 5) -> Scale:
    """Exactly low to high, with the ticks of `linear` that lie within."""
    around = linear(low, high, step=step, label=label, target=target)
    slack = 1e-9 * (around.high - around.low)
    if high - low <= slack:
        return around
    kept = [
        pair
        for pair in zip(around.ticks, around.labels, strict=True)
        if low - slack <= pair[0] <= high + slack
    ]
    return Scale(low, high, tuple(tick for tick, _ in kept), tuple(label for _, label in kept))


def logarithmic(low: float, high: float, *, label: Label) -> Scale:
    """From 1, 2 or 5 times a power of ten to another; both bounds are above zero."""
    edges = [m * 10.0**e for e in range(_decade(low), _decade(high) + 2) for m in (1, 2, 5)]
    first = max(index for index, edge in enumerate(edges) if edge <= low * (1 + 1e-9))
    last = min(index for index, edge in enumerate(edges) if edge >= high * (1 - 1e-9) and index > first)
    ticks = edges[first : last + 1]
    if ticks[-1] / ticks[0] > 101:
        decades = [edge for edge in edges[0::3] if ticks[0] <= edge <= ticks[-1]]
        labelled = decades[:: max(1, math.ceil(len(decades) / 6))]
    else:
        labelled = ticks
    return Scale(
        ticks[0], ticks[-1], tuple(labelled), tuple(label(tick, tick) for tick in labelled), log=True
    )


def _decade(value: float) -> int:
    return math.floor(math.log10(value) + 1e-12)


def decimal_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10, 20) if factor * power >= rough * (1 - 1e-9))


def whole_step(rough: float) -> float:
    """A decimal step, of bytes or of things: never below one."""
    return decimal_step(max(rough, 1.0))


def time_step(rough: float) -> float:
    """A step in seconds that a clock has: 15 s, 5 min, 6 h; decimal below a second and above a day."""
    if rough > 86_400:
        return decimal_step(rough / 86_400) * 86_400
    if rough <= 0.5:
        return decimal_step(rough)
    return float(next(step for step in _CLOCK if step >= rough * (1 - 1e-9)))


def plain_label(value: float, step: float) -> str:
    """As many decimals as the step has."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:,.{decimals}f}".replace(",", THIN).replace("-", MINUS)


def bytes_label(value: float, step: float) -> str:
    """In decimal units, with the decimals that tell this tick from the next."""
    unit = 0
    while abs(value) >= 1000.0 ** (unit + 1) * (1 - 1e-9) and unit < len(_BYTES) - 1:
        unit += 1
    decimals = max(0, math.ceil(-math.log10(step / 1000.0**unit) - 1e-9))
    text = f"{value / 1000.0**unit:.{decimals}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {_BYTES[unit]}"


def seconds_label(value: float, step: float) -> str:
    """In the unit of the step, so that one axis speaks one language: 30 min, 60 min, 90 min; 0.5 s, 1.0 s."""
    size, unit = next((pair for pair in _TIMES if step >= pair[1] * (1 - 1e-9)), _TIMES[-1])[::2]
    return f"{plain_label(value / size, step / size)} {unit}" if value else "0"
