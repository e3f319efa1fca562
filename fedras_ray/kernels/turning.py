"""Rows in other axes, summed in one fixed order: the same bits on every machine, which no BLAS promises."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import exact

Rows = NDArray[np.float64]


@exact
def turned(rows: Rows, axes: Rows) -> Rows:
    """``rows @ axes``: (n, D) × (D, D) → (n, D), terms added from the first to the last."""
    found = np.zeros((len(rows), axes.shape[1]))
    for row in range(len(rows)):
        for inner in range(len(axes)):
            value = rows[row, inner]
            for column in range(axes.shape[1]):
                found[row, column] += value * axes[inner, column]
    return found
