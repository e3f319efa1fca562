"""``records.parquet``: everything that was said but the quality of each user, in the order of virtual time.

Turns come as numbers and go into columns as they are; only the few other records are rows of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fedras_ray.evaluation.quality import METRICS
from fedras_ray.records import (
    KINDS,
    SCHEMA_VERSION,
    Fate,
    TurnRecord,
    UserQualityRecord,
    as_row,
    error_name,
)
from fedras_ray.stretches import DEVICE_CLASS, FATE, FIELDS, Stretch
from workloads.run_directory import writing
from workloads.sinks import Ending

ROWS_PER_GROUP = 50_000
ARROW = {int: pa.int64(), float: pa.float64()}
FATES = tuple(fate.name.lower() for fate in Fate)


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


class RecordWriter:
    """Writes every record that is flat to ``records.parquet``, a row group at a time."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "records.parquet"
        self._partial = directory / "records.parquet.partial"
        self._schema = schema()
        with writing(self.path):
            self._writer = pq.ParquetWriter(self._partial, self._schema, compression="zstd")
        self._waiting: list[Stretch] = []
        self._rest = self._schema.empty_table()  # less than a group

    def write(self, stretch: Stretch) -> None:
        """Some more records."""
        self._waiting.append(stretch)
        if sum(map(len, self._waiting)) >= ROWS_PER_GROUP:
            self._gather()

    def close(self, ending: Ending) -> None:
        """Whatever happened, what was recorded is readable."""
        self._gather()
        with writing(self.path):
            if len(self._rest):
                self._writer.write_table(self._rest)
            self._writer.close()
            self._partial.replace(self.path)

    def _gather(self) -> None:
        """Write whole groups: the file does not show in which pieces it was told."""
        if not self._waiting:
            return
        self._rest = pa.concat_tables([self._rest, as_table(self._waiting, self._schema)])
        self._waiting = []
        whole = len(self._rest) // ROWS_PER_GROUP * ROWS_PER_GROUP
        if whole:
            with writing(self.path):
                self._writer.write_table(self._rest.slice(0, whole), row_group_size=ROWS_PER_GROUP)
            self._rest = self._rest.slice(whole)


def as_table(stretches: Sequence[Stretch], columns: pa.Schema) -> pa.Table:
    """The flat records of some stretches, in order; all of one run."""
    whole = Stretch.joined(stretches)
    turns = whole.table()  # (n, fields)
    others = [(place, record) for place, record in whole.others if not isinstance(record, UserQualityRecord)]
    rows = pa.Table.from_pylist([as_row(record) for _, record in others], schema=columns)
    both = pa.concat_tables([_turn_table(turns, whole.class_names, columns), rows])
    places = [place + number for number, (place, _) in enumerate(others)]
    order = np.empty(len(both), dtype=np.int64)
    order[places] = np.arange(len(turns), len(both))
    is_turn = np.ones(len(both), dtype=bool)
    is_turn[places] = False
    order[is_turn] = np.arange(len(turns))
    return both.take(order)


def _turn_table(turns: np.ndarray[Any, Any], class_names: Sequence[str], columns: pa.Schema) -> pa.Table:
    found = {name: pa.array(turns[:, place]) for place, name in enumerate(FIELDS)}
    found["device_class"] = pa.array(class_names, pa.string()).take(found[FIELDS[DEVICE_CLASS]])
    found["fate"] = pa.array(FATES, pa.string()).take(found[FIELDS[FATE]])
    found["kind"] = pa.repeat(KINDS[TurnRecord], len(turns))
    return pa.table(
        [found.get(field.name, pa.nulls(len(turns), field.type)) for field in columns], schema=columns
    )
