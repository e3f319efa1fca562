"""An update as one direction and a gain per row.

n rows of one update, D width, K gains; C updates, N rows of all of them, of which update c has those from
offsets[c] to offsets[c + 1].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import halves, lines, sorting
from fedras_ray.kernels.compiling import compiled
from fedras_ray.kernels.lines import Line, Places, Rows
from fedras_ray.kernels.sorting import Scratch


class Fitted(NamedTuple):
    """Lines of C updates, and gains on them."""

    shapes: Rows  # (C, D) as the decoder has them
    exact: Line  # (N,) the gain of each row
    levels: Line  # (C, K), of which the first `used` count
    used: Places  # (C,)
    taken: NDArray[np.int32]  # (N,) below the update's `used`
    is_cut: NDArray[np.bool_]  # (C,) no levels where not: there are no more than K distinct gains


@compiled
def fitted_each(rows: Rows, offsets: Places, k: int) -> Fitted:
    """Of finite rows (N, D), one update after the other, while its rows are in the cache."""
    count = len(offsets) - 1
    shapes, exact = np.zeros((count, rows.shape[1]), np.float32), np.zeros(len(rows))
    levels, used = np.zeros((count, k)), np.zeros(count, np.int64)
    taken, is_cut = np.empty(len(rows), np.int32), np.zeros(count, np.bool_)
    room = sorting.scratch(offsets)
    for update in range(count):
        its = slice(offsets[update], offsets[update + 1])
        if its.start == its.stop:
            continue
        mine = rows[its]
        halves.as_sent(direction(mine, lines.project(mine)), shapes[update])
        exact[its] = least_squares(mine, shapes[update])
        is_cut[update], used[update] = quantise(exact[its], room, k, levels[update], taken[its])
    return Fitted(shapes, exact, levels, used, taken, is_cut)


@compiled
def quantise(exact: Line, room: Scratch, k: int, levels: Line, taken: NDArray[np.int32]) -> tuple[bool, int]:
    """Levels (K,) and the one of each gain (n,), written; whether some are shared, and how many count."""
    order = sorting.order(exact, room)
    edges = lines.cut(exact[order], k)
    if not len(edges):
        return False, 0
    found, taken[:] = means(exact, order, edges)
    levels[: len(found)] = found
    return True, len(found)


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
