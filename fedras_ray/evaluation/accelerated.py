"""Full-catalogue ranking on an accelerator, where scores are dot products.

C clients, I items, D width, K ranks. Scores are products of matrices in float64 there: a sum of products of
float32 numbers is then right to a few units of the last place, so ranks are those of `products.product_hits`,
except where two scores are nearer to each other than 2**-40 of themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fedras_ray.data.interactions import Dataset, Interactions
from fedras_ray.evaluation.metrics import Hits
from fedras_ray.evaluation.ranking import hits_of_pairs
from fedras_ray.tensors import torch

if TYPE_CHECKING:
    from torch import Tensor

MOST_SCORES = 1 << 27  # held at once: 1 GiB

Floats = NDArray[np.float32]
Users = NDArray[np.int64]


def product_hits_on_device(
    queries: Floats, table: Floats, users: Users, dataset: Dataset, depth: int, device: torch.device
) -> Hits:
    """`products.product_hits`, with its arguments, on a device: (C, K)."""
    columns = torch.from_numpy(table.astype(np.float64)).to(device).T  # (D, I)
    at_once = max(1, MOST_SCORES // max(1, len(table)))
    parts = [np.zeros((0, depth), dtype=np.bool_)]
    for start in range(0, len(users), at_once):
        some = slice(start, start + at_once)
        scores = torch.from_numpy(queries[some].astype(np.float64)).to(device) @ columns  # (c, I)
        seen, wanted = _pairs(dataset.train, users[some]), _pairs(dataset.test, users[some])
        parts.append(hits_of_pairs(scores, seen, wanted, depth))
    return np.concatenate(parts)


def _pairs(of: Interactions, users: Users) -> tuple[Tensor, Tensor]:
    """(client, item) of everything that these users have, clients by their place."""
    counts = of.offsets[users + 1] - of.offsets[users]  # (c,)
    client = np.repeat(np.arange(len(users)), counts)
    within = np.arange(len(client)) - np.repeat(np.cumsum(counts) - counts, counts)
    items = of.items[np.repeat(of.offsets[users], counts) + within]
    return torch.from_numpy(client), torch.from_numpy(items.astype(np.int64))
