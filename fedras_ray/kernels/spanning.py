"""Updates whose rows are sums of a few vectors, on the lines along which they lie.

n rows of one update, D width, S vectors of it; C updates, N rows of all of them, as in `factoring`. What is
linear in a row takes S numbers of it instead of D. What comes out is what `lines` and `gains` find of the
rows themselves, but for rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import bounding, gains, halves, lines, sorting
from fedras_ray.kernels.compiling import compiled
from fedras_ray.kernels.gains import Fitted
from fedras_ray.kernels.lines import POWER_ITERATIONS, TURNED, Line, Places, Rows

Ids = NDArray[np.int32]
Matrix = NDArray[np.float64]


@compiled
def codebooks_each(
    pulls: Rows, vectors: Rows, counts: Places, offsets: Places, k: int
) -> tuple[Rows, Places, Ids, NDArray[np.bool_]]:
    """See `lines.codebooks_each`; nothing is found of an update that might be too large for f32."""
    updates = len(counts)
    means, index = np.zeros((updates, k, vectors.shape[2]), np.float32), np.empty(offsets[-1], np.int32)
    used, is_found = np.zeros(updates, np.int64), np.zeros(updates, np.bool_)
    room = sorting.scratch(offsets)
    for update in range(updates):
        its = slice(offsets[update], offsets[update + 1])
        mine, along = pulls[: counts[update], its].copy(), vectors[update, : counts[update]]  # row by row
        if its.start < its.stop and bounding.is_bounded(mine, along):
            points, _ = project(mine, along)
            order = sorting.order(points, room)
            edges = lines.cut(points[order], k)
            is_found[update] = len(edges) > 0
            if is_found[update]:
                used[update] = _average(mine, along, order, edges, means[update], index[its])
    return means, used, index, is_found


@compiled
def fitted_each(
    pulls: Rows, vectors: Rows, counts: Places, offsets: Places, k: int
) -> tuple[Fitted, Rows, NDArray[np.bool_]]:
    """See `gains.fitted_each`.

    Returns:
        That; a magnitude that an entry of each update has (C,), the largest one or one that no gain exceeds;
        and whether none of its entries can be too large for f32 (C,). Nothing is found where one might be.
    """
    updates, size = len(counts), offsets[-1]
    shapes, exact = np.zeros((updates, vectors.shape[2]), np.float32), np.zeros(size)
    levels, used = np.zeros((updates, k)), np.zeros(updates, np.int64)
    taken, is_cut = np.empty(size, np.int32), np.zeros(updates, np.bool_)
    peaks, is_sound = np.zeros(updates, np.float32), np.zeros(updates, np.bool_)
    room = sorting.scratch(offsets)
    for update in range(updates):
        its = slice(offsets[update], offsets[update + 1])
        mine, along = pulls[: counts[update], its].copy(), vectors[update, : counts[update]]  # row by row
        is_sound[update] = bounding.is_bounded(mine, along)
        if its.start < its.stop and is_sound[update]:
            _, weights = project(mine, along)
            strongest = _as_direction(weights, along, shapes[update])
            _least_squares(mine, along, shapes[update], exact[its])
            is_cut[update], used[update] = gains.quantise(exact[its], room, k, levels[update], taken[its])
            largest = bounding.largest(levels[update] if is_cut[update] else exact[its])
            peaks[update] = bounding.reaching(largest, mine, along, strongest)
    return Fitted(shapes, exact, levels, used, taken, is_cut), peaks, is_sound


@compiled
def project(pulls: Rows, vectors: Rows) -> tuple[Line, Line]:
    """The rows along their strongest direction (n,), as `lines.project` finds it.

    And the rows' sum weighted by these points, as multiples of the vectors (S,).
    """
    steps, points = len(vectors), np.zeros(pulls.shape[1])
    gram, weights, moved = _gram(vectors), np.empty(steps), np.zeros(steps)
    longest = _longest(pulls, gram)
    for step in range(steps):
        weights[step] = pulls[step, longest]
    norm = np.sqrt(_form(gram, weights, weights))
    for _ in range(POWER_ITERATIONS):
        if norm == 0:
            break
        weights /= norm
        _along(pulls, gram, weights, points)
        for step in range(steps):
            moved[step] = _weighed(pulls[step], points)
        norm, along = np.sqrt(_form(gram, moved, moved)), _form(gram, weights, moved)
        if norm * norm - along * along <= TURNED * norm * norm:
            break
        weights[:] = moved
    return points, moved


@compiled
def _gram(vectors: Rows) -> Matrix:
    """(S, S) products of the vectors."""
    steps = len(vectors)
    gram = np.empty((steps, steps))
    for one in range(steps):
        for other in range(steps):
            total = 0.0
            for column in range(vectors.shape[1]):
                total += np.float64(vectors[one, column]) * np.float64(vectors[other, column])
            gram[one, other] = total
    return gram


@compiled
def _form(gram: Matrix, one: Line, other: Line) -> float:
    """The product of two sums of the vectors."""
    total = 0.0
    for row in range(len(one)):
        for column in range(len(other)):
            total += one[row] * gram[row, column] * other[column]
    return max(total, 0.0)


@compiled
def _longest(pulls: Rows, gram: Matrix) -> int:
    lengths = np.zeros(pulls.shape[1])
    for one in range(len(gram)):
        for other in range(len(gram)):
            mine, theirs, product = pulls[one], pulls[other], gram[one, other]
            for place in range(len(lengths)):
                lengths[place] += np.float64(mine[place]) * np.float64(theirs[place]) * product
    return int(np.argmax(lengths))


@compiled
def _along(pulls: Rows, gram: Matrix, weights: Line, points: Line) -> None:
    """The product of each row and a sum of the vectors, into (n,) `points`."""
    points[:] = 0
    for step in range(len(gram)):
        mine, share = pulls[step], 0.0
        for other in range(len(gram)):
            share += gram[step, other] * weights[other]
        for place in range(len(points)):
            points[place] += share * mine[place]


@compiled
def _weighed(pulls: Rows, points: Line) -> float:
    total = 0.0
    for place in range(len(points)):
        total += points[place] * pulls[place]
    return total


@compiled
def _average(pulls: Rows, vectors: Rows, order: Places, edges: Places, means: Rows, index: Ids) -> int:
    """See `lines._average`."""
    used, members = lines.number(order, edges, index)
    totals = np.zeros((used, len(vectors)))
    for step in range(len(vectors)):
        mine = pulls[step]
        for row in range(len(index)):
            totals[index[row], step] += mine[row]
    for level in range(used):
        for column in range(vectors.shape[1]):
            total = 0.0
            for step in range(len(vectors)):
                total += totals[level, step] * vectors[step, column]
            means[level, column] = total / members[level]
    return used


@compiled
def _as_direction(along: Line, vectors: Rows, shape: Rows) -> int:
    """A sum of the vectors, (S,) of each, as the wire has a direction (D,), into `shape`.

    Returns:
        The column whose entry is largest.
    """
    total = np.zeros(len(shape))
    for step in range(len(vectors)):
        for column in range(len(shape)):
            total[column] += along[step] * vectors[step, column]
    strongest = int(np.argmax(np.abs(total)))
    if total[strongest] != 0:
        total /= abs(total[strongest])
    halves.as_sent(total.astype(np.float32), shape)
    return strongest


@compiled
def _least_squares(pulls: Rows, vectors: Rows, shape: Rows, gains_of: Line) -> None:
    """See `gains.least_squares`; into (n,)."""
    gains_of[:] = 0
    energy = 0.0
    for column in range(len(shape)):
        energy += np.float64(shape[column]) * np.float64(shape[column])
    if energy == 0:
        return
    for step in range(len(vectors)):
        product, mine = 0.0, pulls[step]
        for column in range(len(shape)):
            product += np.float64(vectors[step, column]) * np.float64(shape[column])
        product /= energy
        for place in range(len(gains_of)):
            gains_of[place] += product * mine[place]
