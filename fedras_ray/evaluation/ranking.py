"""From scores to hits: full-catalogue ranking and ranking among sampled negatives.

C clients, I items, K ranks. Ties are broken pessimistically: an item of the test set ranks below
every other item with the same score, so a model that scores everything alike earns nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fedras_ray.evaluation.metrics import Hits
from fedras_ray.tensors import torch

if TYPE_CHECKING:
    from torch import Tensor

    Pairs = tuple[Tensor, Tensor]

# Scores are float32; in float64 a relative step of 2^-40 lies strictly between neighbours, so it
# decides ties and nothing else. The absolute part does the same around zero.
TIE_STEP = 2.0**-40
TIE_STEP_AT_ZERO = 2.0**-200

Ids = NDArray[np.int32]


def full_hits(scores: Tensor, train: Sequence[Ids], test: Sequence[Ids], depth: int) -> Hits:
    """(C, K) hits when all items but the client's train items are ranked.

    Args:
        scores: (C, I) float32.
        train: items of each client that are left out of the ranking.
        test: items of each client that count as hits.
        depth: K.
    """
    return hits_of_pairs(scores.double(), _pairs(train), _pairs(test), depth)


def hits_of_pairs(ranked: Tensor, seen: Pairs, wanted: Pairs, depth: int) -> Hits:
    """`full_hits` of scores (C, I) in float64, which are written to, on any device.

    Args:
        ranked: the scores.
        seen: (client, item) that are left out of the ranking.
        wanted: (client, item) that count as hits.
        depth: K.
    """
    wanted, seen = _beside(ranked, wanted), _beside(ranked, seen)
    ranked[wanted] -= ranked[wanted].abs() * TIE_STEP + TIE_STEP_AT_ZERO
    ranked[seen] = -torch.inf
    is_test = torch.zeros(ranked.shape, dtype=torch.bool, device=ranked.device)
    is_test[wanted] = True
    top = torch.topk(ranked, min(depth, ranked.shape[1]), dim=1)
    found = is_test.gather(1, top.indices) & torch.isfinite(top.values)
    hits = np.zeros((len(ranked), depth), dtype=np.bool_)
    hits[:, : found.shape[1]] = found.cpu().numpy()
    return hits


def _beside(scores: Tensor, pairs: Pairs) -> Pairs:
    return pairs[0].to(scores.device), pairs[1].to(scores.device)


def _pairs(items: Sequence[Ids]) -> Pairs:
    """(client, item) of everything in the lists, as two index tensors."""
    client = np.repeat(np.arange(len(items)), [len(one) for one in items])
    item = np.concatenate([*items, np.empty(0, dtype=np.int32)]).astype(np.int64)
    return torch.from_numpy(client), torch.from_numpy(item)


def sampled_hits(scores: NDArray[np.float32], held_out: Ids, negatives: Ids, depth: int) -> Hits:
    """(C, K) hits when one held-out item is ranked among N sampled negatives.

    Args:
        scores: (C, I).
        held_out: (C,) the test item.
        negatives: (C, N); -1 stands for none.
        depth: K.
    """
    own = np.take_along_axis(scores, held_out[:, None], axis=1)  # (C, 1)
    others = np.take_along_axis(scores, np.maximum(negatives, 0), axis=1)  # (C, N)
    rank = (~(others < own) & (negatives >= 0)).sum(axis=1)  # (C,) from 0; ties and NaN lose
    hits = np.zeros((len(held_out), depth), dtype=np.bool_)
    found = rank < depth
    hits[np.flatnonzero(found), rank[found]] = True
    return hits
