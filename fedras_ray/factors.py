"""The rows of many updates as sums of a few vectors, where whoever made them knows such.

C updates, N rows of all of them together, D width. Local training of a model of dot products moves a row
along the client's own vector, step by step: S steps leave S numbers of each row, and S vectors of the client.
What is found of updates from these takes less than from their D columns, and is the same but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import factoring

Rows = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Factors:
    """Row i of update c is Σ pulls[s, i] · vectors[c, s], over the first counts[c] of them."""

    offsets: Numbers  # (C + 1,) where each update's rows begin and end
    pulls: Rows  # (S, N)
    vectors: Rows  # (C, S, D)
    counts: Numbers  # (C,) up to S

    @cached_property
    def rows(self) -> Rows:
        """(N, D) written out."""
        return factoring.write_each(self.pulls, self.vectors, self.counts, self.offsets)

    def of(self, update: int) -> Rows:
        """(n, D) the rows of one, written out."""
        its, one = slice(*self.offsets[update : update + 2]), slice(update, update + 1)
        alone = np.array([0, its.stop - its.start])
        pulls = np.ascontiguousarray(self.pulls[:, its])
        return factoring.write_each(pulls, self.vectors[one], self.counts[one], alone)

    @property
    def width(self) -> int:
        """D."""
        return int(self.vectors.shape[2])


def written_out(rows: Rows | Factors) -> Rows:
    """(N, D) as they are used one by one."""
    return rows.rows if isinstance(rows, Factors) else rows


def rows_of(rows: Rows | Factors, offsets: Numbers, update: int) -> Rows:
    """(n, D) of one update."""
    return rows.of(update) if isinstance(rows, Factors) else rows[offsets[update] : offsets[update + 1]]
