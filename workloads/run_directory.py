"""A run's directory: its configuration and ``summary.json``; others add to it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from fedras_ray.config import Experiment
from fedras_ray.errors import RunError
from workloads.sinks import Summary


def place(asked: Path | None, experiment: Experiment) -> Path:
    """Where a new run goes; nothing is made yet.

    Args:
        asked: where the user wants it; None: below ``runs/``, by name and time.
        experiment: what it is called.

    Raises:
        RunError: there is a finished run in it already, or it cannot be made.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    directory = home() / (asked or Path("runs") / f"{experiment.name}-{stamp}")
    with writing(directory):  # a name may be too long even to ask
        if (directory / "summary.json").exists():
            raise RunError(f"{directory} holds a finished run already; give another --out, or remove it")
        there = next(path for path in (directory, *directory.parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise RunError(f"{directory} cannot be made: {there} is no folder to write to; give another --out")
    return directory


def create(directory: Path, experiment: Experiment) -> None:
    """Make the directory of a run, with its complete configuration, so that it can be run again.

    Raises:
        RunError: it cannot be made.
    """
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        write_text(directory / "config.toml", experiment.to_toml())


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Whatever the file system refuses in the block, as a `RunError` that names `path`."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error}; make room, or give another --out") from error


def home() -> Path:
    """Where runs and the default tracking store are: here, or the home folder inside a submitted job.

    A job's working directory is a temporary copy that its user never sees again.
    """
    if "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ:
        return Path.home() / "fedras"
    return Path.cwd()


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def write_summary(directory: Path, summary: Summary) -> Path:
    """Write ``summary.json``: where it is, a run was computed to its end."""
    path = directory / "summary.json"
    with writing(path):
        write_text(path, json.dumps(summary, indent=2) + "\n")
    return path
