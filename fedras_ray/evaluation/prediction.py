"""How far the time that a turn was expected to take is from the time that it took. T turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PredictionError:
    """|actual − predicted| / actual, over the turns that were predicted and not left."""

    turns: int
    quantiles: Floats  # (101,) at 0, 1, … 100 %

    @property
    def median(self) -> float:
        """Half of the turns are off by no more."""
        return float(self.quantiles[50])

    @property
    def p95(self) -> float:
        """19 of 20 turns are off by no more."""
        return float(self.quantiles[95])


def prediction_error(
    predicted: NDArray[np.int64], actual: NDArray[np.int64], left: NDArray[np.bool_]
) -> PredictionError | None:
    """The error over a run; None where nothing was predicted.

    Args:
        predicted: (T,) expected durations, in any unit; 0: none was expected.
        actual: (T,) how long it was, in the same.
        left: (T,) the client left on the way, so that its turn says nothing of the prediction.
    """
    counted = (predicted > 0) & (actual > 0) & ~left
    if not counted.any():
        return None
    off = np.abs(actual[counted] - predicted[counted]) / actual[counted]
    return PredictionError(len(off), np.quantile(off, np.linspace(0, 1, 101)))
