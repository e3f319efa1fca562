"""`fedras fleet`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fedras_ray.config import Experiment, read
from fedras_ray.config.base import unknown
from fedras_ray.config.data import CatalogData, SyntheticData
from fedras_ray.config.fleet import KINDS
from fedras_ray.errors import ConfigError
from workloads.experiments import DEFAULT, find, names
from workloads.speech import console, say

FILE_WIDTH = 120  # characters, where nobody's window is too narrow
USUAL_CLIENTS = 10_000


def fleet(
    source: Annotated[
        str,
        typer.Argument(
            metavar="KIND|NAME|FILE.toml",
            help=f"A kind of fleet ({', '.join(KINDS)}), the name of an experiment, or a .toml file.",
        ),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one value; may be given many times."),
    ] = None,
    clients: Annotated[
        int | None,
        typer.Option(
            min=1, help=f"Devices; default: the users of an experiment's data set, else {USUAL_CLIENTS}."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Default: the experiment's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write a page with figures to this .html file.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the quantiles as the last line of output.")
    ] = False,
) -> None:
    """Look at a fleet: the speeds of its devices and links, and what one turn takes on them.

    A turn here is 200 kB down, 1,000 samples of training and 200 kB up. The same seed and number of
    devices give the same devices as a run.

    Examples:
    - `fedras fleet fedscale`
    - `fedras fleet harsh-mobile --out harsh.html`
    - `fedras fleet cellular --set fleet.generation=5g --clients 1000 --json`
    - `fedras fleet log-normal --set fleet.speed_link_correlation=0.7`
    - `fedras fleet file --set fleet.path=phones.csv`
    - `fedras fleet ml-100k-fedras --seed 2`
    """
    chosen = chosen_experiment(source, [*(settings or []), *([] if seed is None else [f"seed={seed}"])])
    count = clients or _users(chosen, source)

    from fedras_ray.fleet.build import build_fleet
    from fedras_ray.fleet.portrait import portrait
    from workloads.fleets.table import heading, table

    drawn = portrait(build_fleet(chosen.fleet, count, chosen.seed))
    title = heading(source, chosen.fleet.kind, count, chosen.seed)
    screen = console if as_json else Console()
    wide = screen if screen.is_terminal else Console(stderr=as_json, width=FILE_WIDTH)
    wide.print(table(title, drawn))
    if out:
        from dashboards.fleet import write

        say(f"page  {write(title, drawn, out)}")
    if as_json:
        told = {"fleet": chosen.fleet.model_dump(mode="json"), "clients": count, "seed": chosen.seed}
        typer.echo(json.dumps(told | drawn.as_tree()))


def chosen_experiment(source: str, settings: list[str]) -> Experiment:
    """An experiment as it is, or the usual one with another kind of fleet.

    Raises:
        ConfigError: there is no such kind, experiment or file, or a setting is wrong.
    """
    if source in KINDS:
        return read(find(DEFAULT), [f"fleet.kind={source}", *settings])
    if source not in names() and not source.endswith(".toml") and not Path(source).is_file():
        raise ConfigError("fleet", f"{unknown(source, [*KINDS, *names()])}; or give the path of a .toml file")
    return read(find(source), settings)


def _users(chosen: Experiment, source: str) -> int:
    """As many devices as a run has, where that is known without reading its data."""
    from fedras_ray.data.catalog import entry

    if source in KINDS:
        return USUAL_CLIENTS
    match chosen.data:
        case CatalogData():
            return entry(chosen.data.name).users
        case SyntheticData():
            return chosen.data.users
        case _:
            return USUAL_CLIENTS
