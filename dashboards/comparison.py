"""The page of a comparison: the table, quality against bytes, and what was tested."""

from __future__ import annotations

from pathlib import Path

from dashboards import methods
from dashboards.figures.intervals import against_reference
from dashboards.figures.target import to_target
from dashboards.figures.tradeoff import quality_and_bytes
from dashboards.markup import escape, section
from dashboards.page import page, write_whole
from dashboards.sections.methods import measured, tested
from dashboards.sections.target import by_class, reached


def render(path: Path) -> str:
    """The page of a ``comparison.json``; the same file always gives the same text.

    Raises:
        RunError: it is missing or broken.
    """
    found = methods.read(path)
    seeds = f"seed {found.seeds[0]}" if len(found.seeds) == 1 else f"{len(found.seeds)} seeds"
    lead = f"<p>{escape(found.dataset['name'])}, {len(found.methods)} methods, {seeds}.</p>"
    sections = [
        section("result", "Result", lead, measured(found)),
        section("price", "Quality for its price", quality_and_bytes(found)),
        section("target", "Time to target", to_target(found), reached(found)),
    ]
    devices = by_class(found)
    if devices:
        sections.append(section("classes", "Device classes", devices))
    if len(found.methods) > 1:
        sections.append(section("test", "Is anything lost?", against_reference(found), tested(found)))
    return page(found.name, "comparison", sections)


def write(path: Path, target: Path) -> Path:
    """Render into a file, which appears whole or not at all.

    Raises:
        RunError: the comparison cannot be read, or `target` cannot be written.
    """
    return write_whole(render(path), target)
