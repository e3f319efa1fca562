"""Tables of integers on their way into a message: what they have in common, and differences of them.

n rows, D width, I items.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import forms, writing
from fedras_ray.kernels import steps as coding
from fedras_ray.kernels.compiling import compiled

Octets = NDArray[np.uint8]
Steps = NDArray[np.int32]  # (n, D)
Ids = NDArray[np.int32]
Kept = NDArray[np.int16]  # integers that are kept for later


@compiled
def written(steps: Steps, ids: Ids, item_count: int, in_units: bool) -> tuple[Octets, int, int, int]:
    """The rows that are not all zero: their positions, and behind these their integers (`steps.encode`).

    Args:
        steps: (n, D)
        ids: (n,) of the rows, increasing.
        item_count: below which ids are.
        in_units: whether integers are over the largest power of two that all are multiples of.

    Returns:
        Bytes; how many rows; of which power; and the largest magnitude, over it.
    """
    kept, bits, largest = survey(steps)
    shift = 0
    while in_units and bits and not (bits >> shift) & 1:
        shift += 1
    stream = coding.encode(shifted(steps, kept, shift))
    form, low, top, size = forms.positions(len(kept), item_count)
    octets = np.empty(1 + size + len(stream), np.uint8)
    writing.positions(octets, 0, ids[kept], np.array([0, form, low, top]), item_count)
    octets[1 + size :] = stream
    return octets, len(kept), shift, largest >> shift


@compiled
def survey(steps: Steps) -> tuple[Ids, int, int]:
    """In one pass: which rows are not all zero, increasing; all bits of all; the largest magnitude.

    The lowest bit that is set is that of the largest power of two of which all are multiples.
    """
    kept, count, bits, largest = np.empty(len(steps), np.int32), 0, np.int32(0), 0
    for row in range(len(steps)):
        mine, least, most = np.int32(0), np.int32(0), np.int32(0)
        for column in range(steps.shape[1]):
            value = steps[row, column]
            mine |= value
            least, most = min(least, value), max(most, value)
        if mine:
            kept[count] = row
            count += 1
        bits |= mine
        largest = max(largest, int(most), -int(least))
    return kept[:count].copy(), int(bits), largest


@compiled
def shifted(steps: Steps, rows: Ids, shift: int) -> Steps:
    """Some rows, over 2**shift."""
    found = np.empty((len(rows), steps.shape[1]), np.int32)
    for place in range(len(rows)):
        row = rows[place]
        for column in range(steps.shape[1]):
            found[place, column] = steps[row, column] >> shift
    return found


@compiled
def moves(end: Steps | Kept, states: NDArray[np.int16], held: Ids, rows: Ids, after: int) -> Steps:
    """(n, D) what leads some rows to the end, each from the state that is held of it; or all of it.

    Args:
        end: (I, D)
        states: (history, I, D) state s at s mod history.
        held: (n,) the number of the state of each row.
        rows: (n,)
        after: only what is held in a state after this one is built on.
    """
    found = np.empty((len(rows), end.shape[1]), np.int32)
    for place in range(len(rows)):
        row, number = rows[place], held[place]
        if number > after:
            from_ = states[number % len(states), row]
            for column in range(end.shape[1]):
                found[place, column] = np.int32(end[row, column]) - np.int32(from_[column])
        else:
            for column in range(end.shape[1]):
                found[place, column] = end[row, column]
    return found
