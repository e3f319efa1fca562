"""The recommender of a run as MLflow loads and serves it: for each user, the best items not seen yet.

MLflow keeps this file itself with the model, and runs it from there: it needs NumPy, pandas and MLflow, and
nothing of this project. Scores are those of `fedras_ray.kernels.ranking`: sums in float64, column by column.
U users, I items, V tables, D columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel
from numpy.typing import NDArray

BEST = 10  # items for each user, unless more or fewer are asked for


class Recommender(PythonModel):
    """Takes a column `user`; gives `user`, `rank` from 1, `item` and `score`, best first."""

    def load_context(self, context: Any) -> None:
        """Read the arrays; there is nothing in them but numbers."""
        with np.load(context.artifacts["model"], allow_pickle=False) as model:
            items = model["items"]
            self._private = model["private"]  # (U, D)
            self._tables = items if items.ndim == 3 else items[None]  # (V, I, D)
            everyone = np.zeros(len(self._private), np.int64)
            self._table_of = model["table_of"] if items.ndim == 3 else everyone  # (U,)
        with np.load(context.artifacts["seen"], allow_pickle=False) as seen:
            self._offsets, self._seen = seen["offsets"], seen["items"]  # (U + 1,), (M,)

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """The best `k` items of each user, in the order of the users; fewer where fewer are left."""
        wanted = int((params or {}).get("k", BEST))
        users = np.asarray(model_input["user"], np.int64)
        strange = users[(users < 0) | (users >= len(self._private))]
        if len(strange):
            raise MlflowException.invalid_parameter_value(
                f"user {strange[0]} is not one of the {len(self._private)} that were trained, from 0"
            )
        parts = [self._best(int(user), wanted) for user in users]
        return pd.concat(parts, ignore_index=True) if parts else self._rows(0, users, np.zeros(0))

    def _best(self, user: int, wanted: int) -> pd.DataFrame:
        scores = self._scores(user)
        scores[self._seen[self._offsets[user] : self._offsets[user + 1]]] = -np.inf
        order = np.lexsort((np.arange(len(scores)), -scores))[: max(0, wanted)]
        return self._rows(user, order[scores[order] > -np.inf], scores)

    def _rows(self, user: int, items: NDArray[np.int64], scores: NDArray[np.float64]) -> pd.DataFrame:
        rank = np.arange(1, len(items) + 1)
        return pd.DataFrame(
            {"user": np.full(len(items), user), "rank": rank, "item": items, "score": scores[items]}
        )

    def _scores(self, user: int) -> NDArray[np.float64]:
        """(I,) of all items, seen or not."""
        table = self._tables[self._table_of[user]]
        scores = np.zeros(len(table))
        for column, value in enumerate(self._private[user]):
            scores += np.float64(value) * table[:, column].astype(np.float64)
        return scores


set_model(Recommender())
