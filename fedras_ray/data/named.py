"""Columns by name: which one plays which role, and a helpful error where one is missing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from fedras_ray.errors import DataError, excerpt

MOST_COLUMNS = 500  # characters of their names


def choose(path: Path, known: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """The column of each role, each of which must be there exactly once.

    Raises:
        DataError: a column is missing (the message has the nearest one and all of them) or named twice.
    """
    for role, name in names.items():
        if known.count(name) > 1:
            raise DataError(str(path), f"has {known.count(name)} columns named '{name}'")
        if name not in known:
            raise DataError(str(path), _missing(role, name, known))
    return dict(names)


def _missing(role: str, name: str, known: Sequence[str]) -> str:
    near = [excerpt(one) for one in difflib.get_close_matches(name, known, n=1, cutoff=0.5)]
    hint = f"did you mean '{near[0]}'? " if near else ""
    if len(known) == 1:
        hint = "it has one column only: is the delimiter right (.csv is read with ',', .tsv with tabs)? "
    columns = excerpt(", ".join(known), MOST_COLUMNS)
    return f"has no column '{name}' for the {role}; {hint}(columns: {columns}; set data.{role})"
