"""Trace files: a link's factor over time, and when devices are on.

Both are CSV with a header, in UTF-8; times are seconds from the start of a cycle.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clock import nanos
from fedras_ray.config.network import TraceAvailability, TraceVariation
from fedras_ray.errors import FleetError, excerpt
from fedras_ray.fleet.numbers import decoded, number
from fedras_ray.paths import path_of

if TYPE_CHECKING:
    from _csv import Reader  # what `csv.reader` gives has no public name before 3.13

Longs = NDArray[np.int64]

LATEST_S = 1e8


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a trace file as numbers, with what an error about it has to say."""

    path: Path
    line: int
    values: dict[str, float]

    def refuse(self, column: str, problem: str) -> NoReturn:
        """Raise the error that names the file, the line and the column."""
        raise FleetError(f"{self.path}:{self.line}, column '{column}': {problem}")


@dataclass(frozen=True, slots=True)
class FactorTrace:
    """A cycle of factors of mean 1 over time: `factors[i]` holds from `starts_ns[i]` until the next."""

    starts_ns: tuple[int, ...]  # increasing, the first is 0
    factors: tuple[float, ...]
    period_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class PresenceTrace:
    """When D devices are on within a cycle: n intervals, apart from each other and increasing."""

    devices: Longs  # (D,) their numbers in the file, increasing
    starts: Longs  # (D + 1,) where each device's intervals begin
    on_ns: Longs  # (n,)
    off_ns: Longs  # (n,)
    period_ns: int


def read_factors(config: TraceVariation) -> FactorTrace:
    """The factors of a link over time, from a CSV with the columns ``t_s`` and ``factor``.

    They may have any unit: they are divided by their mean over time.

    Raises:
        FleetError: the file, a line or a column is wrong; the message names it.
    """
    path = path_of(config.file)
    rows = list(_rows(path, ("t_s", "factor")))
    starts = [nanos(row.values["t_s"]) for row in rows]
    if starts[0] != 0:
        rows[0].refuse("t_s", f"a cycle begins at 0, not at {rows[0].values['t_s']:g}")
    for row, before, now in zip(rows[1:], starts, starts[1:], strict=False):
        if now <= before:
            row.refuse("t_s", f"{row.values['t_s']:g} is not after the line before")
    period = _period(config, starts, rows[-1])
    lengths = np.diff([*starts, period]).tolist()
    mean = (
        math.fsum(row.values["factor"] * length for row, length in zip(rows, lengths, strict=True)) / period
    )
    if mean == 0:
        rows[0].refuse("factor", "is 0 in all lines: nothing would ever be sent")
    return FactorTrace(tuple(starts), tuple(row.values["factor"] / mean for row in rows), period)


def _period(config: TraceVariation, starts: Sequence[int], last: Row) -> int:
    if config.period_s is None:
        return 2 * starts[-1] - starts[-2] if len(starts) > 1 else nanos(1.0)
    if nanos(config.period_s) <= starts[-1]:
        last.refuse("t_s", f"{last.values['t_s']:g} is not within the period of {config.period_s:g} s")
    return nanos(config.period_s)


def read_presence(config: TraceAvailability) -> PresenceTrace:
    """When devices are on, from a CSV with the columns ``client``, ``on_s`` and ``off_s``.

    The order of lines does not matter; intervals that touch become one.

    Raises:
        FleetError: the file, a line or a column is wrong, or two intervals of a client overlap.
    """
    path = path_of(config.file)
    period = nanos(config.period_s)
    rows = [_checked(row, period) for row in _rows(path, ("client", "on_s", "off_s"))]
    rows.sort(key=lambda found: found[:2])
    on, off, owners = [rows[0][1]], [rows[0][2]], [rows[0][0]]
    for client, starts, ends, row in rows[1:]:
        same = client == owners[-1]
        if same and starts < off[-1]:
            row.refuse("on_s", f"client {client} is on already, until {off[-1] / 1e9:g} s")
        if same and starts == off[-1]:
            off[-1] = ends
        else:
            on.append(starts)
            off.append(ends)
            owners.append(client)
    devices, firsts = np.unique(owners, return_index=True)
    return PresenceTrace(devices, np.append(firsts, len(on)), np.array(on), np.array(off), period)


def _checked(row: Row, period_ns: int) -> tuple[int, int, int, Row]:
    client, on, off = row.values["client"], nanos(row.values["on_s"]), nanos(row.values["off_s"])
    if not client.is_integer():
        row.refuse("client", f"{client:g} is not a whole number")
    if off <= on:
        row.refuse("off_s", f"{off / 1e9:g} is not after on_s, {on / 1e9:g}")
    if off > period_ns:
        row.refuse("off_s", f"{off / 1e9:g} is beyond the period of {period_ns / 1e9:g} s")
    return int(client), on, off, row


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    """The lines of a file that are not empty; at least one.

    Raises:
        FleetError: it cannot be read, lacks a column, holds no line, or a field is no number of 0 or more.
    """
    lines = csv.reader(decoded(path).splitlines())
    try:
        yield from _read(path, lines, columns)
    except csv.Error as error:
        raise FleetError(f"{path}:{lines.line_num}: cannot be read: {error}") from error


def _read(path: Path, lines: Reader, columns: tuple[str, ...]) -> Iterator[Row]:
    header = [name.strip() for name in next(lines, [])]
    for name in columns:
        if name not in header:
            raise FleetError(f"{path}:1: has no column '{name}'; needed: {', '.join(columns)}")
    found = False
    for fields in lines:
        if fields:
            found = True
            yield _row(path, lines.line_num, header, fields, columns)
    if not found:
        raise FleetError(f"{path}: has no line below its header")


def _row(path: Path, line: int, header: list[str], fields: list[str], columns: tuple[str, ...]) -> Row:
    row = Row(path, line, {})
    for name in columns:
        place = header.index(name)
        if place >= len(fields):
            row.refuse(name, f"is missing: the line has {len(fields)} fields")
        value = number(fields[place])
        if value is None:
            row.refuse(name, f"'{excerpt(fields[place])}' is not a number")
        if not 0 <= value <= LATEST_S:
            row.refuse(name, f"{excerpt(fields[place])} is not between 0 and {LATEST_S:g}")
        row.values[name] = value
    return row
