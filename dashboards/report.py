"""One self-contained HTML page of one or more runs: no script, no request to anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dashboards.figures import pacing, prediction, quality, spread, timeline, traffic
from dashboards.markup import section
from dashboards.page import page, write_whole
from dashboards.reading import Run, read
from dashboards.sections.classes import classes, participation
from dashboards.sections.comparison import comparison, measures
from dashboards.sections.headline import headline
from dashboards.sections.privacy import privacy
from dashboards.sections.settings import configuration, identity, reproduce


def render(runs: Sequence[Path]) -> str:
    """The page for run directories, one line in each figure for each of them.

    The same directories always give the same text.

    Raises:
        RunError: a file of a run is missing or broken; the message names it and the way out.
    """
    return _page(read(runs))


def write(runs: Sequence[Path], target: Path) -> Path:
    """Render into a file, which appears whole or not at all.

    Raises:
        RunError: a run cannot be read, or `target` cannot be written.
    """
    return write_whole(render(runs), target)


def _page(runs: Sequence[Run]) -> str:
    title = runs[0].summary.name if len(runs) == 1 else f"{len(runs)} runs compared"
    return page(title, "report", _sections(runs))


def _sections(runs: Sequence[Run]) -> list[str]:
    several = len(runs) > 1
    return [
        section(
            "result", "Results" if several else "Result", headline(runs), measures(runs), comparison(runs)
        ),
        section("quality", "Quality for its price", quality.against_bytes(runs), quality.against_time(runs)),
        section("bytes", "Bytes", traffic.by_direction(runs), traffic.wasted(runs), traffic.by_class(runs)),
        section("updates", "Actions and staleness", spread.spread(runs), pacing.pacing(runs)),
        section("time", "The fleet at work", timeline.timeline(runs), prediction.prediction(runs)),
        section("classes", "Device classes", classes(runs), participation(runs), privacy(runs)),
        section("setup", "Configuration", identity(runs), configuration(runs)),
        section("again", "How to reproduce", reproduce(runs)),
    ]
