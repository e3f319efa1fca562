"""How well the server knew how long turns would take, from the rows of turns."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboards.recorded import whole, words
from fedras_ray.evaluation.prediction import PredictionError, prediction_error

COLUMNS = ("fate", "dispatched_at_ns", "arrived_at_ns")
PREDICTED = "predicted_ns"  # that older versions did not write
LEFT = "dropped"


def predictions(turns: Any) -> PredictionError | None:
    """The error over turns with `COLUMNS` and maybe `PREDICTED`; None where nothing was predicted."""
    if PREDICTED not in turns.column_names or turns.num_rows == 0:
        return None
    fates, names = words(turns["fate"])
    left = np.array([name == LEFT for name in names], dtype=np.bool_)[fates]
    actual = whole(turns["arrived_at_ns"]) - whole(turns["dispatched_at_ns"])
    return prediction_error(whole(turns[PREDICTED]), actual, left)
