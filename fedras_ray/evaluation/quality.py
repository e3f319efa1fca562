"""The quality of some clients: every metric, one number per user.

Full-catalogue metrics (recall, NDCG) are the default. ``sampled_…`` metrics rank one held-out item
among sampled negatives; they exist because the literature reports them, and say so in their name.

C clients, I items, D width, N candidates. There are two ways to the same metrics: from a matrix of scores,
which any model has, and for a `ProductModel` from its factors, in memory that does not grow with C · I.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.accelerated import product_hits_on_device
from fedras_ray.evaluation.metrics import Hits, PerUser, hit_ratio, ndcg, recall
from fedras_ray.evaluation.products import Floats, Rows, product_hits, sampled_product_hits
from fedras_ray.evaluation.ranking import full_hits, sampled_hits

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CUTS = (10, 20)
SAMPLED_CUT = 10
METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20", "sampled_hr@10", "sampled_ndcg@10")

Users = NDArray[np.int64]
Candidates = NDArray[np.int32]
Found = dict[str, PerUser]


def full_quality(scores: Tensor, users: Users, dataset: Dataset) -> Found:
    """Recall and NDCG at 10 and 20 over the whole catalogue, (C,) each, for users that have a test."""
    test = [dataset.test.of(int(user)) for user in users]
    train = [dataset.train.of(int(user)) for user in users]
    return of_hits(full_hits(scores, train, test, max(CUTS)), users, dataset)


def sampled_quality(scores: Tensor, users: Users, dataset: Dataset, negatives: Candidates) -> Found:
    """Hit ratio and NDCG at 10 among sampled negatives, (C,) each; each user has one test item."""
    held_out = the_held_out(users, dataset)
    return of_sampled_hits(sampled_hits(scores.cpu().numpy(), held_out, negatives, SAMPLED_CUT))


def full_product_quality(
    queries: Floats, table: Floats, users: Users, dataset: Dataset, device: torch.device | None = None
) -> Found:
    """`full_quality` where the scores are dot products of queries (C, D) and rows of the table (I, D)."""
    asked = queries, table, users, dataset, max(CUTS)
    hits = product_hits(*asked) if device is None else product_hits_on_device(*asked, device)
    return of_hits(hits, users, dataset)


def sampled_product_quality(
    queries: Rows, table: Rows, users: Users, dataset: Dataset, negatives: Candidates
) -> Found:
    """`sampled_quality` where the scores are dot products."""
    held_out = the_held_out(users, dataset)
    return of_sampled_hits(sampled_product_hits(queries, table, held_out, negatives, SAMPLED_CUT))


def the_held_out(users: Users, dataset: Dataset) -> NDArray[np.int32]:
    """(C,) the test item of users that have one each."""
    return dataset.test.items[dataset.test.offsets[users]]


def of_hits(hits: Hits, users: Users, dataset: Dataset) -> Found:
    """The full-catalogue metrics of users with these hits (C, K)."""
    relevant = dataset.test.offsets[users + 1] - dataset.test.offsets[users]
    at = {f"recall@{k}": recall(hits, relevant, k) for k in CUTS}
    return at | {f"ndcg@{k}": ndcg(hits, relevant, k) for k in CUTS}


def of_sampled_hits(hits: Hits) -> Found:
    """The sampled metrics of hits (C, K) among candidates."""
    one = np.ones(len(hits), dtype=np.int64)
    return {"sampled_hr@10": hit_ratio(hits, SAMPLED_CUT), "sampled_ndcg@10": ndcg(hits, one, SAMPLED_CUT)}
