"""From run directories to what a report needs of them; every problem is a `RunError` that names the file."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboards import summary, tallies
from dashboards.summary import Summary
from dashboards.tallies import Records
from fedras_ray.errors import RunError


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run directory, and the name it goes by in this report."""

    path: Path
    label: str
    style: int  # its place in the report, which decides its colour, dash and marker
    summary: Summary
    records: Records
    settings: Mapping[str, str]  # the experiment, as dotted keys and TOML-like values


def read(paths: Sequence[Path]) -> tuple[Run, ...]:
    """All runs of a report, in the order given.

    Raises:
        RunError: there is none, or one cannot be read.
    """
    if not paths:
        raise RunError("no run to report on; name at least one run directory: fedras report DIR…")
    summaries = [summary.read(_directory(path) / "summary.json") for path in paths]
    return tuple(
        Run(path, label, style, one, tallies.read(path / "records.parquet"), _settings(path / "config.toml"))
        for style, (path, label, one) in enumerate(zip(paths, _labels(summaries), summaries, strict=True))
    )


def _directory(path: Path) -> Path:
    if not path.is_dir():
        raise RunError(f"{path}: no such run directory; fedras run --out {path} would make it")
    return path


def _labels(summaries: Sequence[Summary]) -> list[str]:
    """The run's name, with as much added as it takes to tell the runs apart."""
    ways = (
        [one.name for one in summaries],
        [f"{one.name}, {one.codec}" for one in summaries],
        [f"{one.name}, seed {one.seed}" for one in summaries],
        [f"{one.name}, {one.codec}, seed {one.seed}" for one in summaries],
        [f"{one.name}, {one.digest[:8]}" for one in summaries],
    )
    for labels in ways:
        if max(Counter(labels).values()) == 1:
            return labels
    return [f"{one.name}, run {place}" for place, one in enumerate(summaries, start=1)]


def _settings(path: Path) -> dict[str, str]:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(
            f"{path}: not found, so this run cannot be repeated; restore it or leave it out"
        ) from error
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path}: cannot be read as TOML: {error}; restore it from a copy of the run"
        ) from error
    return dict(_flat(tree, ""))


def _flat(node: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in node.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", _value(value)))
    return found


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(_value(item) for item in value) if isinstance(value, list) else str(value)
