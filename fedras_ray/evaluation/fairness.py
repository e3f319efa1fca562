"""How evenly clients take part.

n clients (or classes of them), with a count, a share or any other amount x ≥ 0 each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Amounts = NDArray[np.float64] | NDArray[np.integer]


class Fairness(NamedTuple):
    """Two indices of the same amounts."""

    gini: float  # 0: all the same, (n − 1)/n: one has everything
    jain: float  # 1: all the same, 1/n: one has everything


def gini(amounts: Amounts) -> float:
    """Half the mean difference of two of n, over the mean: Σᵢ (2i − n − 1)·x₍ᵢ₎ / (n·Σx), 0 to (n − 1)/n.

    C. Gini, "Variabilità e mutabilità", 1912. 0 where there is nobody, or nothing to share.
    """
    ordered = np.sort(np.asarray(amounts, np.float64))  # (n,)
    total, n = ordered.sum(), len(ordered)
    if total == 0:
        return 0.0
    ranks = 2.0 * np.arange(1, n + 1) - n - 1
    return max(0.0, float((ranks * (ordered / total)).sum() / n))


def jain(amounts: Amounts) -> float:
    """(Σx)² / (n·Σx²), 1/n to 1: the share of clients, were x split evenly among so many and none for others.

    R. Jain, D.-M. Chiu, W. Hawe, "A Quantitative Measure of Fairness and Discrimination for Resource
    Allocation in Shared Computer Systems", DEC-TR-301, 1984, arXiv:cs/9809099. 1 where there is nobody, or
    nothing to share.
    """
    values = np.asarray(amounts, np.float64)  # (n,)
    total = values.sum()
    if total == 0:
        return 1.0
    return min(1.0, 1.0 / float(len(values) * np.square(values / total).sum()))


def fairness(amounts: Amounts) -> Fairness:
    """Both indices over clients, e.g. of the number of turns each one had."""
    return Fairness(gini(amounts), jain(amounts))


def per_class(amounts: Amounts, device_class: NDArray[np.int8], class_count: int) -> Floats:
    """The mean amount (C,) of a client of each class, NaN for a class without clients."""
    sizes = np.bincount(device_class, minlength=class_count)
    totals = np.bincount(device_class, weights=amounts, minlength=class_count)
    means: Floats = np.full(class_count, np.nan)
    np.divide(totals, sizes, out=means, where=sizes > 0)
    return means


def class_fairness(amounts: Amounts, device_class: NDArray[np.int8], class_count: int) -> Fairness:
    """Both indices over what a client of each class has on average: blind to differences within a class."""
    means = per_class(amounts, device_class, class_count)
    return fairness(means[~np.isnan(means)])
