"""A figure as a file of its own: an SVG that a page of Markdown can show, light or dark."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from dashboards import methods
from dashboards.figures.tradeoff import frontier
from dashboards.page import write_whole

_RULES = re.compile(
    r"^(?:\.panel|\.grid|\.axis|\.level|\.line|\.mark|\.[cpw]\d|\.any|\.hollow)\b.*$", re.MULTILINE
)
_FONT = (
    'svg { background: var(--page); font-family: system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }'
)


def frontier_svg(path: Path) -> str:
    """Quality against bytes of a ``comparison.json``, for the metric that was tested.

    Raises:
        RunError: it is missing or broken.
    """
    drawn = frontier(methods.read(path))
    if not drawn:
        return ""
    opening = drawn.index(">") + 1
    head = drawn[: opening - 1] + ' xmlns="http://www.w3.org/2000/svg">'
    return f"{head}<style>\n{_style()}</style>{drawn[opening:]}\n"


def write_frontier(path: Path, target: Path) -> list[Path]:
    """Write the figure, where there is one; returns what was written.

    Raises:
        RunError: the comparison cannot be read, or `target` cannot be written.
    """
    text = frontier_svg(path)
    return [write_whole(text, target)] if text else []


def _style() -> str:
    """The colours and the rules of figures, out of the page's."""
    whole = files("dashboards").joinpath("report.css").read_text(encoding="utf-8")
    colours = whole[whole.index(":root") : whole.index("@media print")]
    return "\n".join([colours.rstrip(), _FONT, *_RULES.findall(whole), ""])
