"""From Arrow columns to `RawRatings`, the same for text and Parquet.

M rows. A row that is broken is named by `where`, which knows the file and how its rows are counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fedras_ray.data.ratings import Names, RawRatings, Times, number
from fedras_ray.errors import DataError, excerpt

Column = Any  # pa.ChunkedArray: pyarrow has no type hints
Where = Callable[[int], str]  # a row, from 0, as "path:line"
ROLES = ("user", "item", "rating", "timestamp")
_KINDS = {"bool": np.bool_, "int32": np.int32, "int64": np.int64, "double": np.float64}  # Arrow's, ours


def assemble(columns: dict[str, Column], where: Where, least_rating: float | None = None) -> RawRatings:
    """Ratings from columns by role: `user` and `item`; where there are any `rating`, `timestamp`, `label`.

    The dictionary is emptied, and each column let go when it has been read: they are large.

    Raises:
        DataError: a name is empty, a number is none, or no row has at least `least_rating`.
    """
    texts = {role: _trimmed(columns.pop(role)) for role in [*columns]}
    rating = _numbers(texts.pop("rating"), where) if "rating" in texts else None
    timestamp = _times(texts.pop("timestamp"), where) if "timestamp" in texts else None
    label = _labels(texts.pop("label"), where) if "label" in texts else None
    for role in ("user", "item"):
        _check_names(texts[role], role, where)
    if rating is not None and least_rating is not None:
        keep = rating >= least_rating
        if not keep.any():
            raise DataError(where(0).rpartition(":")[0], f"no rating is {least_rating:g} or more")
        texts = {role: texts[role].filter(pa.array(keep)) for role in ("user", "item")}
        rating = rating[keep]
        timestamp = None if timestamp is None else timestamp[keep]
    pool = pa.default_memory_pool()
    pool.release_unused()  # or Arrow would keep it for the next column, of which there is none as large
    users, user_names = _dense(texts.pop("user"))
    pool.release_unused()
    items, item_names = _dense(texts.pop("item"))
    pool.release_unused()
    return RawRatings(users, items, user_names, item_names, rating, timestamp, label)


def _trimmed(column: Column) -> Column:
    """Text without the spaces around it; dictionaries unpacked; everything else as it is."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return pc.utf8_trim_whitespace(column) if _is_text(column) else column


def _is_text(column: Column) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _check_names(column: Column, role: str, where: Where) -> None:
    """Every row has a name, and a name is a whole number or a text."""
    if not (_is_text(column) or pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise DataError(where(0), f"the {role} is a {column.type}; whole numbers and text can name one")
    empty = _plain(pc.is_null(column))
    if _is_text(column):
        empty |= _plain(pc.binary_length(column)) == 0
    row = _first(empty)
    if row is not None:
        raise DataError(where(row), f"the {role} is empty; delete the line or name the {role}")
    if _is_text(column):
        row = _first(_plain(pc.match_substring(column, "\0")))
        if row is not None:  # NumPy ends a text there, and two names would be one
            raise DataError(where(row), f"the {role} has a NUL character in it; is the file text?")
    else:
        _convert(column, [_cast(pa.int64())], f"the {role}", "a whole number", where)


def _first(is_so: NDArray[np.bool_]) -> int | None:
    """The first row of which it is true, if there is one."""
    rows = np.flatnonzero(is_so)
    return int(rows[0]) if len(rows) else None


def _plain(column: Column) -> NDArray[Any]:
    """A copy of numbers or truths; what is missing is anything.

    Arrow's own `to_numpy`, `to_pandas_dtype` and scalars import pandas, which takes 40 MB.
    """
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    kind = np.dtype(_KINDS[str(column.type)])
    return np.concatenate([np.empty(0, kind), *(_chunk(one, kind) for one in chunks if len(one))])


def _chunk(array: Any, kind: np.dtype[Any]) -> NDArray[Any]:
    first, data = array.offset, array.buffers()[1]
    if kind != np.bool_:
        return np.frombuffer(data, kind)[first : first + len(array)]
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[first : first + len(array)].view(
        kind
    )


def _dense(column: Column) -> tuple[NDArray[np.int64], Names]:
    """Numbers per row and the sorted names. Each distinct name is looked at once."""
    if pa.types.is_floating(column.type):
        column = column.cast(pa.int64())
    encoded = column.combine_chunks().dictionary_encode()
    numbers, table = number(_names(encoded.dictionary))  # (distinct,)
    return numbers[_plain(encoded.indices)], table


def _names(distinct: Column) -> NDArray[Any]:
    """Integers where every name is one in its shortest form, else text: "7" and "007" differ."""
    try:
        integers = distinct.cast(pa.int64())
    except pa.ArrowInvalid:
        return np.asarray(distinct.to_pylist(), dtype=np.str_)
    if _is_text(distinct) and not integers.cast(distinct.type).equals(distinct):
        return np.asarray(distinct.to_pylist(), dtype=np.str_)
    return _plain(integers)


def _numbers(column: Column, where: Where) -> NDArray[np.float64]:
    values = _convert(column, [_cast(pa.float64())], "the rating", "a number", where)
    return values.astype(np.float64)


def _labels(column: Column, where: Where) -> NDArray[np.bool_]:
    values = _convert(column, [_cast(pa.float64())], "the label", "0 or 1", where)
    known = (values == 0) | (values == 1)
    if not known.all():
        raise _misfit(column, int(np.argmin(known)), "the label", "0 or 1", where)
    return np.asarray(values == 1)


def _times(column: Column, where: Where) -> Times:
    """Whole numbers stay exact; dates (ISO 8601) become microseconds."""
    if pa.types.is_timestamp(column.type):
        ways = [_cast(pa.int64())]
    elif pa.types.is_date(column.type):
        ways = [_cast(pa.timestamp("us"), pa.int64())]
    else:
        dates = [_cast(pa.timestamp("us", zone), pa.int64()) for zone in (None, "UTC")]
        ways = [_cast(pa.int64()), _cast(pa.float64()), *(dates if _is_text(column) else [])]
    return _convert(column, ways, "the timestamp", "a number or a date like 2024-05-01 12:30:00", where)


def _cast(*types: Any) -> Callable[[Column], Column]:
    def convert(column: Column) -> Column:
        for kind in types:
            column = column.cast(kind)
        return column

    return convert


def _convert(
    column: Column, ways: list[Callable[[Column], Column]], what: str, wanted: str, where: Where
) -> NDArray[Any]:
    """The column as finite numbers, by the first way that fits every row.

    Where none does, the row to blame is the first that does not fit the last way that fits row 0.
    """
    gap = _first(_plain(pc.is_null(column)))
    if gap is not None:
        raise DataError(where(gap), f"{what} is empty; {wanted} is needed")
    for way in ways:
        if _fits(column, way):
            values = _plain(way(column))
            if not np.isfinite(values).all():
                row = int(np.argmin(np.isfinite(values)))
                raise _misfit(column, row, what, wanted, where)
            return values
    way = next((way for way in reversed(ways) if _fits(column.slice(0, 1), way)), ways[0])
    raise _misfit(column, _first_misfit(column, way), what, wanted, where)


def _misfit(column: Column, row: int, what: str, wanted: str, where: Where) -> DataError:
    found = excerpt(str(column[row]))
    return DataError(
        where(row), f"{what} '{found}' is not {wanted}" if found else f"{what} is empty; {wanted} is needed"
    )


def _fits(column: Column, way: Callable[[Column], Column]) -> bool:
    try:
        way(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True


def _first_misfit(column: Column, way: Callable[[Column], Column]) -> int:
    """The first row that `way` refuses, by bisection: everything before `low` fits."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        if _fits(column.slice(low, middle - low), way):
            low = middle
        else:
            high = middle
    return low
