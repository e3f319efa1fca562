"""How long an update is.

n rows, D width.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import exact


@exact
def length(rows: NDArray[np.float32]) -> float:
    """The Euclidean norm of rows (n, D) as one vector; not finite where a value is not.

    Column by column in f64, which no finite f32 takes to infinity.
    """
    squares = np.zeros(rows.shape[1], np.float64)
    for place in range(len(rows)):
        for column in range(rows.shape[1]):
            value = np.float64(rows[place, column])
            squares[column] += value * value
    total = 0.0
    for column in range(rows.shape[1]):
        total += squares[column]
    return math.sqrt(total)


@exact
def length_taken_each(
    words: NDArray[np.float32], taken: NDArray[np.int32], offsets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """`length_each` of the rows words[taken], which are not made."""
    lengths, squares = np.empty(len(offsets) - 1, np.float64), np.empty(words.shape[1], np.float64)
    for update in range(len(lengths)):
        squares[:] = 0
        for place in range(offsets[update], offsets[update + 1]):
            word = words[taken[place]]
            for column in range(len(squares)):
                value = np.float64(word[column])
                squares[column] += value * value
        total = 0.0
        for column in range(len(squares)):
            total += squares[column]
        lengths[update] = math.sqrt(total)
    return lengths


@exact
def length_each(rows: NDArray[np.float32], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """`length` of each of C updates, whose rows begin and end at offsets (C + 1,): (C,)."""
    lengths = np.empty(len(offsets) - 1, np.float64)
    for update in range(len(lengths)):
        lengths[update] = length(rows[offsets[update] : offsets[update + 1]])
    return lengths
