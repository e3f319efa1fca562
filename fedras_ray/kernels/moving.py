"""Rows of a table moved or exchanged in place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import exact

Rows = NDArray[np.float32]


@exact
def move(table: Rows, touched: NDArray[np.int32], step: Rows, rate: np.float32) -> None:
    """``table[touched] += rate · step``, (I, D) and (t, D), of distinct rows; each operation is rounded."""
    for place in range(len(touched)):
        row = touched[place]
        for column in range(table.shape[1]):
            table[row, column] += rate * step[place, column]


@exact
def renew(now: Rows, before: Rows, places: NDArray[np.int64], rows: Rows) -> None:
    """``before[places] = now[places]`` and then ``now[places] = rows``, of distinct places."""
    for number, place in enumerate(places):
        for column in range(now.shape[1]):
            before[place, column] = now[place, column]
            now[place, column] = rows[number, column]
