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
