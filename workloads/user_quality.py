"""``users.parquet``: the metrics of every user at the last evaluation, one row per user.

It is what paired tests between methods need. It holds numbers from 0 to 1 under the users' numbers,
nothing of what they did or of what they keep private.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fedras_ray.errors import RunError
from fedras_ray.records import Record, UserQualityRecord
from workloads.run_directory import writing
from workloads.sinks import Ending

FILE = "users.parquet"


@dataclass(frozen=True, slots=True, eq=False)
class UserQuality:
    """One metric of the users of one run."""

    users: NDArray[np.int32]  # (E,) ascending
    values: NDArray[np.float32]  # (E,)


class UserQualityWriter:
    """A sink that writes the one record it knows, when it comes."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE

    def take(self, record: Record) -> None:
        """See `Sink.take`.

        Raises:
            RunError: the file cannot be written.
        """
        if isinstance(record, UserQualityRecord):
            partial = self.path.with_name(FILE + ".partial")
            with writing(self.path):
                pq.write_table(
                    pa.table({"user": record.users, **dict(record.quality)}), partial, compression="zstd"
                )
                partial.replace(self.path)

    def close(self, ending: Ending) -> None:
        """Nothing is held."""


def read(directory: Path, metric: str) -> UserQuality:
    """One metric of a finished run, user by user.

    Raises:
        RunError: the file is not there or broken, or has no such metric.
    """
    table = _table(directory, ["user", metric])
    if metric not in table.column_names:
        raise RunError(f"{directory / FILE} has no {metric}")
    return UserQuality(table["user"].to_numpy(), table[metric].to_numpy())


def read_all(directory: Path) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """The users of a finished run, (E,) ascending, and every metric of theirs, (E,) each.

    Raises:
        RunError: the file is not there or broken.
    """
    table = _table(directory, None)
    users = np.asarray(table["user"].to_numpy(), dtype=np.int64)
    names = [name for name in table.column_names if name != "user"]
    return users, {name: np.asarray(table[name].to_numpy(), dtype=np.float64) for name in names}


def _table(directory: Path, columns: list[str] | None) -> Any:
    path = directory / FILE
    try:
        return pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{path} cannot be read: {error}; remove {directory} and run it again") from error
