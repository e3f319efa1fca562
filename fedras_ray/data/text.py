"""Ratings from delimited text: CSV, TSV, RecBole's .inter, MovieLens' u.data and ratings.dat.

Arrow reads the file fast and says whether it is sound. Where it is not, a second and slow pass with
Python's csv module says *where*: Arrow counts rows without the empty lines, people count lines.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv

from fedras_ray.data.columns import ROLES, assemble
from fedras_ray.data.named import choose
from fedras_ray.data.ratings import RawRatings
from fedras_ray.errors import DataError, excerpt

_BLOCK_BYTES = 2**24  # a line that is longer cannot be read


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines become fields."""

    delimiter: str = ","
    columns: tuple[str, ...] | None = None  # None: the first line names them
    quoted: bool = True
    typed: bool = False  # RecBole's header: user_id:token, rating:float


CSV = Layout()
TSV = Layout("\t")
RECBOLE = Layout("\t", quoted=False, typed=True)
U_DATA = Layout("\t", ("user", "item", "rating", "timestamp"), quoted=False)
RATINGS_DAT = Layout("::", ("user", "item", "rating", "timestamp"), quoted=False)
SPACED = Layout(" ", ("user", "item", "rating"), quoted=False)

RECBOLE_NAMES = {"user": "user_id", "item": "item_id", "rating": "rating", "timestamp": "timestamp"}


def read_text(
    path: Path, layout: Layout, names: Mapping[str, str] | None = None, least_rating: float | None = None
) -> RawRatings:
    """Ratings from a text file; `names` gives the column of each role (user, item, rating, timestamp).

    Args:
        path: UTF-8, with or without a byte order mark, any kind of line ends; empty lines are skipped.
        layout: how lines become fields.
        names: roles to columns; a role that is left out is not read. None: the layout's own columns.
        least_rating: rows with a lower rating are left out.

    Raises:
        DataError: `where` is ``path:line`` where a line is to blame, else the path.
    """
    source = _Source(path, layout)
    if names is None:
        names = {role: role for role in layout.columns or ROLES}
    wanted = choose(path, source.header, names)
    table = source.table(sorted(set(wanted.values())))
    if len(table) == 0:
        raise DataError(str(path), "has no ratings in it")
    columns = {role: table[column] for role, column in wanted.items()}
    del table
    return assemble(columns, source.where, least_rating)


class _Source:
    """One text file in memory, read fast when it is sound and slowly when it is not."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self.delimiter = layout.delimiter
        try:
            self.data = path.read_bytes()
        except OSError as error:
            raise DataError(str(path), f"cannot be read: {error.strerror or error}") from error
        if len(self.delimiter) > 1:  # readers take one character
            self.data = self.data.replace(self.delimiter.encode(), b"\t")
            self.delimiter = "\t"
        if not self.data.strip():
            raise DataError(str(path), "is empty")
        self.header = layout.columns or self._named()

    def _named(self) -> tuple[str, ...]:
        self._check_encoding(self.data.split(b"\n", 1)[0])
        _, fields = next(self._lines())
        names = (field.strip() for field in fields)
        return tuple(name.partition(":")[0] if self.layout.typed else name for name in names)

    def table(self, columns: list[str]) -> Any:
        """The wanted columns, as text."""
        headed = self.layout.columns is None
        try:
            return pyarrow.csv.read_csv(
                pa.BufferReader(self.data.lstrip(b"\r\n")),  # Arrow takes an empty first line for the header
                pyarrow.csv.ReadOptions(
                    column_names=self.header, skip_rows_after_names=int(headed), block_size=_BLOCK_BYTES
                ),
                pyarrow.csv.ParseOptions(
                    delimiter=self.delimiter, quote_char='"' if self.layout.quoted else False
                ),
                pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.string()),
                    include_columns=columns,
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise self._blame(error) from error

    def _blame(self, error: Exception) -> DataError:
        """What is wrong and in which line; Arrow's own words where the slow pass finds nothing."""
        wanted = len(self.header)
        for line, fields in self._lines():
            if len(fields) != wanted:
                problem = (
                    f"{len(fields)} fields where {wanted} are needed ({excerpt(', '.join(self.header))})"
                )
                return DataError(f"{self.path}:{line}", problem)
        self._check_encoding(self.data)
        return DataError(str(self.path), f"cannot be read: {error}")

    def _check_encoding(self, data: bytes) -> None:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            problem = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
            raise DataError(f"{self.path}:{line}", problem) from error

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """(line, fields) of every line that is not empty, from line 1, the header with them."""
        text = self.data.decode("utf-8-sig", errors="replace")
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self.layout.quoted else csv.QUOTE_NONE
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, quoting=quoting)
        start = 1
        try:
            for fields in lines:
                if fields:
                    yield start, fields
                start = lines.line_num + 1  # a quoted field may span several
        except csv.Error as error:
            raise DataError(f"{self.path}:{start}", f"cannot be read: {error}") from error

    def where(self, row: int) -> str:
        """``path:line`` of a row of the table, both as people count them."""
        skipped = row + (self.layout.columns is None)
        for index, (line, _) in enumerate(self._lines()):
            if index == skipped:
                return f"{self.path}:{line}"
        return str(self.path)
