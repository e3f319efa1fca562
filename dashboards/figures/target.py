"""The way to the target: quality as a share of the reference's best, against virtual time and bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from dashboards.curves import Curve, read
from dashboards.drawing import axes, scale
from dashboards.drawing.axes import Frame
from dashboards.drawing.lines import Series, colour, legend, level, line, thin
from dashboards.drawing.log_time import logarithmic_time
from dashboards.drawing.scale import Scale
from dashboards.drawing.svg import element, image, number
from dashboards.figures.quality import short_title
from dashboards.markup import escape, figure, shorten
from dashboards.methods import Comparison, Method
from dashboards.recorded import FILE, Floats
from dashboards.targets import Way
from dashboards.units import bytes_text, seconds_text

_LOG_FROM = 8.0  # methods that cost this many times each other are drawn on a logarithmic axis
_FLOOR = 0.5  # of the reference's best: evaluations below it are not drawn
_RING = 5.5  # px
_POINTS = 1_600  # on all lines of a panel together
_SIZES = ((560.0, 320.0, "half"), (axes.WIDTH, 270.0, "narrow"))  # px

Lines = Mapping[str, "Mean"]  # by method


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """One method's evaluations, means over seeds, version by version."""

    at_s: Floats  # (E,)
    sent_bytes: Floats  # (E,)
    share: Floats  # (E,) of the reference's best quality under each seed


@dataclass(frozen=True, slots=True)
class Cost:
    """What the horizontal axis counts."""

    key: str
    name: str
    along: Callable[[Mean], Floats]
    mean: Callable[[Way], float | None]
    each: Callable[[Way], tuple[float, ...]]
    linear: Callable[[float], Scale]  # from 0
    logarithmic: Callable[[float, float], Scale]
    say: Callable[[float], str]


_COSTS = (
    Cost(
        "t",
        "virtual time",
        lambda one: one.at_s,
        lambda way: way.seconds,
        lambda way: way.each_seconds,
        lambda high: scale.inside(0, high, step=scale.time_step, label=scale.seconds_label),
        logarithmic_time,
        seconds_text,
    ),
    Cost(
        "b",
        "bytes sent, up + down",
        lambda one: one.sent_bytes,
        lambda way: way.bytes,
        lambda way: way.each_bytes,
        lambda high: scale.inside(0, high, step=scale.whole_step, label=scale.bytes_label),
        lambda low, high: scale.logarithmic(low, high, label=scale.bytes_label),
        bytes_text,
    ),
)


def to_target(found: Comparison) -> str:
    """Both panels, in two widths; a sentence where the runs are not there to be drawn.

    Raises:
        RunError: the records of a run that is there cannot be read.
    """
    if min(found.base.way.goals) <= 0:
        return "<p>The reference has no quality above 0, so there is no target to draw.</p>"
    if not all((found.folder / run / FILE).exists() for one in found.methods for run in one.runs):
        return "<p>The runs are not beside this comparison, so their way to the target is not drawn.</p>"
    lines = {one.name: _mean(found, one) for one in found.methods}
    panels = [_panel(found, lines, cost, *size) for size in _SIZES for cost in _COSTS]
    several = len(found.seeds) > 1
    caption = (
        f"<b>The way to the target.</b> {escape(short_title(found.metric))} as a share of the best that "
        f"{escape(found.reference)} had under the same seed{', means over seeds' if several else ''}. "
        f"The dotted line is the target, {100 * found.target:g} %. A ring is a method's first evaluation at "
        f"or above it{', the mean over seeds; strokes are the seeds' if several else ''}. "
        "A method without a ring did not reach it under every seed. Evaluations below "
        f"{100 * _floor(lines):.0f} % are not drawn."
    )
    return figure(panels, caption, legend([(shorten(one.name), one.style) for one in found.methods]), "pairs")


def _mean(found: Comparison, one: Method) -> Mean:
    curves = [read(found.folder / run / FILE).of(found.metric) for run in one.runs]
    best = [goal / found.target for goal in found.base.way.goals]
    common = reduce(np.intersect1d, [curve.version for curve in curves])
    at = [np.isin(curve.version, common) for curve in curves]
    return Mean(
        _over(curves, at, lambda curve: curve.at_s),
        _over(curves, at, lambda curve: curve.sent_bytes),
        np.mean(
            [
                curve.quality[found.metric][own] / top
                for curve, own, top in zip(curves, at, best, strict=True)
            ],
            axis=0,
        ),
    )


def _over(
    curves: Sequence[Curve], at: Sequence[NDArray[np.bool_]], column: Callable[[Curve], Floats]
) -> Floats:
    return np.asarray(np.mean([column(curve)[own] for curve, own in zip(curves, at, strict=True)], axis=0))


def _panel(found: Comparison, lines: Lines, cost: Cost, width: float, height: float, kind: str) -> str:
    log = _spread([float(cost.along(one)[-1]) for one in lines.values()]) > _LOG_FROM
    floor, budget = _floor(lines), max(20, _POINTS // len(lines))
    series = [_series(one, lines[one.name], cost, floor, budget, log) for one in found.methods]
    series = [one for one in series if one.points]
    xs = [x for one in series for x, _ in one.points]
    xs += [x for one in found.methods for x in cost.each(one.way) if x > 0]
    ys = [y for one in series for _, y in one.points]
    y = scale.linear(min(*ys, found.target), max(*ys, found.target), step=scale.decimal_step, label=_share)
    box = axes.frame(cost.logarithmic(min(xs), max(xs)) if log else cost.linear(max(xs)), y, width, height)
    title = f"{short_title(found.metric)}, share of the best of {shorten(found.reference, 20)}"
    body = axes.draw(box, title, cost.name) + level(box, found.target)
    body += "".join(line(box, one) for one in series)
    body += "".join(_mark(box, found, one, cost) for one in found.methods)
    told = "; ".join(f"{one.name}: {_told(one.way, cost)}" for one in found.methods)
    name = f"{short_title(found.metric)} against {cost.name}"
    return image(f"w{cost.key}{kind[:1]}", box.width, box.height, name, told, body, kind)


def _spread(ends: Sequence[float]) -> float:
    positive = [end for end in ends if end > 0]
    return max(positive) / min(positive) if positive else 1.0


def _floor(lines: Lines) -> float:
    """What is below it is not drawn, so that there is room for what is near the target."""
    return min(_FLOOR, 0.8 * min(float(one.share.max()) for one in lines.values()))


def _series(one: Method, mean: Mean, cost: Cost, floor: float, budget: int, log: bool) -> Series:
    x = cost.along(mean)
    drawn = (mean.share >= floor) & ((x > 0) if log else np.isfinite(x))
    points, _ = thin(list(zip(x[drawn].tolist(), mean.share[drawn].tolist(), strict=True)), budget)
    return Series(one.name, one.style, points)


def _mark(box: Frame, found: Comparison, one: Method, cost: Cost) -> str:
    """Where it reached the target: a stroke for each seed; for their mean a ring and a line down."""
    mean, y = cost.mean(one.way), box.py(found.target)
    shown = [x for x in cost.each(one.way) if x > 0]
    strokes = "".join(f"M{number(box.px(x))} {number(y - 5)}v10" for x in shown)
    drawn = element("path", d=strokes, class_="line") if strokes and len(found.seeds) > 1 else ""
    if mean:
        x = number(box.px(mean))
        drawn += element("path", d=f"M{x} {number(y + _RING)}V{number(box.bottom)}", class_="drop")
        drawn += element("circle", cx=x, cy=y, r=_RING, class_="ring")
    said = f"{one.name}: {_told(one.way, cost)}"
    return element("g", f"<title>{escape(said)}</title>{drawn}", class_=colour(one.style)) if drawn else ""


def _told(way: Way, cost: Cost) -> str:
    mean = cost.mean(way)
    if mean is not None:
        return f"target reached at {cost.say(mean)}"
    return f"target never reached under seed {', '.join(str(seed) for seed, _ in way.never)}"


def _share(value: float, step: float) -> str:
    return scale.plain_label(100 * value, 100 * step) + " %"
