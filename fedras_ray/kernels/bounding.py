"""How large entries are of rows that are sums of a few vectors, and how large they can be.

n rows of one update, D width, S vectors of it, as in `factoring`; rows are not written out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Rows = NDArray[np.float32]
Line = NDArray[np.float64]

_LARGEST = float(np.finfo(np.float32).max)


@compiled
def is_bounded(pulls: Rows, vectors: Rows) -> bool:
    """Whether no entry of a row can be infinite in f32, or no number."""
    bound = 0.0
    for step in range(len(vectors)):
        pull, entry = np.float32(0), np.float32(0)
        for one in pulls[step]:
            pull = max(pull, abs(one))
        for one in vectors[step]:
            entry = max(entry, abs(one))
        bound += np.float64(pull) * np.float64(entry)
    return bool(bound < _LARGEST) and bool(np.isfinite(_sum(pulls, vectors)))


@compiled
def _sum(pulls: Rows, vectors: Rows) -> float:
    """Of everything, which is no number where one of them is none: comparisons are blind to that."""
    total = 0.0
    for step in range(len(vectors)):
        for one in pulls[step]:
            total += one
        for one in vectors[step]:
            total += one
    return total


@compiled
def largest(numbers: Line) -> float:
    """Magnitude, 0 of none."""
    found = 0.0
    for one in numbers:
        found = max(found, abs(one))
    return found


@compiled
def reaching(wanted: float, pulls: Rows, vectors: Rows, strongest: int) -> np.float32:
    """A magnitude in the rows that reaches what is wanted, or the largest; looked for where it should be."""
    peak = _peak(pulls, vectors, strongest)
    for column in range(vectors.shape[1]):
        if peak >= wanted:
            break
        peak = max(peak, _peak(pulls, vectors, column))
    return peak


@compiled
def _peak(pulls: Rows, vectors: Rows, column: int) -> np.float32:
    """The largest magnitude in a column of the rows."""
    entries = np.zeros(pulls.shape[1], np.float32)
    for step in range(len(vectors)):
        entry, mine = vectors[step, column], pulls[step]
        for place in range(len(entries)):
            entries[place] += entry * mine[place]
    peak = np.float32(0)
    for one in entries:
        peak = max(peak, abs(one))
    return peak
