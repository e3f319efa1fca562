"""Where k-means begins: the first K centroids of every client in a batch.

C clients in the batch, n rows of the longest, D width, K actions, S starts, T trials. Rows
beyond a client's length are zero.

* `principal`: a dot-product model's update is nearly rank one (every row points along the user's
  vector), so the rows are projected on their first right singular direction and K-means is solved
  on that line, where a round costs O(K log n) by sorting and prefix sums. No random number.
* `k_means_plus_plus`: D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful
  seeding", SODA 2007, in the greedy form they recommend: of 2 + ln K draws per centroid, the best is kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from fedras_ray.tensors import torch

if TYPE_CHECKING:
    from torch import Tensor

_SQUARINGS = 5  # of the Gram matrix: 2**5 = 32 power iterations for the price of five
_SHIFTS = 8  # starts on the line; one start alone is 3 to 15 % worse, at a few hundred rows
_FIRST_ROUNDS, _LAST_ROUNDS = 2, 4  # Lloyd rounds on the line, of every start and of the best


def principal(rows: Tensor, lengths: Tensor, k: int) -> Tensor:
    """Centroids on the line along the first right singular direction: (C, K, D)."""
    direction = _direction(rows)  # (C, D)
    points = torch.bmm(direction[:, None], rows.mT)[:, 0]  # (C, n)
    return _line_means(points, lengths, k)[:, :, None] * direction[:, None]  # (C, K, D)


def _direction(rows: Tensor) -> Tensor:
    """The unit vector along which a client's rows have the most energy: (C, D)."""
    power = torch.bmm(rows.mT, rows)  # (C, D, D)
    for _ in range(_SQUARINGS):
        power = power / power.diagonal(dim1=1, dim2=2).sum(1).clamp_min(1e-30)[:, None, None]
        power = torch.bmm(power, power)
    strongest = power.diagonal(dim1=1, dim2=2).argmax(1)  # (C,)
    column = power[torch.arange(len(power), device=rows.device), :, strongest]  # (C, D)
    return torch.nn.functional.normalize(column)


def _line_means(points: Tensor, lengths: Tensor, k: int) -> Tensor:
    """Centroids of numbers on a line, from the best of S starts: (C, K), ascending."""
    line = _sorted(points, lengths)  # (C, n)
    prefix = torch.nn.functional.pad(line.double().cumsum(1), (1, 0))  # (C, n + 1)
    means, explained = _line_lloyd(line, prefix, lengths, _companded(line, k), _FIRST_ROUNDS)
    means = means[torch.arange(len(means), device=means.device), explained.argmax(1), None]  # (C, 1, K)
    return _line_lloyd(line, prefix, lengths, means, _LAST_ROUNDS)[0][:, 0]


def _line_lloyd(
    line: Tensor, prefix: Tensor, lengths: Tensor, means: Tensor, rounds: int
) -> tuple[Tensor, Tensor]:
    """Lloyd where a cluster is an interval: means (C, S, K), and the energy they explain (C, S)."""
    edges = lengths.new_zeros(*means.shape[:2], means.shape[2] + 1)  # (C, S, K + 1)
    edges[:, :, -1] = lengths[:, None]
    for _ in range(rounds):
        middles = (means[:, :, 1:] + means[:, :, :-1]) / 2  # (C, S, K − 1)
        edges[:, :, 1:-1] = torch.searchsorted(line, middles.flatten(1)).view_as(middles)
        sums = prefix.gather(1, edges.flatten(1)).view_as(edges).diff()  # (C, S, K)
        counts = edges.diff()  # (C, S, K)
        means = torch.where(counts > 0, (sums / counts.clamp_min(1)).float(), means)
    return means, (sums * means).sum(2)


def _sorted(points: Tensor, lengths: Tensor) -> Tensor:
    """Each client's points in order, its largest repeated where there are no more: (C, n)."""
    absent = torch.arange(points.shape[1], device=points.device) >= lengths[:, None]  # (C, n)
    filled = points.masked_fill(absent, math.inf)
    if filled.device.type == "cpu":  # numpy sorts nine times as fast as torch there
        line = torch.from_numpy(np.sort(filled.numpy(), axis=1))
    else:
        line = filled.sort(dim=1).values
    return line.clamp_max(line.gather(1, lengths[:, None] - 1))


def _companded(line: Tensor, k: int) -> Tensor:
    """S times K points whose density is the cube root of the data's: (C, S, K).

    The best density of quantisation levels (P. F. Panter and W. Dite, Proc. IRE 39, 1951,
    doi:10.1109/JRPROC.1951.230419): the gap between neighbours is 1 / (n·density), so levels are
    spread evenly over the sum of gap**(2/3). The S starts are shifted against each other.
    """
    spread = line.diff(prepend=line[:, :1]).pow(2 / 3).cumsum(1)  # (C, n)
    shifts = (torch.arange(_SHIFTS, device=line.device) + 0.5) / _SHIFTS  # (S,)
    shares = ((torch.arange(k, device=line.device) + shifts[:, None]) / k).flatten()  # (S·K,)
    return line.gather(1, torch.searchsorted(spread, spread[:, -1:] * shares)).view(-1, _SHIFTS, k)


def k_means_plus_plus(rows: Tensor, lengths: Tensor, k: int, generators: Sequence[Generator]) -> Tensor:
    """Rows drawn far from each other, each client's from its own generator: (C, K, D)."""
    clients = torch.arange(len(rows), device=rows.device)
    trials = 2 + int(math.log(k))  # T
    drawn_first = np.stack([generator.random((k, trials)) for generator in generators])
    draws = torch.from_numpy(drawn_first).to(rows.device)  # (C, K, T)
    norms = rows.square().sum(2)  # (C, n)
    present = torch.arange(rows.shape[1], device=rows.device) < lengths[:, None]  # (C, n)
    first = (draws[:, 0, :1] * lengths[:, None]).long()  # (C, 1)
    centroids = rows[clients[:, None], first].repeat(1, k, 1)  # (C, K, D)
    nearest = _distances(rows, norms, centroids[:, :1])[:, 0] * present  # (C, n)
    for j in range(1, k):
        mass = nearest.double().cumsum(1)  # (C, n)
        drawn = torch.searchsorted(mass, mass[:, -1:] * draws[:, j], right=True)  # (C, T)
        candidates = rows[clients[:, None], drawn.minimum(lengths[:, None] - 1)]  # (C, T, D)
        left = torch.minimum(_distances(rows, norms, candidates), nearest[:, None])  # (C, T, n)
        best = left.sum(2).argmin(1)  # (C,)
        centroids[:, j], nearest = candidates[clients, best], left[clients, best]
    return centroids


def _distances(rows: Tensor, norms: Tensor, centres: Tensor) -> Tensor:
    """Squared distances: (C, T, n)."""
    products = torch.bmm(centres, rows.mT)  # (C, T, n)
    return (norms[:, None] - 2 * products + centres.square().sum(2, keepdim=True)).clamp_min(0)
