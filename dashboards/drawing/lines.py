"""Line charts: a line and a marker shape for each run, told apart by colour, dash and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboards.drawing.axes import Frame
from dashboards.drawing.svg import element, number
from dashboards.markup import escape

COLOURS = 6  # classes c0 … c5 of report.css
_DASHES = ("", "5 3", "1.5 3")
_MARKS = 8  # about so many points of a line get a marker

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Series:
    """One line; `style` is the run's place in the report, the same in every figure."""

    label: str
    style: int
    points: Points


def thin(points: Points, budget: int) -> tuple[list[tuple[float, float]], int]:
    """Every n-th point and the last, at most `budget`; and n."""
    every = max(1, -(-(len(points) - 1) // max(1, budget - 1)))
    kept = list(points[::every])
    if points and (len(points) - 1) % every:
        if len(kept) >= budget:
            kept.pop()
        kept.append(points[-1])
    return kept, every


def colour(style: int) -> str:
    """The class of a run's colour."""
    return f"c{style % COLOURS}"


def line(box: Frame, series: Series) -> str:
    """The line, markers at some of its points and the last, and a tooltip with the run's name."""
    places = [(box.px(x), box.py(y)) for x, y in series.points]
    steps = "".join(f"l{number(b[0] - a[0])} {number(b[1] - a[1])}" for a, b in pairwise(_rounded(places)))
    path = f"M{number(places[0][0])} {number(places[0][1])}{steps}"
    marks = places[:: -max(1, len(places) // _MARKS)]
    return element(
        "g",
        f"<title>{escape(series.label)}</title>"
        + element("path", d=path, class_="line", stroke_dasharray=_dash(series.style))
        + element("path", d="".join(marker(series.style, *place) for place in marks), class_="mark"),
        class_=colour(series.style),
    )


def _rounded(places: Points) -> list[tuple[float, float]]:
    """To the precision that is written, so that relative steps do not add up their rounding."""
    return [(round(x, 1), round(y, 1)) for x, y in places]


def _dash(style: int) -> str:
    return _DASHES[style // COLOURS % len(_DASHES)]


def marker(style: int, x: float, y: float) -> str:
    """Path data: circle, square, diamond or triangle about 7 px across."""
    at = f"M{number(x)} {number(y)}"
    shapes = (
        "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
        "m-3-3h6v6h-6z",
        "m0-4l4 4l-4 4l-4-4z",
        "m0-4l3.8 6.6h-7.6z",
    )
    return at + shapes[style % len(shapes)]


def level(box: Frame, value: float) -> str:
    """A thin line across, at a value to compare with."""
    return element(
        "path", d=f"M{number(box.left)} {number(box.py(value))}H{number(box.right)}", class_="level"
    )


def legend(names: Sequence[tuple[str, int]], level_name: str = "") -> str:
    """The runs' lines and names, as an HTML list; `level_name` is what the levels are."""
    items = "".join(
        f'<li><svg class="key {colour(style)}" viewBox="0 0 28 12" aria-hidden="true">'
        + element("path", d="M1 6H27", class_="line", stroke_dasharray=_dash(style))
        + element("path", d=marker(style, 14, 6), class_="mark")
        + f"</svg>{escape(name)}</li>"
        for name, style in names
    )
    if level_name:
        rule = element("path", d="M1 6H27", class_="level")
        items += f'<li><svg class="key" viewBox="0 0 28 12" aria-hidden="true">{rule}</svg>{level_name}</li>'
    return f'<ul class="legend">{items}</ul>\n' if items else ""
