"""Two quantities that rise together: a Gaussian copula with a given rank correlation.

Each keeps its own distribution; only who has what with what changes. For a Spearman correlation
rho, the Gaussians behind the ranks have Pearson's r = 2 sin(pi rho / 6) (K. Pearson, "On Further
Methods of Determining Correlation", Drapers' Company Research Memoirs, 1907).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LEAST = 2.0**-53  # ranks of 0 and 1 have no finite Gaussian
_NORMAL = NormalDist()


def tied_ranks(own: Floats, other: Floats, correlation: float) -> Floats:
    """(n,) ranks in (0, 1) that depend on `other`'s as Spearman's `correlation` says.

    Args:
        own: (n,) uniform, independent of `other`; returned as they are where the correlation is 0.
        other: (n,) uniform.
        correlation: Spearman's, -1 to 1.
    """
    if correlation == 0:
        return own
    tied = tied_normals(normals(own), normals(other), correlation)
    return np.fromiter((_NORMAL.cdf(value) for value in tied), np.float64, len(tied))


def tied_normals(own: Floats, other: Floats, correlation: float) -> Floats:
    """The same for (n,) standard normals."""
    if correlation == 0:
        return own
    pearson = 2 * math.sin(math.pi * correlation / 6)
    return pearson * other + math.sqrt(max(0.0, 1 - pearson**2)) * own


def normals(ranks: Floats) -> Floats:
    """(n,) standard normals at these (n,) ranks."""
    inside = np.clip(ranks, _LEAST, 1 - _LEAST)
    return np.fromiter((_NORMAL.inv_cdf(rank) for rank in inside), np.float64, len(inside))
