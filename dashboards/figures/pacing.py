"""K over virtual time, a line for each device class: who is asked for how much."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dashboards.courses import BINS, FEWEST, MOST_CLASSES, Course
from dashboards.drawing import axes, scale
from dashboards.drawing.lines import Series, legend, line
from dashboards.drawing.svg import image
from dashboards.markup import figure, shorten
from dashboards.reading import Run

_PANELS = 6  # runs drawn
_SIZES = ((760.0, "wide"), (axes.WIDTH, "narrow"))  # for large screens and print, and for phones


def pacing(runs: Sequence[Run]) -> str:
    """A panel for each run whose K varies; nothing where none does."""
    drawn = [(run, run.records.course) for run in runs if run.records.course is not None][:_PANELS]
    if not drawn:
        return ""
    names = sorted({name for _, one in drawn for name in one.classes})
    styles = {name: place for place, name in enumerate(names)}
    sizes = _SIZES if len(runs) == 1 else ((axes.WIDTH, ""),)
    panels = [_panel(run, one, styles, *size) for run, one in drawn for size in sizes]
    caption = (
        "<b>K over time, by device class.</b> Mean number of actions of the uploads that arrived in each "
        f"of {BINS} equal spans of time, where there were {FEWEST} or more. "
        f"At most {MOST_CLASSES} classes are drawn, those with most uploads."
    )
    return figure(panels, caption, legend([(shorten(name), styles[name]) for name in names]))


def _panel(run: Run, one: Course, styles: dict[str, int], width: float, kind: str) -> str:
    series = [
        Series(name, styles[name], [(x, y) for x, y in zip(one.at_s, values, strict=True) if np.isfinite(y)])
        for name, values in zip(one.classes, one.mean, strict=True)
    ]
    x = scale.inside(0, float(one.at_s[-1] + one.at_s[0]), step=scale.time_step, label=scale.seconds_label)
    y = scale.linear(0, float(np.nanmax(one.mean)), step=scale.whole_step, label=scale.plain_label)
    box = axes.frame(x, y, width)
    title = shorten(run.label, 48) if not kind else "mean K of uploads"
    body = axes.draw(box, title, "virtual time") + "".join(line(box, each) for each in series)
    ends = "; ".join(f"{each.label}: {each.points[0][1]:.1f} to {each.points[-1][1]:.1f}" for each in series)
    key, said = f"kt{run.style}{kind[:1]}", f"{run.label}: K over time by device class"
    return image(key, width, box.height, said, ends, body, kind)
