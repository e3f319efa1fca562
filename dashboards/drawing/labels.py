"""Names beside points, where they touch neither each other nor another point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.drawing.axes import Frame
from dashboards.drawing.svg import EM, text, text_width

_NEAR = 7.0  # px from a point to its name
_MARK = 5.0  # px around a point that are its own

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Spot:
    """A point in px, and how far its error bar reaches up and down."""

    name: str
    x: float
    y: float
    reach: float = 0.0


def labels(box: Frame, spots: Sequence[Spot]) -> str:
    """A name for each point; one that has no free place is left to the legend."""
    taken = [(one.x - _MARK, one.y - _MARK, one.x + _MARK, one.y + _MARK) for one in spots]
    taken += [(one.x - 1, one.y - one.reach, one.x + 1, one.y + one.reach) for one in spots]
    drawn = ""
    for spot in spots:
        name, x, y = spot.name, spot.x, spot.y
        for left, base in _places(x, y, text_width(name)):
            wanted = (left, base - 0.8 * EM, left + text_width(name), base + 0.25 * EM)
            if _inside(wanted, box) and not any(_touch(wanted, other) for other in taken):
                taken.append(wanted)
                drawn += text(left, base, name)
                break
    return drawn


def _places(x: float, y: float, width: float) -> list[tuple[float, float]]:
    """Left edge and baseline: right, left, above and below, then further up and down on either side."""
    middle = y + 0.35 * EM
    sides = (x + _NEAR, x - _NEAR - width)
    near = [(side, middle) for side in sides]
    near += [(x - width / 2, y - _NEAR - 3), (x - width / 2, y + _NEAR + 0.8 * EM)]
    return near + [(side, middle + shift) for shift in (-EM, EM, -2 * EM, 2 * EM) for side in sides]


def _inside(one: Box, box: Frame) -> bool:
    return one[0] >= box.left and one[2] <= box.width and one[1] >= box.top - EM and one[3] <= box.bottom


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
