"""Rows of one kind out of a ``records.parquet``; every problem is a `RunError` that names the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fedras_ray.errors import RunError

FILE = "records.parquet"
NANOS = 1e9

Floats = NDArray[np.float64]


def rows(
    path: Path, kind: str, columns: Sequence[str], *, metrics: bool = False, maybe: Sequence[str] = ()
) -> Any:
    """The table of one kind of record, with these columns.

    Args:
        path: the file.
        kind: as in its column ``kind``.
        columns: what is needed.
        metrics: with every metric there is, too.
        maybe: columns that are taken where they are there.

    Raises:
        RunError: the file is missing, is no Parquet file, or lacks a column.
    """
    again = f"repeat the run with: fedras run {path.parent / 'config.toml'}"
    try:
        names = list(pq.read_schema(path).names)
        missing = [name for name in ("kind", *columns) if name not in names]
        if missing:
            raise RunError(f"{path}: column '{missing[0]}' is missing; {again}")
        wanted = [*columns, *(name for name in names if name in maybe or (metrics and "@" in name))]
        return pq.read_table(path, columns=wanted, filters=[("kind", "=", kind)])
    except FileNotFoundError as error:
        raise RunError(f"{path}: not found; {again}") from error
    except (OSError, pa.ArrowException, TypeError, ValueError) as error:
        raise RunError(f"{path}: cannot be read as records: {error}; {again}") from error


def floats(column: Any) -> Floats:
    """(n,) with NaN for null."""
    return np.asarray(pc.fill_null(pc.cast(column, pa.float64()), float("nan")).to_numpy(), dtype=np.float64)


def whole(column: Any) -> NDArray[np.int64]:
    """(n,) with 0 for null."""
    return np.asarray(pc.fill_null(pc.cast(column, pa.int64()), 0).to_numpy(), dtype=np.int64)


def words(column: Any) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """(n,) places in the distinct words, and these, in alphabetical order."""
    coded = pc.cast(column.combine_chunks(), pa.string()).dictionary_encode()
    found = [str(word) for word in coded.dictionary.to_pylist()]
    order = sorted(range(len(found)), key=found.__getitem__)
    place = np.argsort(np.array(order, dtype=np.int64))
    codes = np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    return place[codes], tuple(found[index] for index in order)
