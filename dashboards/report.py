"""One self-contained HTML page of one or more runs: no script, no request to anywhere."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from dashboards.figures import quality, spread, timeline, traffic
from dashboards.markup import escape, section
from dashboards.reading import Run, read
from dashboards.sections.comparison import comparison, measures
from dashboards.sections.headline import headline
from dashboards.sections.settings import configuration, identity, reproduce
from fedras_ray.errors import RunError


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
    page = render(runs)
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(page, encoding="utf-8")
        os.replace(part, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise RunError(f"{target}: the report cannot be written: {error}; choose another file") from error
    return target


def _page(runs: Sequence[Run]) -> str:
    first = runs[0].summary.name
    title = first if len(runs) == 1 else f"{len(runs)} runs compared"
    style = files("dashboards").joinpath("report.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>',
            '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
            '<meta name="color-scheme" content="light dark"/>',
            # the page asks for nothing, and a browser is told to see to it
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>",
            '<link rel="icon" href="data:,"/>',
            f"<title>{escape(title)} · FedRAS-Ray</title>\n<style>\n{style}</style>\n</head>\n<body>",
            f"<header><p>FedRAS-Ray report</p><h1>{escape(title)}</h1></header>\n<main>",
            *_sections(runs),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _sections(runs: Sequence[Run]) -> list[str]:
    several = len(runs) > 1
    return [
        section(
            "result", "Results" if several else "Result", headline(runs), measures(runs), comparison(runs)
        ),
        section("quality", "Quality for its price", quality.against_bytes(runs), quality.against_time(runs)),
        section("bytes", "Bytes", traffic.by_direction(runs), traffic.wasted(runs), traffic.by_class(runs)),
        section("updates", "Actions and staleness", spread.spread(runs)),
        section("time", "The fleet at work", timeline.timeline(runs)),
        section("setup", "Configuration", identity(runs), configuration(runs)),
        section("again", "How to reproduce", reproduce(runs)),
    ]
