"""k-means of nearly rank-one rows: solved on the line along which they lie.

n rows of one update, D width, K clusters; C updates, N rows of all of them, one update after the other. All
rows of a dot-product model's update point along the client's private vector, so clustering their projections
is clustering them; a round on a sorted line costs K searches, most of which end where they begin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import sorting
from fedras_ray.kernels.compiling import compiled

Rows = NDArray[np.float32]
Line = NDArray[np.float64]
Places = NDArray[np.int64]

POWER_ITERATIONS = 4  # a direction that is 5 times as strong as the next is then 600,000 times as strong
TURNED = 1e-4  # sin² of the angle by which a direction turned, below which another iteration is of no use
SHIFTS = 8  # starts on the line, shifted against each other
FIRST_ROUNDS = 2  # Lloyd rounds of every start
LAST_ROUNDS = 10  # of the best
_THIRD_OF_ONE = (1023 << 52) // 3  # of the bits of 1.0, whose logarithm is 0


@compiled
def codebooks_each(
    rows: Rows, offsets: Places, k: int
) -> tuple[NDArray[np.float32], Places, NDArray[np.int32], NDArray[np.bool_]]:
    """Each update's rows (N, D) as the means of the clusters on its line.

    Update c's rows are those from offsets[c] to offsets[c + 1]. One update after the other, while its rows
    are in the cache.

    Returns:
        Means (C, K, D), how many of them count (C,), the cluster of each row (N,), and where there are any
        (C,): see `cut`.
    """
    count = len(offsets) - 1
    means, index = np.zeros((count, k, rows.shape[1]), np.float32), np.empty(len(rows), np.int32)
    used, is_found = np.zeros(count, np.int64), np.zeros(count, np.bool_)
    room = sorting.scratch(offsets)
    for update in range(count):
        its = slice(offsets[update], offsets[update + 1])
        if its.start < its.stop:
            points = project(rows[its])
            order = sorting.order(points, room)
            edges = cut(points[order], k)
            is_found[update] = len(edges) > 0
            if is_found[update]:
                used[update] = _average(rows[its], order, edges, means[update], index[its])
    return means, used, index, is_found


@compiled
def project(rows: Rows) -> Line:
    """(n,) the rows along their strongest direction, by power iteration from the longest row.

    Rows of a dot-product model's update are nearly parallel: the first direction is then the last.
    """
    direction = rows[_longest(rows)].astype(np.float64)
    points, moved = np.zeros(len(rows)), np.empty(len(direction))
    norm = np.sqrt((direction * direction).sum())
    for _ in range(POWER_ITERATIONS):
        if norm == 0:
            return points
        direction /= norm
        moved[:] = 0
        for row in range(len(rows)):
            point = 0.0
            for column in range(rows.shape[1]):
                point += direction[column] * rows[row, column]
            points[row] = point
            for column in range(rows.shape[1]):
                moved[column] += point * rows[row, column]
        norm = np.sqrt((moved * moved).sum())
        along = (direction * moved).sum()
        if norm * norm - along * along <= TURNED * norm * norm:
            break
        direction[:] = moved
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
            spread[place] = spread[place - 1] + _two_thirds(line[place] - line[place - 1])
    if distinct <= k or not np.isfinite(prefix[-1]):
        return np.zeros(0, np.int64)
    edges = np.zeros(k + 1, np.int64)
    edges[k] = len(line)
    best = -1.0
    means, kept = np.empty(k), np.zeros(k)
    starts = _starts(spread, k)
    for shift in range(SHIFTS):
        for level in range(k):
            means[level] = line[starts[level, shift]]
            edges[level] = (starts[max(level - 1, 0), shift] + starts[level, shift]) // 2  # about there
        edges[0] = 0
        _lloyd(line, prefix, means, edges, FIRST_ROUNDS)
        explained = 0.0
        for level in range(k):
            explained += means[level] * (prefix[edges[level + 1]] - prefix[edges[level]])
        if explained > best:
            best = explained
            kept[:] = means
    _lloyd(line, prefix, kept, edges, LAST_ROUNDS)
    return edges


@compiled
def _starts(spread: Line, k: int) -> Places:
    """(K, shifts) the places of levels that divide the last of increasing numbers evenly, in one pass."""
    starts, place = np.empty((k, SHIFTS), np.int64), 0
    for level in range(k):
        for shift in range(SHIFTS):
            share = spread[-1] * (level + (shift + 0.5) / SHIFTS) / k
            while spread[place] < share:
                place += 1
            starts[level, shift] = place
    return starts


@compiled
def _two_thirds(gap: float) -> float:
    """Roughly gap ** (2/3), within 6 %, of a number that is not negative: its logarithm is in its bits."""
    if gap <= 0:
        return 0.0
    bits = np.float64(gap).view(np.int64)
    return float(np.int64(bits // 3 * 2 + _THIRD_OF_ONE).view(np.float64))


@compiled
def _lloyd(line: Line, prefix: Line, means: Line, edges: Places, rounds: int) -> None:
    """Rounds of Lloyd where a cluster is an interval; moves `means` and `edges` in place.

    Where the edges come from is of no consequence, but they are found sooner near to where they are.
    """
    k = len(means)
    for number in range(rounds):
        moved = number == 0
        for level in range(1, k):
            edge = _search(line, (means[level - 1] + means[level]) / 2, edges[level])
            moved |= edge != edges[level]
            edges[level] = edge
        if not moved:  # nor would anything in the rounds that are left
            break
        for level in range(k):
            members = edges[level + 1] - edges[level]
            if members > 0:
                means[level] = (prefix[edges[level + 1]] - prefix[edges[level]]) / members


@compiled
def _search(line: Line, value: float, guess: int) -> int:
    """The first place of sorted numbers that is not below a value; strides out from a guess, 0 … n."""
    low, high, stride = guess, guess, 1
    if guess < len(line) and line[guess] < value:
        while high < len(line) and line[high] < value:
            low, high = high + 1, high + stride
            stride *= 2
        high = min(high, len(line))
    else:
        while low > 0 and not line[low - 1] < value:
            high, low = low - 1, max(low - stride, 0)
            stride *= 2
    while low < high:
        middle = (low + high) // 2
        if line[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def averages(rows: Rows, order: Places, edges: Places) -> tuple[Rows, NDArray[np.int32]]:
    """The mean of each interval's rows (K', D), and the interval of each row (n,); empty ones left out."""
    means, index = np.empty((len(edges) - 1, rows.shape[1]), np.float32), np.empty(len(rows), np.int32)
    used = _average(rows, order, edges, means, index)
    return means[:used].copy(), index


@compiled
def _average(rows: Rows, order: Places, edges: Places, means: Rows, index: NDArray[np.int32]) -> int:
    """`averages`, written to where they should be; returns how many."""
    used, members = number(order, edges, index)
    totals = np.zeros((used, rows.shape[1]))
    for row in range(len(rows)):  # in the order of memory, not of the line
        taken = index[row]
        for column in range(rows.shape[1]):
            totals[taken, column] += rows[row, column]
    for level in range(used):
        for column in range(rows.shape[1]):
            means[level, column] = totals[level, column] / members[level]
    return used


@compiled
def number(order: Places, edges: Places, index: NDArray[np.int32]) -> tuple[int, Places]:
    """The interval of each row (n,), into `index`; how many have any, and how many rows (K,) they have."""
    used, members = 0, np.zeros(len(edges) - 1, np.int64)
    for level in range(len(members)):
        members[used] = edges[level + 1] - edges[level]
        for place in range(edges[level], edges[level + 1]):
            index[order[place]] = used
        used += members[used] > 0
    return used, members
