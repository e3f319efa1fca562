"""`fedras watch`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from workloads.watching.log import Progress, read_progress
from workloads.watching.view import line, view

EVERY_S = 1.0
PLAIN_S = 10.0  # between two lines where there is no terminal
NOTHING_YET = "nothing yet: the run is still starting"


def watch(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a run that goes on.")],
    once: Annotated[bool, typer.Option("--once", help="Say how it is now, and stop.")] = False,
) -> None:
    """Watch a run that goes on elsewhere, by what it writes into its directory, until it ends.

    Quality, bytes, pace and the time that is left; plain lines where there is no terminal.

    Examples:
    - `fedras watch runs/ml-100k-fedras-20261125-211540-123`
    - `fedras watch results/a --once`
    """
    console = Console()
    if once:
        found = read_progress(directory)
        console.print(view(found, time.time()) if found else NOTHING_YET)
    elif console.is_terminal:
        _live(directory, console)
    else:
        _plain(directory)


def _live(directory: Path, console: Console) -> None:
    with Live(NOTHING_YET, console=console, auto_refresh=False) as live:
        while True:
            found = read_progress(directory)
            live.update(view(found, time.time()) if found else NOTHING_YET, refresh=True)
            if _is_over(found):
                return
            time.sleep(EVERY_S)


def _plain(directory: Path) -> None:
    """A line when there is something new, and the last one."""
    said_s, heard_s = -PLAIN_S, 0.0
    while True:
        found = read_progress(directory)
        is_new = found is not None and found.heard_s > heard_s
        if found and is_new and (_is_over(found) or time.monotonic() - said_s >= PLAIN_S):
            said_s, heard_s = time.monotonic(), found.heard_s
            typer.echo(line(found, time.time()))
        if _is_over(found):
            return
        time.sleep(EVERY_S)


def _is_over(found: Progress | None) -> bool:
    return found is not None and found.ending is not None
