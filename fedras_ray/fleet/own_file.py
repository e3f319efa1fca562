"""Your own devices: a CSV or Parquet file, one row for each.

A row has `uplink_bytes_per_s`, `downlink_bytes_per_s` and either `train_s_per_sample` or `slowness`;
it may have `latency_s`, `device_class` and `energy_class`. Other columns are left alone.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config.base import unknown
from fedras_ray.config.fleet import FileFleet
from fedras_ray.errors import FleetError, excerpt
from fedras_ray.fleet import energy
from fedras_ray.fleet.draws import Devices
from fedras_ray.fleet.numbers import decoded, number
from fedras_ray.fleet.profiles import Floats
from fedras_ray.paths import path_of

LINKS = ("uplink_bytes_per_s", "downlink_bytes_per_s")
SPEEDS = ("train_s_per_sample", "slowness")
OPTIONAL = ("latency_s", "device_class", "energy_class")
MOST_CLASSES = 127  # a class is an int8

Columns = dict[str, list[Any]]


def devices_of_file(config: FileFleet, count: int, rng: Generator) -> Devices:
    """The rows of the file for `count` clients.

    With as many rows as clients, row i is client i. With fewer rows, rows are drawn with replacement;
    with more, without.

    Raises:
        FleetError: the file cannot be read, or a value cannot be; the message names file, column and row.
    """
    path = path_of(config.path)
    columns = _read(path)
    rows = len(next(iter(columns.values())))
    chosen = _chosen(rows, count, rng)
    if "slowness" in columns:
        with np.errstate(over="ignore"):  # what becomes infinite is refused as the fleet is made
            train = config.train_s_per_sample * _numbers(path, "slowness", columns)
    else:
        train = _numbers(path, "train_s_per_sample", columns)
    up, down = (_numbers(path, name, columns)[chosen] for name in LINKS)
    latency = config.latency_s if "latency_s" not in columns else _numbers(path, "latency_s", columns)[chosen]
    named = _classes(path, columns)
    device_class, names = (None, ()) if named is None else (named[0][chosen], named[1])
    energy_class = _energy(path, columns)[chosen] if "energy_class" in columns else "phone-wifi"
    return Devices(train[chosen], up, down, latency, device_class, names, energy_class)


def _chosen(rows: int, count: int, rng: Generator) -> NDArray[np.int64]:
    if rows == count:
        return np.arange(rows)
    if rows < count:
        return rng.integers(rows, size=count)
    return rng.permutation(rows)[:count]


def _read(path: Path) -> Columns:
    """The columns that are needed, each with as many values as the others."""
    if not path.is_file():
        raise FleetError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'there is no such file'}")
    ending = path.suffix.lower()
    if ending not in (".csv", ".parquet", ".pq"):
        raise FleetError(f"{path}: has an unknown ending; known: .csv, .parquet, .pq")
    try:
        columns = _read_csv(path) if ending == ".csv" else _read_parquet(path)
    except (OSError, ValueError) as error:
        raise FleetError(f"{path}: cannot be read: {error}") from error
    if not columns or not next(iter(columns.values())):
        raise FleetError(f"{path}: has no devices in it")
    return columns


def _read_csv(path: Path) -> Columns:
    lines = csv.reader(io.StringIO(decoded(path), newline=""))
    try:
        head = [name.strip() for name in next(lines, [])]
        wanted = _wanted(path, head)
        columns: Columns = {name: [] for name in wanted}
        for row, cells in enumerate((cells for cells in lines if cells), start=1):
            if len(cells) != len(head):
                raise FleetError(f"{path}, row {row}: has {len(cells)} values for {len(head)} columns")
            for name, place in wanted.items():
                columns[name].append(cells[place].strip())
    except csv.Error as error:
        raise FleetError(f"{path}:{lines.line_num}: cannot be read: {error}") from error
    return columns


def _read_parquet(path: Path) -> Columns:
    import pyarrow as pa  # not above: few fleets are read with it, and every coordinator would wait for it
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            wanted = _wanted(path, file.schema_arrow.names)
            table: Any = file.read(columns=list(wanted))
        table.validate(full=True)  # that text is UTF-8
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
    return {name: table[name].to_pylist() for name in wanted}


def _wanted(path: Path, head: list[str]) -> dict[str, int]:
    """Where the columns are that are needed; an optional one that is nearly called so is an error."""
    if not head:
        raise FleetError(f"{path}: has no devices in it")
    known = (*LINKS, *SPEEDS, *OPTIONAL)
    _check_once(path, head, known)
    missing = [name for name in LINKS if name not in head]
    speeds = [name for name in SPEEDS if name in head]
    if not speeds:
        missing.append("train_s_per_sample' or 'slowness")
    if len(speeds) == 2:
        raise FleetError(f"{path}: has both 'train_s_per_sample' and 'slowness'; take one of them out")
    if missing:
        raise FleetError(f"{path}: has no column '{missing[0]}' (there are: {excerpt(', '.join(head))})")
    for name in OPTIONAL:
        near = [] if name in head else difflib.get_close_matches(name, head, n=1, cutoff=0.8)
        if near and near[0] not in known:
            raise FleetError(
                f"{path}: column '{excerpt(near[0])}' is not known; did you mean '{name}'? Else rename it"
            )
    return {name: head.index(name) for name in known if name in head}


def _check_once(path: Path, head: list[str], known: tuple[str, ...]) -> None:
    for name in known:
        if head.count(name) > 1:
            raise FleetError(f"{path}: has {head.count(name)} columns named '{name}'")


def _numbers(path: Path, name: str, columns: Columns) -> Floats:
    """(rows,) values of a column: positive, or for latency not negative."""
    values = np.empty(len(columns[name]))
    for row, cell in enumerate(columns[name]):
        value = _number(cell)
        if not math.isfinite(value) or value < 0 or (value == 0 and name != "latency_s"):
            least = "0 or more" if name == "latency_s" else "above 0"
            problem = f"{excerpt(repr(cell))} is not a number {least}"
            raise FleetError(f"{path}, row {row + 1}, column '{name}': {problem}")
        values[row] = value
    return values


def _number(cell: object) -> float:
    """The value of a cell of text or of Parquet, NaN for what is none."""
    if isinstance(cell, str):
        found = number(cell)
        return math.nan if found is None else found
    try:
        return float(cell)  # type: ignore[arg-type]  # Parquet has many types, and most are no numbers
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _classes(path: Path, columns: Columns) -> tuple[NDArray[np.int8], tuple[str, ...]] | None:
    """Each row's device class, and their names in the order in which they come."""
    if "device_class" not in columns:
        return None
    cells = _texts(path, "device_class", columns)
    names = tuple(dict.fromkeys(cells))
    if len(names) > MOST_CLASSES:
        raise FleetError(
            f"{path}, column 'device_class': has {len(names)} classes, at most {MOST_CLASSES} can be"
        )
    place = {name: index for index, name in enumerate(names)}
    return np.array([place[cell] for cell in cells], dtype=np.int8), names


def _energy(path: Path, columns: Columns) -> NDArray[np.int8]:
    names = [one.name for one in energy.CLASSES]
    cells = _texts(path, "energy_class", columns)
    for row, cell in enumerate(cells):
        if cell not in names:
            raise FleetError(f"{path}, row {row + 1}, column 'energy_class': {unknown(cell, names)}")
    return np.array([names.index(cell) for cell in cells], dtype=np.int8)


def _texts(path: Path, name: str, columns: Columns) -> list[str]:
    for row, cell in enumerate(columns[name]):
        if not isinstance(cell, str) or not cell:
            raise FleetError(f"{path}, row {row + 1}, column '{name}': {excerpt(repr(cell))} is not a name")
    return columns[name]
