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

CONFIG, SUMMARY = "config.toml", "summary.json"


def place(asked: Path | None, experiment: Experiment) -> Path:
    """Where a new run goes; nothing is made yet.

    Args:
        asked: where the user wants it; None: below ``runs/``, by name and time.
        experiment: what it is called.

    Raises:
        RunError: there is a finished run in it already, or it cannot be made.
    """
    directory = home() / asked if asked else fresh(experiment.name)
    with writing(directory):  # a name may be too long even to ask
        refuse_finished(directory, (directory / SUMMARY).exists())
        there = next(path for path in (directory, *directory.parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise RunError(f"{directory} cannot be made: {there} is no folder to write to; give another --out")
    return directory


def fresh(name: str) -> Path:
    """A directory below ``runs/`` that nobody has."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return home() / "runs" / f"{name}-{stamp}"


def refuse_finished(where: Path | str, is_finished: bool) -> None:
    """A new run may not take the place of one that is complete.

    Raises:
        RunError: one is.
    """
    if is_finished:
        raise RunError(f"{where} holds a finished run already; give another --out, or remove it")


def refuse_to_go_on(where: Path | str, is_finished: bool, has_begun: bool) -> None:
    """Only a run that has begun and did not end can be gone on with.

    Raises:
        RunError: it ended, or there is none.
    """
    if is_finished:
        raise RunError(f"{where} holds a finished run: there is nothing to go on with")
    if not has_begun:
        raise RunError(f"{where} holds no run: there is no {CONFIG} in it")


def create(directory: Path, experiment: Experiment) -> None:
    """Make the directory of a run, with its complete configuration, so that it can be run again.

    Raises:
        RunError: it cannot be made.
    """
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        write_text(directory / CONFIG, experiment.to_toml())


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
    path = directory / SUMMARY
    with writing(path):
        write_text(path, json.dumps(summary, indent=2) + "\n")
    return path
