"""Means of resampled values (Efron, "Bootstrap methods: another look at the jackknife", 1979)."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

REPLICATES = 10_000
BLOCKS = 5_000  # more users are resampled as so many random groups of equal size: the same variance
DRAWS_AT_ONCE = 2_000_000  # 32 MB of indices and values


def resampled_means(values: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """(B,) means of as many values drawn with replacement, a chunk of replicates at a time."""
    blocks = _blocks(values, rng)
    at_once = max(1, DRAWS_AT_ONCE // len(blocks))
    parts = [
        blocks[rng.integers(len(blocks), size=(min(at_once, REPLICATES - done), len(blocks)))].mean(axis=1)
        for done in range(0, REPLICATES, at_once)
    ]
    return np.concatenate(parts)


def _blocks(values: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """At most `BLOCKS` means of random groups; their spread over the root of their number is the same."""
    if len(values) <= BLOCKS:
        return values
    groups = np.array_split(rng.permutation(values), BLOCKS)
    sizes = np.array([len(group) for group in groups])
    sums = np.add.reduceat(np.concatenate(groups), np.cumsum(sizes) - sizes)
    return np.asarray(sums * (BLOCKS / len(values)), dtype=np.float64)
