"""Your own ratings: one file with a user and an item column, and maybe ratings and timestamps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from fedras_ray.config.data import FileData
from fedras_ray.data.columns import assemble
from fedras_ray.data.named import choose
from fedras_ray.data.ratings import RawRatings
from fedras_ray.data.text import CSV, RECBOLE, TSV, Layout, read_text
from fedras_ray.errors import ConfigError, DataError
from fedras_ray.paths import path_of

TEXTS: dict[str, Layout] = {".csv": CSV, ".tsv": TSV, ".inter": RECBOLE}
TABLES = (".parquet", ".pq")


def read_own_file(config: FileData) -> RawRatings:
    """Ratings from the file that a `FileData` names; its ending says what it is.

    Raises:
        ConfigError: `least_rating` without a rating column, or beside a label column.
        DataError: the file, a column or a line is wrong; `where` is ``path:line`` (``path:row`` for Parquet).
    """
    if config.least_rating is not None and config.rating is None:
        raise ConfigError("data.least_rating", "needs data.rating, the column that it looks at")
    if config.least_rating is not None and config.label is not None:
        raise ConfigError("data.least_rating", "data.label says what was taken; leave one of the two out")
    path = path_of(config.path)
    roles = {
        "user": config.user,
        "item": config.item,
        "rating": config.rating,
        "timestamp": config.timestamp,
        "label": config.label,
    }
    names = {role: name for role, name in roles.items() if name is not None}
    ending = path.suffix.lower()
    if not path.is_file():
        raise DataError(str(path), "is a folder, not a file" if path.is_dir() else "there is no such file")
    if ending in TEXTS:
        return read_text(path, TEXTS[ending], names, config.least_rating)
    if ending in TABLES:
        return _read_parquet(path, names, config.least_rating)
    raise DataError(str(path), f"has an unknown ending; known: {', '.join([*TEXTS, *TABLES])}")


def _read_parquet(path: Path, names: dict[str, str], least_rating: float | None) -> RawRatings:
    """Only the columns that are needed leave the disk.

    Not `read_table`, which is for folders of files as well and takes half a second to find out how.
    """
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            wanted = choose(path, file.schema_arrow.names, names)
            table: Any = file.read(columns=sorted(set(wanted.values())))
        table.validate(full=True)  # that text is UTF-8
    except (pa.ArrowException, ValueError, OSError) as error:
        raise DataError(str(path), f"is not Parquet that can be read: {error}") from error
    if len(table) == 0:
        raise DataError(str(path), "has no ratings in it")
    columns = {role: table[column] for role, column in wanted.items()}
    del table
    return assemble(columns, lambda row: f"{path}:row {row + 1}", least_rating)
