"""Where item table and private states begin: as the model draws them, or as a file has them.

The file is NumPy's .npz with `items`, (I, D), `private`, (U, P), or both; what it lacks is drawn. Rows are
in the order of the data set's numbers, which is that of the sorted outside names.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config.client import MatrixFactorization
from fedras_ray.errors import ConfigError
from fedras_ray.models.base import Model

Table = NDArray[np.float32]
KEY = "model.start"


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
    path = Path(config.start).expanduser()
    try:
        with np.load(path, allow_pickle=False) as arrays:
            table = arrays[name] if name in arrays.files else None
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ConfigError(KEY, f"{path} is no .npz that can be read: {error}") from error
    if table is None:
        return None
    if not (np.issubdtype(table.dtype, np.floating) and np.isfinite(table).all()):
        raise ConfigError(KEY, f"{name} in {path} must be finite floats, and is {table.dtype}")
    return np.ascontiguousarray(table, np.float32)
