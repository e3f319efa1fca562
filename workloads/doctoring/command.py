"""``fedras doctor``: is this machine, or a cluster, able to run experiments, and if not, what to do."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fedras_ray.errors import FedrasError
from workloads.run_directory import home
from workloads.speech import console, say

if TYPE_CHECKING:
    from workloads.doctoring.findings import Finding

FAILED = 2


def doctor(
    address: Annotated[
        str | None,
        typer.Option(help="Ray cluster to look at; default: RAY_ADDRESS, else this machine alone."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where results will be written.")] = Path("runs"),
    no_mlflow: Annotated[bool, typer.Option("--no-mlflow", help="Leave the tracking store out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as the last line.")] = False,
) -> None:
    """Look at versions, clocks, memory, disk and MLflow, on every node; say how to mend what is wrong.

    Examples:
    - `fedras doctor`
    - `fedras doctor --address 10.0.0.1:6379`
    - `ray job submit --working-dir . -- python -m workloads doctor --json`
    """
    found: list[Finding] = []
    for finding in _all(address or os.environ.get("RAY_ADDRESS"), out, not no_mlflow):
        found.append(finding)
        console.print("[green]well[/] " if finding.well else "[bold red]ill[/]  ", end="")
        say(finding.what)
        if not finding.well:
            say(f"      {finding.remedy}")
    if as_json:
        typer.echo(json.dumps([finding._asdict() for finding in found]))
    if not all(finding.well for finding in found):
        raise typer.Exit(FAILED)


def _all(address: str | None, out: Path, mlflow: bool) -> Iterator[Finding]:
    from actors.examination import condition, examine
    from workloads.doctoring.findings import Finding, of_cluster, of_machine

    here = condition("here")
    yield from of_machine(here)
    yield _storage(home() / out)
    if mlflow:
        yield _store()
    if address is None:
        return
    try:
        nodes = examine(address)
    except FedrasError as error:
        yield Finding(False, str(error), "start the cluster ('ray up cluster.yaml'), or correct --address")
        return
    for node in nodes:
        yield from of_machine(node.condition)
    yield from of_cluster(nodes, here)


def _storage(out: Path) -> Finding:
    """Whether a file can be written where results go, or in what is there of it."""
    from workloads.doctoring.findings import Finding

    there = next(path for path in (out, *out.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"\0" * 2**20)
    except OSError as error:
        return Finding(
            False, f"results: {there} cannot be written: {error}", "give another --out, or make room"
        )
    return Finding(True, f"results: {there} can be written")


def _store() -> Finding:
    """Whether the tracking store answers."""
    from mlflow.tracking import MlflowClient

    from workloads.doctoring.findings import Finding
    from workloads.tracking.secrets import without_secrets
    from workloads.tracking.store import told, tracking_uri

    try:
        uri = tracking_uri()
        with told(uri):
            MlflowClient(tracking_uri=uri).search_experiments(max_results=1)
    except FedrasError as error:
        return Finding(False, str(error), "start the server, or correct MLFLOW_TRACKING_URI")
    return Finding(True, f"MLflow: {without_secrets(uri)} answers")
