"""What ``records.parquet`` says about turns and evaluations, reduced as it is read.

A large run has millions of turns; what is kept of them here is as small as what will be drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fedras_ray.errors import RunError

FIRST = 40  # turns kept for the timeline
_NANOS = 1e9
_TIMES = ("dispatched_at_ns", "started_at_ns", "trained_at_ns", "arrived_at_ns")
_TURN = (
    "client",
    "device_class",
    *_TIMES,
    "down_bytes",
    "up_bytes",
    "actions",
    "staleness",
    "sparse_up_bytes",
)
_EVALUATION = ("version", "at_ns", "up_bytes", "down_bytes")


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn on the timeline, in virtual seconds."""

    client: int
    device_class: str
    dispatched_s: float
    started_s: float
    trained_s: float
    arrived_s: float


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

    sent_bytes: NDArray[np.float64]  # (evaluations,) up and down since the start
    at_s: NDArray[np.float64]  # (evaluations,)
    quality: Mapping[str, NDArray[np.float64]]  # each (evaluations,), NaN where not measured
    turns: int
    sparse_up_bytes: int  # what the touched rows in f32 would have cost, over all turns
    classes: tuple[ClassTraffic, ...]  # the largest first
    actions: Counts
    staleness: Counts
    first: tuple[Turn, ...]  # the earliest dispatched, at most FIRST


def read(path: Path) -> Records:
    """The records in a file.

    Raises:
        RunError: it is missing, is no Parquet file, or lacks a column; the message names it.
    """
    again = f"repeat the run with: fedras run {path.parent / 'config.toml'}"
    try:
        names = list(pq.read_schema(path).names)
        missing = [name for name in ("kind", *_TURN, *_EVALUATION) if name not in names]
        if missing:
            raise RunError(f"{path}: column '{missing[0]}' is missing; {again}")
        metrics = [name for name in names if "@" in name]
        turns = pq.read_table(path, columns=list(_TURN), filters=[("kind", "=", "turn")])
        scores = pq.read_table(path, columns=[*_EVALUATION, *metrics], filters=[("kind", "=", "evaluation")])
        return _reduce(turns, scores.sort_by("version"), metrics)
    except FileNotFoundError as error:
        raise RunError(f"{path}: not found; {again}") from error
    except (OSError, pa.ArrowException, TypeError, ValueError) as error:
        raise RunError(f"{path}: cannot be read as records: {error}; {again}") from error


def _reduce(turns: Any, scores: Any, metrics: list[str]) -> Records:
    return Records(
        sent_bytes=_floats(pc.add(scores["up_bytes"], scores["down_bytes"])),
        at_s=_floats(scores["at_ns"]) / _NANOS,
        quality={name: _floats(scores[name]) for name in metrics},
        turns=turns.num_rows,
        sparse_up_bytes=pc.sum(turns["sparse_up_bytes"]).as_py() or 0,
        classes=_classes(turns),
        actions=_counts(turns["actions"]),
        staleness=_counts(turns["staleness"]),
        first=_first(turns),
    )


def _floats(column: Any) -> NDArray[np.float64]:
    """With NaN for null."""
    return np.asarray(pc.fill_null(pc.cast(column, pa.float64()), float("nan")).to_numpy(), dtype=np.float64)


def _counts(column: Any) -> Counts:
    counted = pc.value_counts(pc.cast(column.combine_chunks().drop_null(), pa.int64()))
    return tuple(sorted((entry["values"], entry["counts"]) for entry in counted.to_pylist()))


def _classes(turns: Any) -> tuple[ClassTraffic, ...]:
    sums = [("client", "count"), ("up_bytes", "sum"), ("down_bytes", "sum")]
    found = [
        ClassTraffic(
            str(row["device_class"]), row["client_count"], row["up_bytes_sum"], row["down_bytes_sum"]
        )
        for row in turns.group_by("device_class").aggregate(sums).to_pylist()
    ]
    return tuple(sorted(found, key=lambda one: (-one.up_bytes - one.down_bytes, one.name)))


def _first(turns: Any) -> tuple[Turn, ...]:
    keys = [("dispatched_at_ns", "ascending"), ("arrived_at_ns", "ascending"), ("client", "ascending")]
    if turns.num_rows == 0:
        return ()
    chosen = turns.take(pc.select_k_unstable(turns, k=FIRST, sort_keys=keys))
    return tuple(
        Turn(row["client"], str(row["device_class"]), *(row[name] / _NANOS for name in _TIMES))
        for row in chosen.to_pylist()
    )
