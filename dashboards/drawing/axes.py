"""The frame of a chart: grid, ticks that never touch, and titles with their units."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.drawing.scale import Scale
from dashboards.drawing.svg import EM, element, number, text, text_width

WIDTH = 360.0  # px of a panel: a phone's screen less its margins
HEIGHT = 250.0
GAP = 8.0  # px between two labels


@dataclass(frozen=True, slots=True)
class Frame:
    """The rectangle data is drawn in, and its two scales; coordinates in px from the upper left."""

    x: Scale
    y: Scale
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float

    def px(self, value: float) -> float:
        """Where a value of the horizontal axis lies."""
        return self.left + self.x.at(value) * (self.right - self.left)

    def py(self, value: float) -> float:
        """Where a value of the vertical axis lies."""
        return self.bottom - self.y.at(value) * (self.bottom - self.top)


def frame(x: Scale, y: Scale, width: float = WIDTH, height: float = HEIGHT, top: float = 36.0) -> Frame:
    """Margins just wide enough for the widest labels."""
    left = max((text_width(label) for label in y.labels), default=0.0) + 12.0
    right = width - max(8.0, text_width(x.labels[-1] if x.labels else "") / 2 + 2.0)
    return Frame(x, y, width, height, left, right, top, bottom=height - 44.0)


def draw(box: Frame, title: str, x_title: str) -> str:
    """Title above the vertical axis, grid and ticks, the horizontal axis' title below."""
    lines = "".join(
        f"M{number(box.left)} {number(box.py(tick))}H{number(box.right)}" for tick in box.y.ticks[1:]
    )
    ends = "".join(f"M{number(box.px(tick))} {number(box.bottom)}v4" for tick in box.x.ticks)
    return "".join(
        [
            text(0, 14, title, kind="title"),
            element("path", d=lines, class_="grid") if lines else "",
            element(
                "path", d=f"M{number(box.left)} {number(box.bottom)}H{number(box.right)}{ends}", class_="axis"
            ),
            *(
                text(box.left - 6, box.py(tick) + 0.35 * EM, label, anchor="end", kind="tick")
                for tick, label in zip(box.y.ticks, box.y.labels, strict=True)
            ),
            *(text(at, box.bottom + 17, label, anchor="middle", kind="tick") for at, label in _apart(box)),
            text((box.left + box.right) / 2, box.height - 6, x_title, anchor="middle", kind="name"),
        ]
    )


def _apart(box: Frame) -> list[tuple[float, str]]:
    """The horizontal labels that can stand without touching the one before."""
    kept: list[tuple[float, str]] = []
    edge = -GAP
    for tick, label in zip(box.x.ticks, box.x.labels, strict=True):
        at, half = box.px(tick), text_width(label) / 2
        if at - half >= edge + GAP:
            kept.append((at, label))
            edge = at + half
    return kept
