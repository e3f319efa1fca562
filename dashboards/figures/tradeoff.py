"""Methods as points: quality against all the bytes of a run."""

from __future__ import annotations

from dashboards.drawing import axes, scale
from dashboards.drawing.labels import Spot, labels
from dashboards.drawing.lines import colour, legend, level, marker
from dashboards.drawing.svg import element, image, number
from dashboards.figures.quality import short_title, title
from dashboards.markup import escape, figure, shorten
from dashboards.methods import Comparison, Method
from dashboards.units import bytes_text, score

_WIDE, _NARROW = (760.0, 340.0), (axes.WIDTH, 270.0)  # px


def quality_and_bytes(found: Comparison) -> str:
    """A large panel for the metric that is tested, a small one for each other; bytes are logarithmic."""
    sent = [one.traffic["total"] for one in found.methods]
    if min(sent) <= 0:
        return "<p>A method sent nothing, so there is no price to draw.</p>"
    others = [name for name in found.base.scores if name != found.metric]
    panels = [
        _panel("pw", found, found.metric, _WIDE, "wide"),
        _panel("pn", found, found.metric, _NARROW, "narrow"),
        *(_panel(f"p{place}", found, metric, _NARROW) for place, metric in enumerate(others)),
    ]
    bars = "Bars are ± 1 standard error over seeds. " if len(found.seeds) > 1 else ""
    caption = (
        f"<b>Quality against bytes sent, up + down, in one run.</b> {bars}"
        f"The dotted line is {escape(found.reference)}. Further left is cheaper, further up is better."
    )
    names = [(shorten(one.name), one.style) for one in found.methods]
    return figure(panels, caption, legend(names))


def frontier(found: Comparison) -> str:
    """The large panel alone; empty where a method sent nothing."""
    if min(one.traffic["total"] for one in found.methods) <= 0:
        return ""
    return _panel("frontier", found, found.metric, _WIDE, "wide")


def _panel(key: str, found: Comparison, metric: str, drawn: tuple[float, float], kind: str = "") -> str:
    shown = [(one, one.scores[metric]) for one in found.methods]
    sent = [one.traffic["total"] for one in found.methods]
    lows, highs = [s.mean - s.error for _, s in shown], [s.mean + s.error for _, s in shown]
    x = scale.logarithmic(min(sent), max(sent), label=scale.bytes_label)
    y = scale.linear(min(lows), max(highs), step=scale.decimal_step, label=scale.plain_label)
    box = axes.frame(x, y, *drawn)
    body = axes.draw(box, title(metric), "bytes sent, up + down") + level(box, found.base.scores[metric].mean)
    spots = []
    for one, value in shown:
        at_x, at_y = box.px(one.traffic["total"]), box.py(value.mean)
        span = box.py(value.mean - value.error) - box.py(value.mean + value.error)
        bar = f"M{number(at_x)} {number(at_y - span / 2)}v{number(span)}" if value.error else ""
        body += point(one, at_x, at_y, bar, f"{score(value.mean)}, {bytes_text(one.traffic['total'])}")
        spots.append(Spot(shorten(one.name, 24), at_x, at_y, span / 2))
    body += labels(box, spots)
    told = "; ".join(
        f"{one.name}: {score(s.mean)} for {bytes_text(one.traffic['total'])}" for one, s in shown
    )
    return image(key, box.width, box.height, f"{short_title(metric)} against bytes sent", told, body, kind)


def point(one: Method, x: float, y: float, bar: str, said: str) -> str:
    """A method's marker over its bar (path data), with a tooltip."""
    drawn = element("path", d=bar, class_="line") if bar else ""
    drawn += element("path", d=marker(one.style, x, y), class_="mark")
    return element("g", f"<title>{escape(f'{one.name}: {said}')}</title>{drawn}", class_=colour(one.style))
