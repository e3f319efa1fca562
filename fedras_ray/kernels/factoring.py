"""Rows that are sums of a few vectors, written out.

n rows of one update, D width, S vectors of it; C updates, N rows of all of them, of which update c has those
from offsets[c] to offsets[c + 1]. Row i is Σ pulls[s, i] · vectors[s] over the first `count` vectors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Rows = NDArray[np.float32]
Places = NDArray[np.int64]
Ids = NDArray[np.int32]


@compiled
def write_each(pulls: Rows, vectors: Rows, counts: Places, offsets: Places) -> Rows:
    """The rows (N, D), of `pulls` (S, N) and `vectors` (C, S, D), of which counts[c] count."""
    rows = np.empty((offsets[-1], vectors.shape[2]), np.float32)
    for update in range(len(counts)):
        its = slice(offsets[update], offsets[update + 1])
        nothing = np.empty(0, np.int32)
        share, mine = np.float32(0), pulls[:, its]
        write(rows[its], rows, nothing, share, mine, vectors[update], counts[update])
    return rows


@compiled
def write(
    rows: Rows, base: Rows, ids: Ids, share: np.float32, pulls: Rows, vectors: Rows, count: int
) -> None:
    """Rows (n, D): a share of the rows `ids` of `base`, which may be `rows`, and pulls along vectors."""
    if share != 0 or count < 2:
        _write_first(rows, base, ids, share, pulls, vectors, count)
    else:  # two at once: a row that is written and read again takes twice as long
        for place in range(len(rows)):
            row, one, other = rows[place], pulls[0, place], pulls[1, place]
            first, second = vectors[0], vectors[1]
            for column in range(len(row)):
                row[column] = one * first[column] + other * second[column]
    for place in range(len(rows)):
        row = rows[place]
        for step in range(1 if share != 0 else 2, count):
            pull, vector = pulls[step, place], vectors[step]
            for column in range(len(row)):
                row[column] += pull * vector[column]


@compiled
def _write_first(
    rows: Rows, base: Rows, ids: Ids, share: np.float32, pulls: Rows, vectors: Rows, count: int
) -> None:
    """A share, and one pull if there is any."""
    if count == 0:
        pulls, vectors = np.zeros((1, len(rows)), np.float32), np.zeros((1, rows.shape[1]), np.float32)
    vector = vectors[0]
    for place in range(len(rows)):
        row, pull = rows[place], pulls[0, place]
        if share == 0:
            for column in range(len(row)):
                row[column] = pull * vector[column]
        else:
            source = base[ids[place]]
            for column in range(len(row)):
                row[column] = share * source[column] + pull * vector[column]
