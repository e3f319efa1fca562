"""`fedras compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fedras_ray.errors import ConfigError
from workloads.speech import console, say
from workloads.stopping import Stopped, stoppable

FILE_WIDTH = 120  # characters, where nobody's window is too narrow


def compare(
    sources: Annotated[
        list[str], typer.Argument(metavar="NAME|FILE.toml...", help="Experiments, and at most one study.")
    ],
    seeds: Annotated[
        str | None, typer.Option(metavar="1,2,3", help="Default: the study's, else 1,2,3.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="METHOD", help="What the others are tested against; default: the study's, else the first."
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="What they are tested on; default: sampled_ndcg@10 where it is measured, else ndcg@20."
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="A loss up to this share of the reference is none; default: 0.02."),
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Of the reference's best quality, to which the time is told; default: 0.95.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change one value of every method; may be given many times."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Directory; what is finished in it is kept. Default: runs/STUDY, or a new one."),
    ] = None,
    pools: Annotated[
        int | None, typer.Option(min=1, help="Pools of clients of a run; default: one per core.")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Ray cluster to join; default: RAY_ADDRESS, one on this machine, or a new one."),
    ] = None,
    serial: Annotated[bool, typer.Option("--serial", help="Each run in one process, without Ray.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at the same time; best with --serial.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with runs that were interrupted, from their checkpoints.")
    ] = False,
    no_mlflow: Annotated[bool, typer.Option("--no-mlflow", help="Write the directory only.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as the last line of output.")
    ] = False,
) -> None:
    """Compare methods under several seeds: one table, one page, one MLflow run above all of them.

    A study is a .toml file with a base experiment, seeds, and a table of changes for each method. The
    same command again runs only what is not finished in its directory; with --resume it goes on in the
    middle of a run that was interrupted.

    Examples:
    - `fedras compare payload-ml-100k`
    - `fedras compare ml-100k-dense ml-100k-fedras --seeds 1,2,3,4,5`
    - `fedras compare payload-ml-100k --metric ndcg@10 --serial --jobs 4`
    - `fedras compare study.toml my-method.toml --reference dense-f32 --out results/a`
    """
    from workloads.comparing.plan import Question, plan

    question = Question(_seeds(seeds), reference, metric, margin, _target(target))
    asked = [*(settings or []), *([f"execution.pools={pools}"] if pools else [])]
    chosen = plan(sources, asked, question)

    from workloads.comparing.compare import compare as carry_out  # torch, Ray and MLflow: too slow for --help
    from workloads.comparing.table import tables
    from workloads.running import Options

    try:
        with stoppable() as wish:
            options = Options(out, address, serial, not no_mlflow, resume=resume)
            outcome = carry_out(chosen, options, jobs, wish)
    except Stopped as stopped:
        say("stopped; finished runs are kept, and --resume goes on with the one that was interrupted")
        raise typer.Exit(stopped.exit_status) from None
    wide = console if console.is_terminal else Console(stderr=True, width=FILE_WIDTH)
    wide.print(tables(outcome.results))
    say(f"page    {outcome.directory / 'comparison.html'}")
    if outcome.tracking_uri:
        from workloads.tracking.store import ui_command

        say(f"MLflow  {ui_command(outcome.tracking_uri)}")
    if as_json:
        typer.echo(json.dumps(outcome.results.as_tree()))


def _target(share: float | None) -> float | None:
    if share is not None and not 0 < share <= 1:
        raise ConfigError("target", f"is above 0 and at most 1, got {share:g}")
    return share


def _seeds(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError("seeds", f"are whole numbers with commas between, got '{text}'") from None
    if min(found) < 0:
        raise ConfigError("seeds", f"are 0 or more, got '{text}'")
    return found
