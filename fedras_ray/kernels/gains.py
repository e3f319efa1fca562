"""An update as one direction and a gain per row.

n rows of one update, D width, K gains; C updates, N rows of all of them, of which update c has those from
offsets[c] to offsets[c + 1].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled
from fedras_ray.kernels.lines import Line, Places, Rows


@compiled
def direction_each(rows: Rows, points: Line, offsets: Places) -> Rows:
    """(C, D) `direction` of each update."""
    found = np.zeros((len(offsets) - 1, rows.shape[1]), np.float32)
    for update in range(len(found)):
        its = slice(offsets[update], offsets[update + 1])
        if its.start < its.stop:
            found[update] = direction(rows[its], points[its])
    return found


@compiled
def direction(rows: Rows, points: Line) -> Rows:
    """(D,) the rows' sum weighted by their points, its largest magnitude exactly 1; zeros for none.

    With the points of `lines.project` it is one more power iteration.
    """
    total = np.zeros(rows.shape[1])
    for row in range(len(rows)):
        for column in range(rows.shape[1]):
            total[column] += points[row] * rows[row, column]
    peak = np.abs(total).max()
    if peak > 0:
        total /= peak
    return total.astype(np.float32)


@compiled
def peak_each(rows: Rows, offsets: Places) -> Rows:
    """(C,) the largest magnitude of each update, 0 for none; where a value is not finite, neither is it."""
    peaks = np.zeros(len(offsets) - 1, np.float32)
    for update in range(len(peaks)):
        for row in range(offsets[update], offsets[update + 1]):
            for column in range(rows.shape[1]):
                size = abs(rows[row, column])
                if not size <= peaks[update]:
                    peaks[update] = size
                    if not np.isfinite(size):
                        break
            if not np.isfinite(peaks[update]):
                break
    return peaks


@compiled
def least_squares_each(rows: Rows, shapes: Rows, offsets: Places) -> Line:
    """(N,) `least_squares` of each update, against its own shape (C, D)."""
    found = np.zeros(len(rows))
    for update in range(len(shapes)):
        its = slice(offsets[update], offsets[update + 1])
        found[its] = least_squares(rows[its], shapes[update])
    return found


@compiled
def least_squares(rows: Rows, shape: Rows) -> Line:
    """(n,) the gain g of each row x for which |x − g·shape|² is least; 0 where the shape is zero."""
    gains = np.zeros(len(rows))
    energy = 0.0
    for column in range(len(shape)):
        energy += np.float64(shape[column]) * np.float64(shape[column])
    if energy == 0:
        return gains
    for row in range(len(rows)):
        point = 0.0
        for column in range(len(shape)):
            point += np.float64(shape[column]) * np.float64(rows[row, column])
        gains[row] = point / energy
    return gains


@compiled
def means_each(
    gains: Line, order: Places, offsets: Places, edges: Places
) -> tuple[Line, Places, NDArray[np.int32]]:
    """`means` of each update: levels (C, K), how many of them count (C,), and indices (N,)."""
    levels = np.zeros((len(edges), edges.shape[1] - 1))
    used, index = np.zeros(len(edges), np.int64), np.empty(len(gains), np.int32)
    for update in range(len(edges)):
        its = slice(offsets[update], offsets[update + 1])
        found, index[its] = means(gains[its], order[its], edges[update])
        used[update] = len(found)
        levels[update, : len(found)] = found
    return levels, used, index


@compiled
def means(gains: Line, order: NDArray[np.int64], edges: NDArray[np.int64]) -> tuple[Line, NDArray[np.int32]]:
    """The mean of each interval of the sorted gains (K',), and the interval of each row (n,).

    Intervals without members are left out.
    """
    levels = np.empty(len(edges) - 1)
    index = np.empty(len(gains), np.int32)
    used = 0
    for level in range(len(edges) - 1):
        members = edges[level + 1] - edges[level]
        if members == 0:
            continue
        total = 0.0
        for place in range(edges[level], edges[level + 1]):
            total += gains[order[place]]
            index[order[place]] = used
        levels[used] = total / members
        used += 1
    return levels[:used].copy(), index
