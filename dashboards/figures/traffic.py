"""Bytes by direction beside what dense f32 would have cost, and by device class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from dashboards.drawing.bars import Bar, bars
from dashboards.drawing.lines import colour
from dashboards.markup import escape, figure
from dashboards.reading import Run
from dashboards.tallies import ClassTraffic
from dashboards.units import bytes_text, grouped, percent

_CLASSES = 8  # rows of a panel; the rest are added up
_PANELS = 6  # runs whose classes are drawn
_DIRECTIONS = (("up", "Uplink"), ("down", "Downlink"), ("total", "Both"))


def _key(*entries: tuple[str, str]) -> str:
    items = "".join(f'<li><span class="swatch {kind}"></span>{name}</li>' for kind, name in entries)
    return f'<ul class="legend">{items}</ul>\n'


def by_direction(runs: Sequence[Run]) -> str:
    """A bar for each run within the outline of what dense f32 would have cost."""
    panels = [
        bars(
            f"d-{name}",
            f"{title}, bytes",
            "; ".join(f"{run.label}: {_against(run, name)}" for run in runs),
            [_row(run, name, alone=len(runs) == 1) for run in runs],
        )
        for name, title in _DIRECTIONS
    ]
    caption = (
        "<b>Bytes by direction, against dense f32.</b> Filled: what was sent, the length of real messages. "
        "Outlined: every row of the item table in f32, for the same turns. "
        "Stroke: only the rows each client touched, in f32."
    )
    filled = "c0" if len(runs) == 1 else "any"
    return figure(
        panels, caption, _key((filled, "sent"), ("hollow", "dense f32"), ("line", "sparse f32, up"))
    )


def _row(run: Run, direction: str, *, alone: bool) -> Bar:
    sent = getattr(run.summary.traffic, direction)
    dense = getattr(run.summary.traffic, f"dense_{direction}")
    name = f"dense f32: {bytes_text(dense)}" if alone else run.label
    sparse = run.records.sparse_up_bytes if direction == "up" else 0
    return Bar(name, _against(run, direction), ((sent, colour(run.style)),), dense, sparse)


def _against(run: Run, direction: str) -> str:
    """E.g. ``12.3 MB, 98.4 % less``."""
    sent = getattr(run.summary.traffic, direction)
    reduction = getattr(run.summary.traffic, f"reduction_{direction}")
    return f"{bytes_text(sent)}, {change(reduction)}"


def change(reduction: float) -> str:
    """A reduction in words: ``98.4 % less``, ``3.1 % more``, ``no less``."""
    if abs(reduction) < 0.0005:
        return "no less"
    return f"{percent(reduction)} less" if reduction > 0 else f"{percent(-reduction)} more"


def by_class(runs: Sequence[Run]) -> str:
    """Up and down for each device class, a panel for each run."""
    shown = [run for run in runs if len(run.records.classes) > 1]
    if not shown:
        return "<p>All devices are of one class, so there is nothing to tell apart by class.</p>"
    panels = [_classes(f"k{run.style}", run, alone=len(runs) == 1) for run in shown[:_PANELS]]
    more = f" The first {_PANELS} runs are drawn." if len(shown) > _PANELS else ""
    caption = (
        "<b>Bytes by device class.</b> Summed over the recorded turns; "
        f"the number of turns is beside the class. Each run has its own scale.{more}"
    )
    return figure(panels, caption, _key(("p2", "up"), ("p0", "down")))


def _classes(key: str, run: Run, *, alone: bool) -> str:
    classes = run.records.classes
    if len(classes) > _CLASSES:
        rest = reduce(_add, classes[_CLASSES - 1 :])
        number = len(classes) - _CLASSES + 1
        classes = (*classes[: _CLASSES - 1], replace(rest, name=f"{number} other classes"))
    rows = [
        Bar(
            f"{one.name} · {grouped(one.turns)} turns",
            f"{bytes_text(one.up_bytes)} up, {bytes_text(one.down_bytes)} down",
            ((one.up_bytes, "p2"), (one.down_bytes, "p0")),
        )
        for one in classes
    ]
    told = "; ".join(f"{row.label}: {row.value}" for row in rows)
    return bars(key, "Bytes by device class" if alone else run.label, told, rows)


def _add(a: ClassTraffic, b: ClassTraffic) -> ClassTraffic:
    return ClassTraffic(a.name, a.turns + b.turns, a.up_bytes + b.up_bytes, a.down_bytes + b.down_bytes)


def wasted(runs: Sequence[Run]) -> str:
    """A sentence for the bytes that reached no version."""
    lost = [(run, run.summary.traffic.wasted) for run in runs if run.summary.traffic.wasted > 0]
    if not lost:
        return "<p>No upload was wasted: every one was aggregated into a version.</p>"
    if len(runs) == 1:
        run, count = lost[0]
        return f"<p>Of the bytes sent, {bytes_text(count)} reached no version{_faulty(run)}.</p>"
    listed = "; ".join(f"{escape(run.label)}: {bytes_text(count)}{_faulty(run)}" for run, count in lost)
    return f"<p>Of the bytes sent, some reached no version (wasted): {listed}.</p>"


def _faulty(run: Run) -> str:
    """What of the wasted bytes was refused, or came twice."""
    traffic = run.summary.traffic
    parts = [("refused", traffic.refused), ("of second copies", traffic.duplicates)]
    told = [f"{bytes_text(count)} {name}" for name, count in parts if count]
    return f" (of these {', '.join(told)})" if told else ""
