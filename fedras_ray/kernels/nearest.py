"""Rounds of Lloyd in all dimensions: for the few rows that a line does not tell apart well enough.

n rows of one update, D width, K clusters. Sums are in f64 and in one order, so rows of any magnitude of f32
need no scale. A round costs n·K·D; the K distances of a row are found side by side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import exact
from fedras_ray.kernels.lines import Line, Places, Rows

Index = NDArray[np.int32]
Matrix = NDArray[np.float64]

LEAST_GAIN = 1e-3  # of the squared distances: a round that gains less is the last


@exact
def few_kinds(rows: Rows, k: int) -> tuple[bool, Places, Index]:
    """Whether at most K rows differ; then a row of each kind, in their order, and the kind of every row."""
    kinds, index, count = np.empty(k, np.int64), np.empty(len(rows), np.int32), 0
    for row in range(len(rows)):
        kind = 0
        while kind < count and not _are_same(rows[row], rows[kinds[kind]]):
            kind += 1
        if kind == k:
            return False, kinds[:0], index[:0]
        if kind == count:
            kinds[kind] = row
            count += 1
        index[row] = kind
    return True, kinds[:count], index


@exact
def _are_same(one: Rows, other: Rows) -> bool:
    column = 0
    while column < len(one) and one[column] == other[column]:
        column += 1
    return column == len(one)


@exact
def settle(rows: Rows, order: Places, edges: Places, rounds: int) -> tuple[Rows, Index]:
    """Means (K, D) and the mean of each row (n,), after at most so many rounds.

    They begin as intervals of the rows in `order`, from edges[k] to edges[k + 1]. A mean without rows moves
    to the row that is farthest from its own, and may be left over after the last round.
    """
    k, index = len(edges) - 1, np.empty(len(rows), np.int32)
    for mean in range(k):
        for place in range(edges[mean], edges[mean + 1]):
            index[order[place]] = mean
    means, sums = np.zeros((rows.shape[1], k)), np.empty((k, rows.shape[1]))
    members, far, gaps = np.empty(k, np.int64), np.empty(len(rows)), np.empty(k)
    unused = _average(rows, index, sums, members, means)
    before = np.inf
    for _ in range(rounds):
        lost = _measure(rows, index, means, far)
        if not unused and before - lost <= LEAST_GAIN * lost:
            break
        before = lost
        if unused:
            _move_unused(rows, members, far, means)
        _assign(rows, means, gaps, index)
        unused = _average(rows, index, sums, members, means)
    return _as_rows(means), index


@exact
def _average(rows: Rows, index: Index, sums: Matrix, members: Places, means: Matrix) -> int:
    """How many means have no rows, and stay where they are."""
    members[:], sums[:] = 0, 0
    for row in range(len(rows)):
        members[index[row]] += 1
        for column in range(rows.shape[1]):
            sums[index[row], column] += rows[row, column]
    unused = 0
    for mean in range(len(members)):
        unused += members[mean] == 0
        if members[mean] > 0:
            for column in range(rows.shape[1]):
                means[column, mean] = sums[mean, column] / members[mean]
    return unused


@exact
def _measure(rows: Rows, index: Index, means: Matrix, far: Line) -> float:
    """The squared distance of each row to its mean (n,), and their sum."""
    total = 0.0
    for row in range(len(rows)):
        far[row] = 0.0
        for column in range(rows.shape[1]):
            gap = rows[row, column] - means[column, index[row]]
            far[row] += gap * gap
        total += far[row]
    return total


@exact
def _move_unused(rows: Rows, members: Places, far: Line, means: Matrix) -> None:
    """One row for each mean without any, the farthest first."""
    for mean in range(len(members)):
        if members[mean] == 0:
            farthest = 0
            for row in range(len(rows)):
                if far[row] > far[farthest]:
                    farthest = row
            far[farthest] = -1.0
            for column in range(rows.shape[1]):
                means[column, mean] = rows[farthest, column]


@exact
def _assign(rows: Rows, means: Matrix, gaps: Line, index: Index) -> None:
    """The nearest mean of each row; of two as near, the first."""
    for row in range(len(rows)):
        for mean in range(len(gaps)):
            gaps[mean] = 0.0
        for column in range(rows.shape[1]):
            for mean in range(len(gaps)):
                gap = rows[row, column] - means[column, mean]
                gaps[mean] += gap * gap
        nearest = 0
        for mean in range(len(gaps)):
            if gaps[mean] < gaps[nearest]:
                nearest = mean
        index[row] = nearest


@exact
def _as_rows(means: Matrix) -> Rows:
    """(D, K) to (K, D) in f32."""
    found = np.empty((means.shape[1], means.shape[0]), np.float32)
    for mean in range(len(found)):
        for column in range(found.shape[1]):
            found[mean, column] = means[column, mean]
    return found
