"""Recall, NDCG and hit ratio at a cut-off, from which of the first ranks are hits.

U users, K ranks looked at. `hits` is (U, K) bool: is the item at this rank a test item; `relevant`
is (U,) how many test items the user has. Users without test items must be left out before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hits = NDArray[np.bool_]
PerUser = NDArray[np.float64]


def recall(hits: Hits, relevant: NDArray[np.int64], k: int) -> PerUser:
    """(U,) recall@k: test items among the first k, divided by *all* the user's test items.

    Equals trec_eval's ``recall.k``. Some libraries divide by min(|test|, k) instead.
    """
    return np.asarray(hits[:, :k].sum(axis=1) / relevant, dtype=np.float64)


def ndcg(hits: Hits, relevant: NDArray[np.int64], k: int) -> PerUser:
    """(U,) NDCG@k: binary gains, discount 1/log2(rank + 1), ideal of min(k, |test|) hits.

    Equals trec_eval's ``ndcg_cut.k``. It is not the discount of Järvelin & Kekäläinen 2002
    (doi:10.1145/582415.582418), which leaves the first two ranks alone, and the ideal is not that
    of k hits: other libraries differ in either.
    """
    discount = 1 / np.log2(np.arange(2, k + 2))  # (k,)
    looked = hits[:, :k]
    gained = np.cumsum(looked * discount[: looked.shape[1]], axis=1)[
        :, -1
    ]  # in the order of ranks, as the ideal
    ideal = np.cumsum(discount)[np.minimum(relevant, k) - 1]
    return np.asarray(gained / ideal, dtype=np.float64)


def hit_ratio(hits: Hits, k: int) -> PerUser:
    """(U,) 1 where any of the first k is a test item."""
    return np.asarray(hits[:, :k].any(axis=1), dtype=np.float64)
