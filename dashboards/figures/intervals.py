"""Differences to the reference as a row of intervals, with zero and the margin."""

from __future__ import annotations

from dashboards.drawing import axes, scale
from dashboards.drawing.axes import Frame
from dashboards.drawing.svg import element, image, number, text, text_width
from dashboards.figures.quality import title
from dashboards.figures.tradeoff import point
from dashboards.markup import figure, shorten
from dashboards.methods import Comparison, Method
from dashboards.units import percent, signed

_ROW = 30.0  # px per method
_CAP = 3.0  # px, half the bar across an interval's end


def against_reference(found: Comparison) -> str:
    """Intervals of the relative difference, one row per method, with the margin."""
    rows = [one for one in found.methods if one.tested and one.tested.relative is not None]
    if not rows:
        return ""
    ends = [end for one in rows if one.tested for end in (one.tested.low, one.tested.high) if end is not None]
    x = scale.linear(min(*ends, -found.margin), max(*ends, 0.0), step=scale.decimal_step, label=_share)
    height = 36.0 + _ROW * len(rows) + 44.0
    y = scale.Scale(0.0, float(len(rows)), (), ())
    left = max(text_width(shorten(one.name, 24)) for one in rows) + 12.0
    plain = axes.frame(x, y, axes.WIDTH, height)
    box = Frame(x, y, plain.width, plain.height, left, plain.right, plain.top, plain.bottom)
    body = axes.draw(box, f"{title(found.metric)}: difference", f"relative to {found.reference}")
    body += _upright(box, 0.0, "axis") + _upright(box, -found.margin, "level")
    body += "".join(_row(box, one, len(rows) - place - 0.5) for place, one in enumerate(rows))
    told = "; ".join(
        f"{one.name}: {signed(one.tested.relative)}, {one.tested.verdict}" for one in rows if one.tested
    )
    panel = image("d", box.width, box.height, f"Difference to {found.reference}", told, body)
    caption = (
        "<b>Difference to the reference, with 95 % intervals.</b> "
        f"The dotted line is the margin, {percent(found.margin)} below the reference: "
        "an interval to its right is no loss, one left of zero is a loss, one across both says neither."
    )
    return figure([panel], caption)


def _row(box: Frame, one: Method, row: float) -> str:
    tested = one.tested
    if tested is None or tested.relative is None or tested.low is None or tested.high is None:
        return ""
    low, high, y = box.px(tested.low), box.px(tested.high), box.py(row)
    ends = "".join(f"M{number(x)} {number(y - _CAP)}v{number(2 * _CAP)}" for x in (low, high))
    said = f"{signed(tested.relative)} ({signed(tested.low)} to {signed(tested.high)}): {tested.verdict}"
    name = text(box.left - 8, y + 4, shorten(one.name, 24), anchor="end")
    return name + point(
        one, box.px(tested.relative), y, f"M{number(low)} {number(y)}H{number(high)}{ends}", said
    )


def _upright(box: Frame, value: float, kind: str) -> str:
    return element("path", d=f"M{number(box.px(value))} {number(box.top)}V{number(box.bottom)}", class_=kind)


def _share(value: float, step: float) -> str:
    return scale.plain_label(100 * value, 100 * step) + " %"
