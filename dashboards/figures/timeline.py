"""The first turns of a run on the fleet's clock: download, train, upload."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.drawing import axes, scale
from dashboards.drawing.scale import Scale
from dashboards.drawing.svg import element, image, number
from dashboards.markup import escape, figure, shorten
from dashboards.reading import Run
from dashboards.tallies import Turn
from dashboards.units import seconds_text

_PANELS = 6  # runs drawn
_ROW = 8.0  # px for a turn
_SIZES = ((760.0, "wide"), (axes.WIDTH, "narrow"))  # one is for large screens and print, one for phones
_LEGEND = "".join(
    f'<li><span class="swatch p{place}"></span>{name}</li>'
    for place, name in enumerate(("download", "train", "upload"))
)


def timeline(runs: Sequence[Run]) -> str:
    """One run in two widths, of which the page shows one; several side by side on one scale."""
    shown = [run for run in runs if run.records.first][:_PANELS]
    if not shown:
        return "<p>No turns were recorded, so there is no timeline.</p>"
    longest = max(_span(run.records.first) for run in shown)
    sizes = _SIZES if len(runs) == 1 else ((axes.WIDTH, ""),)
    panels = [_panel(run, longest, width, kind) for run in shown for width, kind in sizes]
    most = max(len(run.records.first) for run in shown)
    more = f" The first {_PANELS} runs are drawn." if len(runs) > _PANELS else ""
    caption = (
        f"<b>The first {most} turns.</b> A row is one client's turn, from its dispatch to its arrival, "
        f"in order of dispatch; latency is part of both transfers.{more}"
    )
    return figure(panels, caption, f'<ul class="legend">{_LEGEND}</ul>\n')


def _span(turns: Sequence[Turn]) -> float:
    """Seconds from the first dispatch to the last arrival."""
    return max(turn.arrived_s for turn in turns) - _start(turns)


def _start(turns: Sequence[Turn]) -> float:
    return min(turn.dispatched_s for turn in turns)


def _panel(run: Run, longest: float, width: float, kind: str) -> str:
    turns = run.records.first
    start, target = _start(turns), 8 if kind == "wide" else 5
    x = scale.inside(start, start + longest, step=scale.time_step, label=scale.seconds_label, target=target)
    rows = Scale(0.0, float(len(turns)), (), ())
    box = axes.frame(x, rows, width, height=72.0 + _ROW * len(turns), top=28.0)
    body = axes.draw(box, shorten(run.label, 48), "virtual time")
    body += _grid(box) + "".join(_turn(box, place, turn) for place, turn in enumerate(turns))
    slowest = max(turns, key=lambda turn: turn.arrived_s - turn.dispatched_s)
    told = (
        f"{len(turns)} turns in {seconds_text(_span(turns))}; the longest, of client {slowest.client} "
        f"({slowest.device_class}), takes {seconds_text(slowest.arrived_s - slowest.dispatched_s)}"
    )
    return image(f"g{run.style}{kind[:1]}", width, box.height, f"{run.label}: first turns", told, body, kind)


def _grid(box: axes.Frame) -> str:
    lines = "".join(f"M{number(box.px(tick))} {number(box.top)}V{number(box.bottom)}" for tick in box.x.ticks)
    return element("path", d=lines, class_="grid") if lines else ""


def _turn(box: axes.Frame, place: int, turn: Turn) -> str:
    """Three bars that touch; what they are is in the tooltip."""
    top = box.top + place * _ROW + 1
    times = (turn.dispatched_s, turn.started_s, turn.trained_s, turn.arrived_s)
    parts = "".join(
        _bar(box.px(times[phase]), box.px(times[phase + 1]), top, f"fill p{phase}")
        for phase in range(3)
        if times[phase + 1] > times[phase]
    )
    spans = [seconds_text(times[phase + 1] - times[phase]) for phase in range(3)]
    who = f"client {turn.client} ({turn.device_class})"
    said = f"{who}: download {spans[0]}, train {spans[1]}, upload {spans[2]}"
    return element("g", f"<title>{escape(said)}</title>{parts}")


def _bar(left: float, right: float, top: float, kind: str) -> str:
    outline = f"M{number(left)} {number(top)}H{number(right)}v{number(_ROW - 2)}H{number(left)}z"
    return element("path", d=outline, class_=kind)
