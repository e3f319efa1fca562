"""Local differential privacy: a client clips its update and adds noise before it is encoded.

An update is the vector v of all n · D entries of the rows that a turn touches. It is shortened to a norm of
at most `clip`, so any two updates of the same rows are at most 2 · clip apart: that is the sensitivity, as a
client's data may be replaced by anybody's. What is computed from the noisy update, a blob or what feedback
remembers of it, tells no more (post-processing). C. Dwork, A. Roth, "The Algorithmic Foundations of
Differential Privacy", 2014, section 3 (both mechanisms) and appendix A.

*Not* hidden are which rows were touched, how many, and the numbers beside a blob (samples, loss, times).
The noise is a simulation's: it repeats under a seed, and its floats are rounded, which an attacker could use
(I. Mironov, CCS 2012, doi:10.1145/2382196.2382264).

C clients, N rows of all of them together, D width; clients lie as in `codecs.ragged`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config.privacy import GaussianPrivacy, NoiseConfig, NoPrivacy, PrivacyConfig
from fedras_ray.streams import Purpose, stream

Rows = NDArray[np.float32]
Exact = NDArray[np.float64]


class LocalPrivacy:
    """See the module."""

    def __init__(self, config: PrivacyConfig, seed: int) -> None:
        self._config = config
        self._seed = seed

    @property
    def changes_rows(self) -> bool:
        """Whether what is told differs from what training changed."""
        return not isinstance(self._config, NoPrivacy)

    def noised(self, turns: Sequence[tuple[int, int]], offsets: NDArray[np.int64], rows: Rows) -> Rows:
        """The rows (N, D) that may be told of those that training changed.

        Args:
            turns: (client, turn) of each of C: the address of its noise.
            offsets: (C + 1,) where each one's rows begin and end.
            rows: (N, D), which do not change.
        """
        config = self._config
        if isinstance(config, NoPrivacy):
            return rows
        told = np.empty_like(rows)
        for (client, turn), (first, last) in zip(turns, pairwise(offsets.tolist()), strict=True):
            rng = stream(self._seed, Purpose.PRIVACY, client, turn)
            short = clipped(rows[first:last], config)
            told[first:last] = short + noise(config, rng, short.shape)
        return told


def clipped(rows: Rows, config: NoiseConfig) -> Exact:
    """An update (n, D) with a norm of at most `config.clip`: Euclidean, or of absolute values for Laplace."""
    exact = rows.astype(np.float64)
    gaussian = isinstance(config, GaussianPrivacy)
    norm = float(np.sqrt(np.square(exact).sum()) if gaussian else np.abs(exact).sum())
    return exact * (config.clip / norm) if config.clip < norm < np.inf else exact  # not finite: refused later


def noise(config: NoiseConfig, rng: Generator, shape: tuple[int, ...]) -> Exact:
    """Independent noise for every entry."""
    if isinstance(config, GaussianPrivacy):
        return rng.normal(0.0, scale(config), shape)
    return rng.laplace(0.0, scale(config), shape)


def scale(config: NoiseConfig) -> float:
    """The standard deviation of normal noise, or the scale of Laplace noise (deviation √2 times that)."""
    sensitivity = 2 * config.clip
    if isinstance(config, GaussianPrivacy):
        return sensitivity * config.noise_multiplier
    return sensitivity / config.epsilon
