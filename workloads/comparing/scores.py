"""A number over seeds: means with their errors, and ratios of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Score:
    """A quantity over seeds."""

    mean: float
    error: float | None  # standard error of the mean; None for one seed


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times one run's quantity is in another's under the same seed, over seeds.

    The mean is geometric: that of times faster and that of times slower are then each other's
    reciprocals (Fleming & Wallace, "How not to lie with statistics: the correct way to summarize
    benchmark results", CACM 29(3), 1986, doi:10.1145/5666.5673).
    """

    mean: float
    lowest: float
    highest: float


def score(values: Sequence[float]) -> Score:
    """Mean and standard error over seeds."""
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return Score(mean(values), error)


def ratio(values: Sequence[float]) -> Ratio:
    """Geometric mean, least and most of ratios above zero."""
    return Ratio(float(np.exp(np.mean(np.log(values)))), float(min(values)), float(max(values)))


def mean(values: Sequence[float]) -> float:
    """The arithmetic one."""
    return float(np.mean(values))
