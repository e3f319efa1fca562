"""How a fleet's devices are spread: for each value, the share of devices that have no more."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.drawing import axes, scale
from dashboards.drawing.lines import Series, legend, line
from dashboards.drawing.svg import image
from dashboards.markup import escape, figure, shorten
from dashboards.units import percent, significant
from fedras_ray.fleet.portrait import PERCENTS, QUANTITIES, Group, Portrait, Quantity

_CURVES = 8  # groups drawn: everyone, and classes between the fastest and the slowest
_DEVICES = ("slowness", "uplink_mbit_per_s", "downlink_mbit_per_s", "rtt_ms")


def devices(drawn: Portrait) -> str:
    """Compute, links and round trips."""
    return _figure(drawn, [one for one in QUANTITIES if one.key in _DEVICES], "Devices and links.")


def turns(drawn: Portrait) -> str:
    """The parts of a nominal turn, the turn and its energy."""
    return _figure(drawn, [one for one in QUANTITIES if one.key not in _DEVICES], "One nominal turn.")


def _figure(drawn: Portrait, quantities: Sequence[Quantity], title: str) -> str:
    shown = _shown(drawn.groups)
    varied = [one for one in quantities if _spread(drawn.groups[0], one.key)]
    same = "".join(
        f"<p>Every device has the same {escape(one.title)}: "
        f"{significant(drawn.groups[0].at(one.key, 50))} {escape(one.unit)}.</p>"
        for one in quantities
        if one not in varied
    )
    if not varied:
        return same
    left_out = len(drawn.groups) - len(shown)
    more = f" {left_out} classes between those drawn are left to the tables." if left_out else ""
    caption = (
        f"<b>{title}</b> For each value, the share of the devices of a class that have no more than it. "
        f"The horizontal axes are logarithmic.{more}"
    )
    names = [(shorten(group.name), style) for style, group in enumerate(shown)]
    return same + figure([_panel(one, shown) for one in varied], caption, legend(names))


def _shown(groups: Sequence[Group]) -> list[Group]:
    """Everyone, and all classes; of many, some evenly spaced in the order of their median turn."""
    if len(groups) <= _CURVES:
        return list(groups)
    classes = sorted(groups[1:], key=lambda group: group.at("turn_s", 50))
    steps = _CURVES - 2
    return [groups[0], *(classes[round(step * (len(classes) - 1) / steps)] for step in range(steps + 1))]


def _spread(everyone: Group, key: str) -> bool:
    return everyone.at(key, 100) > everyone.at(key, 0)


def _panel(quantity: Quantity, shown: Sequence[Group]) -> str:
    key = quantity.key
    curves = [_curve(group, key, style) for style, group in enumerate(shown)]
    values = [value for curve in curves for value, _ in curve.points]
    x = scale.logarithmic(min(values), max(values), label=scale.plain_label)
    y = scale.linear(0, 1, step=scale.decimal_step, label=_share)
    box = axes.frame(x, y)
    body = axes.draw(box, quantity.title, quantity.unit)
    body += "".join(line(box, curve) for curve in curves if curve.points)
    told = "; ".join(
        f"{group.name}: " + ", ".join(f"{p} % {significant(group.at(key, p))}" for p in (5, 50, 95))
        for group in shown
    )
    return image(f"d-{key}", box.width, box.height, f"{quantity.title} in {quantity.unit}", told, body)


def _curve(group: Group, key: str, style: int) -> Series:
    """A time of nothing has no place on a logarithmic axis: the curve begins above it."""
    return Series(group.name, style, [(group.at(key, p), p / 100) for p in PERCENTS if group.at(key, p) > 0])


def _share(value: float, step: float) -> str:
    return percent(value) if step < 0.01 else f"{value * 100:.0f} %"
