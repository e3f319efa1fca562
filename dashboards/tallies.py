"""What ``records.parquet`` says about turns and evaluations, reduced as it is read.

A large run has millions of turns; what is kept of them here is as small as what will be drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dashboards import curves
from dashboards.courses import Course, course
from dashboards.curves import Curve
from dashboards.opening import COLUMNS as OPENING
from dashboards.opening import Opening, opening
from dashboards.predictions import PREDICTED, predictions
from dashboards.recorded import rows
from fedras_ray.evaluation.prediction import PredictionError

_TURN = (*OPENING, "down_bytes", "up_bytes", "actions", "staleness", "sparse_up_bytes")


@dataclass(frozen=True, slots=True)
class ClassTraffic:
    """What the devices of one class sent and received in their turns."""

    name: str
    turns: int
    up_bytes: int
    down_bytes: int


Counts = tuple[tuple[int, int], ...]  # (value, how often), by value


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """The part of a run's records that is drawn."""

    curve: Curve
    turns: int
    sparse_up_bytes: int  # what the touched rows in f32 would have cost, over all turns
    classes: tuple[ClassTraffic, ...]  # the largest first
    actions: Counts
    staleness: Counts
    course: Course | None  # of K by device class; None: it does not vary
    opening: Opening
    prediction: PredictionError | None  # None: nothing was predicted


def read(path: Path) -> Records:
    """The records in a file.

    Raises:
        RunError: it is missing, is no Parquet file, or lacks a column; the message names it.
    """
    turns = rows(path, "turn", _TURN, maybe=(PREDICTED,))
    return Records(
        curve=curves.read(path),
        turns=turns.num_rows,
        sparse_up_bytes=pc.sum(turns["sparse_up_bytes"]).as_py() or 0,
        classes=_classes(turns),
        actions=_actions(turns["actions"]),
        staleness=_counts(turns["staleness"]),
        course=course(turns),
        opening=opening(turns, rows(path, "version", ("version", "at_ns"))),
        prediction=predictions(turns),
    )


def _counts(column: Any) -> Counts:
    counted = pc.value_counts(pc.cast(column.combine_chunks().drop_null(), pa.int64()))
    return tuple(sorted((entry["values"], entry["counts"]) for entry in counted.to_pylist()))


def _actions(column: Any) -> Counts:
    """Of uploads that came: what left before has no K; 0 alone where the codec has none."""
    counts = _counts(column)
    return tuple(pair for pair in counts if pair[0] > 0) or counts


def _classes(turns: Any) -> tuple[ClassTraffic, ...]:
    sums = [("client", "count"), ("up_bytes", "sum"), ("down_bytes", "sum")]
    found = [
        ClassTraffic(
            str(row["device_class"]), row["client_count"], row["up_bytes_sum"], row["down_bytes_sum"]
        )
        for row in turns.group_by("device_class").aggregate(sums).to_pylist()
    ]
    return tuple(sorted(found, key=lambda one: (-one.up_bytes - one.down_bytes, one.name)))
