"""A run's directory: its configuration, ``records.parquet``, ``summary.json``; others add to it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from fedras_ray.config import Experiment
from fedras_ray.errors import RunError
from fedras_ray.evaluation.quality import METRICS
from fedras_ray.records import KINDS, SCHEMA_VERSION, Record, UserQualityRecord, as_row, error_name
from workloads.sinks import Ending, Summary

ROWS_PER_GROUP = 50_000
ARROW = {int: pa.int64(), float: pa.float64()}


def schema() -> pa.Schema:
    """The one table all records go into: the fields of every kind, and a column per metric."""
    columns: dict[str, pa.DataType] = {"kind": pa.string()}
    for kind in KINDS:
        hints = get_type_hints(kind)
        for field in fields(kind):
            if field.name not in ("quality", "errors"):
                columns.setdefault(field.name, ARROW.get(hints[field.name], pa.string()))
    columns |= {metric: pa.float64() for metric in METRICS}
    columns |= {error_name(metric): pa.float64() for metric in METRICS}
    return pa.schema(list(columns.items()), metadata={"fedras_schema": str(SCHEMA_VERSION)})


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


class RecordWriter:
    """Writes every record that is flat to ``records.parquet``, a row group at a time."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "records.parquet"
        self._partial = directory / "records.parquet.partial"
        self._schema = schema()
        with writing(self.path):
            self._writer = pq.ParquetWriter(self._partial, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def take(self, record: Record) -> None:
        """See `Sink.take`."""
        if isinstance(record, UserQualityRecord):
            return
        self._rows.append(as_row(record))
        if len(self._rows) >= ROWS_PER_GROUP:
            self._flush()

    def close(self, ending: Ending) -> None:
        """Whatever happened, what was recorded is readable."""
        self._flush()
        with writing(self.path):
            self._writer.close()
            self._partial.replace(self.path)

    def _flush(self) -> None:
        if self._rows:
            with writing(self.path):
                self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def write_summary(directory: Path, summary: Summary) -> Path:
    """Write ``summary.json``: where it is, a run was computed to its end."""
    path = directory / "summary.json"
    with writing(path):
        write_text(path, json.dumps(summary, indent=2) + "\n")
    return path
