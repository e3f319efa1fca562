"""Horizontal bars with their words above them, and histograms; both begin at zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.drawing.axes import WIDTH, Frame
from dashboards.drawing.svg import element, image, number, text, text_width
from dashboards.markup import escape, shorten

_ROW = 40.0  # px for a bar and the line above it
_BAR = 14.0
_TOP = 28.0  # px for the panel's title


@dataclass(frozen=True, slots=True)
class Bar:
    """`parts` are laid end to end, each with a colour class; `outline` is what they are compared with."""

    label: str
    value: str  # written at the right
    parts: tuple[tuple[float, str], ...]
    outline: float = 0.0
    mark: float = 0.0  # a second thing to compare with, drawn as a stroke across


def bars(key: str, title: str, description: str, rows: Sequence[Bar], full: float = 0.0) -> str:
    """A panel of bars on one scale; `full` is the value at its right edge, at least the longest bar."""
    longest = max([full, *(max(sum(part for part, _ in row.parts), row.outline) for row in rows)])
    per_px = longest / (WIDTH - 2) if longest > 0 else 1.0
    body = text(0, 14, title, kind="title")
    for index, row in enumerate(rows):
        body += _bar(row, _TOP + index * _ROW, per_px)
    return image(key, WIDTH, _TOP + len(rows) * _ROW + 4, title, description, body)


def _bar(row: Bar, top: float, per_px: float) -> str:
    room = int((WIDTH - text_width(row.value) - 12) / text_width("x"))
    y, x, drawn = top + 17.0, 1.0, ""
    for amount, kind in row.parts:
        if amount > 0:
            width = max(amount / per_px, 1.0)  # something that was sent is never invisible
            drawn += element("rect", x=x, y=y, width=width, height=_BAR, class_=f"fill {kind}")
            x += width
    if row.outline > 0:
        drawn += element("rect", x=1.0, y=y, width=row.outline / per_px, height=_BAR, class_="outline")
    if row.mark > 0:
        drawn += element("path", d=f"M{number(1 + row.mark / per_px)} {number(y - 3)}v20", class_="stroke")
    return element(
        "g",
        f"<title>{escape(f'{row.label}: {row.value}')}</title>"
        + text(0, top + 12, shorten(row.label, max(room, 8)))
        + text(WIDTH, top + 12, row.value, anchor="end", kind="tick")
        + drawn,
    )


def columns(box: Frame, heights: Sequence[tuple[float, float, float]], kind: str) -> str:
    """A histogram: (from, to, height) on the frame's scales, with a gap of a pixel between columns."""
    drawn = ""
    for low, high, height in heights:
        left, right, top = box.px(low), box.px(high), box.py(height)
        if height > 0:
            width = max(right - left - 1, 1.0)
            tall = max(box.bottom - top, 1.0)
            drawn += element(
                "rect", x=left, y=box.bottom - tall, width=width, height=tall, class_=f"fill {kind}"
            )
    return drawn
