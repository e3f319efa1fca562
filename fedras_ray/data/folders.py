"""Data sets that come as a folder, already split, with dense numbers for users and items.

Three forms, all of them lines of whole numbers between spaces:

* NCF (He et al., "Neural Collaborative Filtering", WWW 2017, arXiv 1708.05031): ``train.txt`` with
  ``user item item …``, ``test.txt`` with one held-out item per user, ``negatives.txt`` with the sampled
  items it is ranked among;
* NGCF (Wang et al., "Neural Graph Collaborative Filtering", SIGIR 2019, arXiv 1905.08108): ``train.txt``,
  ``test.txt`` and maybe ``valid.txt``, each ``user item item …``;
* pairs: the same three files with ``user item 1``.

``valid.txt`` is added to the training side, as LightGCN does (He et al., SIGIR 2020, arXiv 2002.02126).
Numbers are kept as they are: one that nobody uses is a user without interactions or an item without users.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fedras_ray.data.interactions import Interactions, from_pairs
from fedras_ray.errors import DataError

_MOST_NUMBER = 10_000_000  # a larger number is a slip, and would only fill the memory
Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]  # users, items


@dataclass(frozen=True, slots=True, eq=False)
class Presplit:
    """Interactions whose split is part of the data set."""

    train: Interactions
    test: Interactions
    negatives: NDArray[np.int32] | None = None  # (U, N); -1 where a user has no test


def read_folder(folder: Path, *, pairs: bool = False, item_count: int = 0) -> Presplit:
    """A folder with ``train.txt`` and ``test.txt``, and maybe ``valid.txt`` and ``negatives.txt``.

    Args:
        folder: where the files are.
        pairs: lines are ``user item 1`` instead of ``user item item …``.
        item_count: how many items there are at least; else the largest number that occurs decides.

    Raises:
        DataError: a file is missing, a line (``path:line``) has anything but whole numbers, or an
            interaction is on both sides.
    """
    train, test = _pairs(folder / "train.txt", pairs), _pairs(folder / "test.txt", pairs)
    if (folder / "valid.txt").exists():
        more = _pairs(folder / "valid.txt", pairs)
        train = (np.concatenate((train[0], more[0])), np.concatenate((train[1], more[1])))
    given = _rows(folder / "negatives.txt") if (folder / "negatives.txt").exists() else {}
    for side, (users, _) in (("train.txt", train), ("test.txt", test)):
        if len(users) == 0:
            raise DataError(str(folder / side), "has no interactions in it")
    user_count = 1 + int(max(train[0].max(), test[0].max()))
    sampled = max((int(row.max()) for row in given.values() if len(row)), default=0)
    items = max(item_count, 1 + max(int(train[1].max()), int(test[1].max()), sampled))
    sides = [from_pairs(*side, user_count, items) for side in (train, test)]
    _check_apart(folder, *sides)
    return Presplit(sides[0], sides[1], _negatives(folder, given, sides[1]) if given else None)


def _lines(path: Path) -> Iterator[tuple[int, list[int]]]:
    """(line, numbers) of every line that is not empty."""
    try:
        with path.open(encoding="ascii") as file:
            for line, text in enumerate(file, start=1):
                try:
                    numbers = [int(field) for field in text.split()]
                except ValueError as error:
                    raise DataError(
                        f"{path}:{line}", "only whole numbers between spaces are expected"
                    ) from error
                if numbers and not 0 <= min(numbers) <= max(numbers) < _MOST_NUMBER:
                    raise DataError(f"{path}:{line}", f"numbers must lie within 0 … {_MOST_NUMBER - 1}")
                if numbers:
                    yield line, numbers
    except FileNotFoundError as error:
        raise DataError(str(path), "there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(str(path), f"cannot be read as plain text: {error}") from error


def _pairs(path: Path, three_fields: bool) -> Pairs:
    """Every (user, item) of a file, as often as it is there."""
    users: list[int] = []
    lengths: list[int] = []
    items: list[int] = []
    for line, (user, *rest) in _lines(path):
        if three_fields and len(rest) != 2:
            raise DataError(f"{path}:{line}", f"{1 + len(rest)} fields where 'user item 1' is needed")
        touched = rest[:1] if three_fields else rest
        users.append(user)
        lengths.append(len(touched))
        items.extend(touched)
    return np.repeat(np.array(users, dtype=np.int64), lengths), np.array(items, dtype=np.int64)


def _rows(path: Path) -> dict[int, NDArray[np.int32]]:
    """Negatives by user, all of the same length."""
    rows: dict[int, NDArray[np.int32]] = {}
    width = None
    for line, (user, *items) in _lines(path):
        width = len(items) if width is None else width
        if len(items) != width or width == 0:
            raise DataError(f"{path}:{line}", f"{len(items)} negatives where other users have {width}")
        if user in rows:
            raise DataError(f"{path}:{line}", f"user {user} was there before")
        rows[user] = np.array(items, dtype=np.int32)
    return rows


def _negatives(folder: Path, given: dict[int, NDArray[np.int32]], test: Interactions) -> NDArray[np.int32]:
    """(U, N); users with a test must have negatives, others get -1."""
    table = np.full((test.user_count, len(next(iter(given.values())))), -1, dtype=np.int32)
    for user in np.flatnonzero(test.counts()).tolist():
        if user not in given:
            raise DataError(str(folder / "negatives.txt"), f"user {user} has a test item but no negatives")
        table[user] = given[user]
    return table


def _check_apart(folder: Path, train: Interactions, test: Interactions) -> None:
    """No interaction is on both sides."""
    both = np.intersect1d(_keys(train), _keys(test), assume_unique=True)
    if len(both):
        user, item = divmod(int(both[0]), train.item_count)
        raise DataError(
            str(folder), f"user {user} has item {item} in train and in test ({len(both)} such pairs)"
        )


def _keys(side: Interactions) -> NDArray[np.int64]:
    """(M,) user · I + item, increasing."""
    return np.repeat(np.arange(side.user_count), side.counts()) * side.item_count + side.items
