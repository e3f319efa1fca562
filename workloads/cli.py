"""The `fedras` command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from fedras_ray import __version__
from fedras_ray.config import Experiment, read
from fedras_ray.errors import FedrasError, RunError
from workloads import elsewhere
from workloads.comparing.command import compare
from workloads.doctoring.command import doctor
from workloads.experiments import DEFAULT, find, names
from workloads.fleets.command import fleet
from workloads.run_directory import CONFIG, SUMMARY, refuse_to_go_on
from workloads.speech import console, say, say_error
from workloads.stopping import Stopped, stoppable
from workloads.watching.command import watch

FAILED = 2
TOO_LARGE = "the memory of this machine is not enough; make data.* or model.width smaller"

app = typer.Typer(
    help="Simulate federated recommender systems on Ray, and count their communication in real bytes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
data_app = typer.Typer(help="Data sets: what there is, fetching one, looking at one.", no_args_is_help=True)
app.add_typer(data_app, name="data")

SETTINGS = typer.Option("--set", metavar="KEY=VALUE", help="Change one value; may be given many times.")


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Simulate federated recommender systems on Ray, and count their communication in real bytes."""
    if show:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def run(
    experiment: Annotated[
        str, typer.Argument(help=f"A name ({', '.join(names())}) or a .toml file.")
    ] = DEFAULT,
    settings: Annotated[list[str] | None, SETTINGS] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="PATH|URL", help="Directory of the run, or s3://…, gs://…; default: runs/NAME-TIME."
        ),
    ] = None,
    pools: Annotated[int | None, typer.Option(min=1, help="Pools of clients; default: one per core.")] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Ray cluster to join; default: RAY_ADDRESS, one on this machine, or a new one."),
    ] = None,
    serial: Annotated[
        bool, typer.Option("--serial", help="In this process, without Ray: the reference.")
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="PATH|URL",
            help="Directory of a run that was interrupted: go on from its newest checkpoint.",
        ),
    ] = None,
    max_restarts: Annotated[
        int,
        typer.Option(min=0, help="Go on so often by itself when the coordinator is lost."),
    ] = 0,
    model: Annotated[
        bool,
        typer.Option("--model", help="Keep the trained model, all private vectors in the clear."),
    ] = False,
    no_mlflow: Annotated[bool, typer.Option("--no-mlflow", help="Write the run directory only.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as the last line of output.")
    ] = False,
) -> None:
    """Run an experiment: FedRAS on MovieLens-100K when nothing else is said.

    Examples:
    - `fedras run`
    - `fedras run ml-100k-dense --set seed=2`
    - `fedras run --set codec.kind=dense --set schedule.versions=50 --json`
    - `fedras run my-study.toml --address head:6379 --out results/a`
    - `fedras run --resume results/a --max-restarts 3`
    - `fedras run --set tracking.register_as=ml-100k`, and then `mlflow models serve -m models:/ml-100k/1`
    - `fedras run --out s3://bucket/results/b`
    """
    directory, url = elsewhere.place(out if resume is None else resume, resume is not None)
    if resume is not None:
        experiment = _interrupted(Path(directory or ""), experiment, out)
    asked = [*(settings or []), *(["tracking.model=true"] if model else [])]
    chosen = _experiment(experiment, [*elsewhere.kept_at(url, resume is not None), *asked], pools)

    from workloads.running import Options, run  # torch, Ray and MLflow: too slow for --help
    from workloads.table import closing_table

    try:
        with stoppable() as wish:
            goes_on = resume is not None
            options = Options(
                directory, address, serial, not no_mlflow, resume=goes_on, max_restarts=max_restarts, url=url
            )
            outcome = run(chosen, options, console, wish)
    except Stopped as stopped:
        say("stopped; what was recorded so far is kept, and --resume with the run's directory goes on")
        raise typer.Exit(stopped.exit_status) from None
    console.print(closing_table(outcome.summary))
    say(f"report  {outcome.directory / 'report.html'}")
    if url:
        say(f"files   {url}")
    if outcome.tracking_uri:
        from workloads.tracking.store import ui_command

        say(f"MLflow  {ui_command(outcome.tracking_uri)}")
    if as_json:
        typer.echo(json.dumps(outcome.summary))


app.command("compare")(compare)
app.command("doctor")(doctor)
app.command("fleet")(fleet)
app.command("watch")(watch)


@app.command()
def report(
    directories: Annotated[list[Path], typer.Argument(help="Directories of finished runs, one or more.")],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("report.html"),
) -> None:
    """Write one HTML report about one run, or about several side by side."""
    from dashboards.report import write

    say(f"report  {write(directories, out)}")


@app.command()
def track(
    directories: Annotated[list[Path], typer.Argument(help="Directories of runs, one or more.")],
) -> None:
    """Send MLflow what it was not told because it was away; to the store that MLFLOW_TRACKING_URI names.

    A run says at its end that there is something to send, and names this command.
    """
    from workloads.tracking.sending import PENDING, send_pending
    from workloads.tracking.store import tracking_uri, ui_command

    uri = tracking_uri()
    for directory in directories:
        say(f"sent    {directory} (MLflow run {send_pending(directory / PENDING, uri)})")
    say(f"MLflow  {ui_command(uri)}")


@data_app.command("list")
def list_data() -> None:
    """Name the data sets of the catalogue."""
    from fedras_ray.data.catalog import CATALOG

    table = Table(
        "name", "users", "items", "interactions", "licence", title="Data sets", title_justify="left"
    )
    for entry in CATALOG:
        table.add_row(
            entry.name, f"{entry.users:,}", f"{entry.items:,}", f"{entry.interactions:,}", entry.licence
        )
    Console().print(table)


@data_app.command("get")
def get_data(name: Annotated[str, typer.Argument(help="A name from `fedras data list`.")]) -> None:
    """Fetch a data set into the cache, so that runs need no network."""
    _describe(name, [])
    say(f"{name} is here")


@data_app.command("info")
def data_info(
    name: Annotated[
        str, typer.Argument(help="A name from `fedras data list`, or an experiment's .toml file.")
    ],
    settings: Annotated[list[str] | None, SETTINGS] = None,
) -> None:
    """Describe a data set: sizes, activity of users, popularity of items."""
    table = Table(show_header=False, title=name, title_justify="left")
    for key, value in _describe(name, settings or []).items():
        table.add_row(key, f"{value:,}" if isinstance(value, int) else str(value))
    Console().print(table)


def main() -> None:
    """The entry point: an error of ours is one line and exit status 2; a signal's is 128 and its number.

    Codecs and policies of your own may be in the current folder: a script does not look there by itself, and
    Ray's workers do.
    """
    sys.path.append("")
    try:
        app()
    except (FedrasError, MemoryError) as error:
        say_error(error if isinstance(error, FedrasError) else RunError(f"{TOO_LARGE} ({error})"))
        sys.exit(FAILED)


def _interrupted(directory: Path, named: str, out: str | None) -> str:
    """The configuration of a run that is to be gone on with.

    Raises:
        RunError: there is no run, it is finished, or something else was asked for as well.
    """
    if named != DEFAULT or out is not None:
        raise RunError("--resume goes on with the run in its directory: leave the experiment and --out away")
    refuse_to_go_on(directory, (directory / SUMMARY).exists(), (directory / CONFIG).exists())
    return str(directory / CONFIG)


def _experiment(name: str, settings: list[str], pools: int | None) -> Experiment:
    asked = [*settings, *([f"execution.pools={pools}"] if pools else [])]
    return read(find(name), asked)


def _describe(name: str, settings: list[str]) -> dict[str, Any]:
    from fedras_ray.data import describe, load

    if name.endswith(".toml"):
        chosen = _experiment(name, settings, None)
    else:
        chosen = _experiment(DEFAULT, ["data.kind=catalog", f"data.name={name}", *settings], None)
    return describe(load(chosen.data, chosen.seed, say=say))
