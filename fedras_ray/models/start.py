"""Where item table and private states begin: as the model draws them, or as a file has them.

The file is NumPy's .npz with `items`, (I, D), `private`, (U, P), or both; what it lacks is drawn. Rows are
in the order of the data set's numbers, which is that of the sorted outside names.
"""

from __future__ import annotations

import zipfile
import zlib

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config.base import unknown
from fedras_ray.config.client import MatrixFactorization
from fedras_ray.errors import ConfigError, excerpt
from fedras_ray.models.base import Model
from fedras_ray.paths import path_of

Table = NDArray[np.float32]
KEY = "model.start"
TABLES = ("items", "private")
UNREADABLE = (  # what opening a damaged zip, and the arrays in it, raises
    OSError, EOFError, ValueError, TypeError, AttributeError, KeyError, RuntimeError, MemoryError,
    OverflowError, SyntaxError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def first_items(config: MatrixFactorization, model: Model, item_count: int, rng: Generator) -> Table:
    """(I, D), the item table of version 0, our own to change.

    Raises:
        ConfigError: the file cannot be read, or its table does not fit.
    """
    table = _table(config, "items")
    if table is None:
        return model.initial_items(item_count, rng)
    if table.shape != (item_count, config.width):
        raise ConfigError(
            KEY, f"items are {table.shape}, and the data and the model need {item_count, config.width}"
        )
    return table


def first_private(
    config: MatrixFactorization, model: Model, members: NDArray[np.int64], rng: Generator
) -> Table:
    """(members, P), the private states of some clients, increasing, before their first turns.

    Raises:
        ConfigError: the file cannot be read, or its table does not fit.
    """
    table = _table(config, "private")
    if table is None:
        return model.initial_private(len(members), rng)
    last = int(members.max(initial=-1))
    if table.ndim != 2 or len(table) <= last or table.shape[1] != model.private_width:
        width = model.private_width
        raise ConfigError(KEY, f"private is {table.shape}; needed is a row of {width} for every client")
    return table[members]


def _table(config: MatrixFactorization, name: str) -> Table | None:
    if config.start is None:
        return None
    path = path_of(config.start)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            strange = [one for one in arrays.files if one not in TABLES]
            table = arrays[name] if name in arrays.files else None
    except UNREADABLE as error:
        raise ConfigError(KEY, f"{path} is no .npz that can be read: {excerpt(str(error))}") from error
    if strange:
        raise ConfigError(KEY, f"{path}: {unknown(strange[0], list(TABLES))}")
    if table is None:
        return None
    if not (np.issubdtype(table.dtype, np.floating) and np.isfinite(table).all()):
        raise ConfigError(KEY, f"{name} in {path} must be finite floats, and is {table.dtype}")
    return np.ascontiguousarray(table, np.float32)
