"""k-means of nearly rank-one rows: solved on the line along which they lie.

n rows of one update, D width, K clusters. All rows of a dot-product model's update point along the
client's private vector, so clustering their projections is clustering them; a round on a sorted line
costs K binary searches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Rows = NDArray[np.float32]
Line = NDArray[np.float64]
Places = NDArray[np.int64]

POWER_ITERATIONS = 4  # a direction that is 5 times as strong as the next is then 600,000 times as strong
SHIFTS = 8  # starts on the line, shifted against each other
FIRST_ROUNDS = 2  # Lloyd rounds of every start
LAST_ROUNDS = 10  # of the best


@compiled
def project(rows: Rows) -> Line:
    """(n,) the rows along their strongest direction, by power iteration from the longest row."""
    direction = rows[_longest(rows)].astype(np.float64)
    points = np.zeros(len(rows))
    for _ in range(POWER_ITERATIONS):
        norm = np.sqrt((direction * direction).sum())
        if norm == 0:
            return points
        direction /= norm
        moved = np.zeros_like(direction)
        for row in range(len(rows)):
            point = 0.0
            for column in range(rows.shape[1]):
                point += direction[column] * rows[row, column]
            points[row] = point
            for column in range(rows.shape[1]):
                moved[column] += point * rows[row, column]
        direction = moved
    return points


@compiled
def _longest(rows: Rows) -> int:
    best, longest = -1.0, 0
    for row in range(len(rows)):
        length = 0.0
        for column in range(rows.shape[1]):
            length += np.float64(rows[row, column]) * np.float64(rows[row, column])
        if length > best:
            best, longest = length, row
    return longest


@compiled
def cut(line: Line, k: int) -> Places:
    """Where K clusters of sorted numbers begin and end: (K + 1,) from 0 to n; a cluster may be empty.

    Nothing, (0,), where there are no more than K distinct numbers, or one is not finite.

    Starts follow the density that is best for quantisation levels, the cube root of the data's
    (P. F. Panter and W. Dite, Proc. IRE 39, 1951, doi:10.1109/JRPROC.1951.230419): levels are
    spread evenly over the sum of gap**(2/3).
    """
    prefix = np.zeros(len(line) + 1)
    spread = np.zeros(len(line))
    distinct = 1
    for place in range(len(line)):
        prefix[place + 1] = prefix[place] + line[place]
        if place:
            distinct += line[place] > line[place - 1]
            spread[place] = spread[place - 1] + np.cbrt((line[place] - line[place - 1]) ** 2)
    if distinct <= k or not np.isfinite(prefix[-1]):
        return np.zeros(0, np.int64)
    best = -1.0
    kept = np.zeros(k)
    for shift in range(SHIFTS):
        means = np.empty(k)
        for level in range(k):
            share = spread[-1] * (level + (shift + 0.5) / SHIFTS) / k
            means[level] = line[np.searchsorted(spread, share)]
        edges = _lloyd(line, prefix, means, FIRST_ROUNDS)
        explained = 0.0
        for level in range(k):
            explained += means[level] * (prefix[edges[level + 1]] - prefix[edges[level]])
        if explained > best:
            best, kept = explained, means
    return _lloyd(line, prefix, kept, LAST_ROUNDS)


@compiled
def _lloyd(line: Line, prefix: Line, means: Line, rounds: int) -> Places:
    """Rounds of Lloyd where a cluster is an interval; moves `means` in place, returns the edges."""
    k = len(means)
    edges = np.zeros(k + 1, np.int64)
    edges[k] = len(line)
    for _ in range(rounds):
        for level in range(1, k):
            edges[level] = np.searchsorted(line, (means[level - 1] + means[level]) / 2)
        for level in range(k):
            members = edges[level + 1] - edges[level]
            if members > 0:
                means[level] = (prefix[edges[level + 1]] - prefix[edges[level]]) / members
    return edges


@compiled
def averages(
    rows: Rows, order: NDArray[np.int64], edges: NDArray[np.int64]
) -> tuple[Rows, NDArray[np.int32]]:
    """The mean of each interval's rows (K', D), and the interval of each row (n,); empty ones left out."""
    index = np.empty(len(rows), np.int32)
    means = np.zeros((len(edges) - 1, rows.shape[1]), np.float32)
    used = 0
    for level in range(len(edges) - 1):
        members = edges[level + 1] - edges[level]
        if members == 0:
            continue
        total = np.zeros(rows.shape[1])
        for place in range(edges[level], edges[level + 1]):
            row = order[place]
            index[row] = used
            for column in range(rows.shape[1]):
                total[column] += rows[row, column]
        for column in range(rows.shape[1]):
            means[used, column] = total[column] / members
        used += 1
    return means[:used].copy(), index
