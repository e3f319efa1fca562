"""What a simulation says while it runs: frozen records in one flat schema.

The simulation *yields* records; sinks (Parquet, MLflow, a progress display) listen. Kinds are told
apart by their type. Four are flat: `as_row` writes them into one table with a ``kind`` column. The
fifth, `UserQualityRecord`, is columns of its own; a sink that has no use for it passes it over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedras_ray.snapshots.kinds import kept

SCHEMA_VERSION = 1
Column = NDArray[np.int64]


@kept()
class Fate(IntEnum):
    """What became of a client's upload. Append only."""

    USED = 0
    WASTED = 1  # it arrived after the last version was made
    LATE = 2  # it arrived after its round, and the schedule has no use for that
    STALE = 3  # it is older than the server's limit
    DROPPED = 4  # the client left before its upload was complete
    LOST = 5  # it was sent, and never arrived
    REFUSED = 6  # it arrived damaged, or says what cannot be


@kept()
@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One client's turn, from dispatch to arrival, or to the instant at which the client left.

    Bytes of a transfer that was cut off are those that were through, and the dense bytes beside them the
    same share of a dense message. A phase that was never reached ends at the instant of leaving.
    """

    client: int
    device_class: str
    turn: int  # how many turns this client had before
    version: int  # of the model it was sent
    dispatched_at_ns: int
    started_at_ns: int  # the download is complete, training begins
    trained_at_ns: int
    arrived_at_ns: int
    down_bytes: int
    up_bytes: int
    catch_up_bytes: int  # of the bytes down, for versions that the client had missed
    snapshot_bytes: int  # of the bytes down, for a client that had no state to build on
    request_bytes: int  # of the bytes up, to ask for the rows that the turn touches
    dense_down_bytes: int  # what dense f32 would have cost for this turn
    dense_up_bytes: int
    sparse_up_bytes: int  # what the touched rows in f32 would have cost
    samples: int  # trained on, over all epochs
    rows: int  # rows of the item table the update touches
    actions: int  # codebook size; 0 where the codec has none
    epochs: int  # of local training
    predicted_ns: int  # how long the server expected the turn to take
    tier: int
    staleness: int  # versions made between dispatch and arrival
    fate: Fate
    duplicate_bytes: int = 0  # of the bytes up, of a second copy


@kept()
@dataclass(frozen=True, slots=True)
class VersionRecord:
    """The server made a new version of the item table."""

    version: int
    at_ns: int
    updates: int  # aggregated into it
    mean_staleness: float
    train_loss: float  # mean over the aggregated clients of `ClientResult.loss`
    up_bytes: int  # the eight byte counts up to `sparse_up_bytes` are totals since the start of the run
    down_bytes: int
    catch_up_bytes: int
    snapshot_bytes: int
    wasted_bytes: int
    dense_up_bytes: int
    dense_down_bytes: int
    sparse_up_bytes: int
    client_updates: int  # aggregated since the start
    in_flight: int
    left_for_later: int  # choices since the start that were taken back: the client could not have made it
    downlink_state_bytes: int  # the server's memory of what clients hold

    def __reduce__(self) -> tuple[type[VersionRecord], tuple[Any, ...]]:
        """Without rounds there are as many as turns: half the time of the default way."""
        return VersionRecord, tuple(getattr(self, name) for name in self.__slots__)


@kept()
@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """Quality of one version; metrics that do not apply are absent from `quality`."""

    version: int
    at_ns: int
    up_bytes: int
    down_bytes: int
    users: int  # that were asked
    tested: int  # with at least one test item, of whom those asked are all or a sample
    quality: tuple[tuple[str, float], ...]  # e.g. ("recall@10", 0.08), sorted by name
    errors: tuple[tuple[str, float], ...]  # standard errors of these means; empty where all were asked


@kept()
@dataclass(frozen=True, slots=True, eq=False)
class UserQualityRecord:
    """The last evaluation, user by user: what paired tests need, and means no longer have.

    Of every user that was asked it holds the metrics and nothing else: neither its items nor
    its private state has left its shard. Float32, as a million users are 28 MB then.
    """

    version: int
    users: NDArray[np.int32]  # (E,) ascending
    quality: tuple[tuple[str, NDArray[np.float32]], ...]  # name and (E,), sorted by name

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, UserQualityRecord)
            and self.version == other.version
            and np.array_equal(self.users, other.users)
            and [name for name, _ in self.quality] == [name for name, _ in other.quality]
            and all(
                np.array_equal(mine, theirs)
                for (_, mine), (_, theirs) in zip(self.quality, other.quality, strict=True)
            )
        )

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash


@kept()
@dataclass(frozen=True, slots=True)
class EndRecord:
    """The last record: what the whole run comes to."""

    at_ns: int
    versions: int
    client_updates: int
    up_bytes: int
    down_bytes: int
    catch_up_bytes: int
    snapshot_bytes: int
    closing_bytes: int  # of the bytes down, after the last version, so that all clients can rank
    refused_bytes: int  # of the wasted bytes
    duplicate_bytes: int  # of the wasted bytes, whatever became of the first copy
    wasted_bytes: int
    dense_up_bytes: int
    dense_down_bytes: int
    sparse_up_bytes: int
    downlink_state_bytes: int  # the most there was
    left_for_later: int
    participation_gini: float  # over the clients with training data, of how often each was asked
    participation_jain: float
    mean_staleness: float
    trace_digest: str


FlatRecord = TurnRecord | VersionRecord | EvaluationRecord | EndRecord
Record = FlatRecord | UserQualityRecord
KINDS: dict[type[Any], str] = {
    TurnRecord: "turn",
    VersionRecord: "version",
    EvaluationRecord: "evaluation",
    EndRecord: "end",
}


def error_name(metric: str) -> str:
    """The name of a metric's standard error: "ndcg_10_se". Whatever has an @ in its name is a metric."""
    return f"{metric.replace('@', '_')}_se"


def as_row(record: FlatRecord) -> dict[str, Any]:
    """A flat row for a table: the fields of the record, and its kind."""
    row: dict[str, Any] = {"kind": KINDS[type(record)]}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name == "quality":
            row.update(value)
        elif field.name == "errors":
            row.update({error_name(metric): error for metric, error in value})
        else:
            row[field.name] = value.name.lower() if isinstance(value, Fate) else value
    return row


def rows(records: Iterable[FlatRecord]) -> list[dict[str, Any]]:
    """`as_row` over many."""
    return [as_row(record) for record in records]
