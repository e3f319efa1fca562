"""Is one method as good as another? A paired interval over users and seeds, and what it says.

Both methods were run under the same S seeds and measured on the same users. With d[s, u] the
difference of a user under a seed (method − reference), the estimate is the mean over seeds of the
mean over users. Two things make it uncertain, and the interval covers their sum:

* *Users*: others could have been sampled. Users are resampled with replacement, with their
  differences of all seeds together, so pairs stay pairs (Efron & Tibshirani, "An Introduction to the
  Bootstrap", 1993, chapters 6 and 13; for retrieval: Sakai, SIGIR 2006, doi:10.1145/1148170.1148261).
* *Seeds*: training could have gone otherwise. Seeds are blocks, and few: resampling three of them
  gives ten distinct means whose variance is a third short. So the mean over seeds is given a
  Student t with S − 1 degrees of freedom around it instead of a bootstrap.

A replicate is the estimate plus one draw of each. The noise that a seed gives a single user is in
both parts, so the interval errs on the wide side, as does bootstrapping crossed factors (Owen, "The
pigeonhole bootstrap", 2007, doi:10.1214/07-AOAS122). With one seed there is only the first part, and
`Difference.seeds_judged` is False: it then speaks about that one training alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from fedras_ray.evaluation.bootstrap import resampled_means
from fedras_ray.streams import Purpose, stream

MARGIN = 0.02  # of the reference's quality
CONFIDENCE = 0.95

Paired = NDArray[np.float64]  # (S, U): a row per seed, NaN where a user was not measured


class Verdict(Enum):
    """What a non-inferiority test with a margin, and a test for a difference, say together."""

    NO_LOSS = "no loss"  # at worst it loses less than the margin
    WITHIN_MARGIN = "loss within margin"  # it does lose, but less than the margin
    LOSS = "loss"  # it loses, and the margin may be passed
    TOO_THIN = "too thin"  # neither can be said on so few users and seeds


@dataclass(frozen=True, slots=True)
class Difference:
    """Method − reference, in units of the metric."""

    estimate: float
    low: float
    high: float
    reference: float  # the reference's mean; a margin is a share of it
    margin: float
    users: int
    seeds: int
    users_error: float  # standard error from users alone
    seeds_error: float | None  # from seeds alone; None for one seed

    @property
    def seeds_judged(self) -> bool:
        """Whether the interval covers another training, or only other users."""
        return self.seeds_error is not None

    @property
    def within_margin(self) -> bool:
        """Non-inferior: the whole interval lies above −margin."""
        return self.low >= -self.margin * self.reference

    @property
    def lower(self) -> bool:
        """A loss was found: the whole interval lies below zero."""
        return self.high < 0

    @property
    def verdict(self) -> Verdict:
        """See `Verdict`."""
        if self.within_margin:
            return Verdict.WITHIN_MARGIN if self.lower else Verdict.NO_LOSS
        return Verdict.LOSS if self.lower else Verdict.TOO_THIN

    def relative(self, value: float) -> float | None:
        """A difference as a share of the reference's mean; None where that is 0."""
        return value / self.reference if self.reference else None


def compare(
    method: Paired,
    reference: Paired,
    *,
    margin: float = MARGIN,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Difference:
    """The difference between two methods, with its interval.

    Args:
        method: (S, U) the metric of every user under every seed; NaN where there is none.
        reference: (S, U) the same users and seeds.
        margin: the largest loss that counts as none, as a share of the reference's mean.
        confidence: of the two-sided interval; "no loss" is then tested at (1 − confidence) / 2.
        seed: of the resampling.

    Raises:
        ValueError: shapes or users differ, or a seed has no user.
    """
    if method.shape != reference.shape or not np.array_equal(np.isnan(method), np.isnan(reference)):
        raise ValueError("the two methods were not measured on the same users under the same seeds")
    measured = ~np.isnan(method)
    if not measured.any(axis=1).all():
        raise ValueError("a seed without users has no mean")
    differences = method - reference  # (S, U)
    means = np.nanmean(differences, axis=1)  # (S,)
    estimate = float(means.mean())
    shares = contributions(differences, means)
    rng = stream(seed, Purpose.BOOTSTRAP)
    spread = resampled_means(shares, rng)  # (B,) around 0
    seeds_error = None
    if len(means) > 1:
        seeds_error = float(means.std(ddof=1) / np.sqrt(len(means)))
        spread += seeds_error * rng.standard_t(len(means) - 1, size=len(spread))
    low, high = np.quantile(spread, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Difference(
        estimate=estimate,
        low=estimate + float(low),
        high=estimate + float(high),
        reference=float(np.nanmean(reference, axis=1).mean()),
        margin=margin,
        users=len(shares),
        seeds=len(means),
        users_error=float(shares.std() / np.sqrt(len(shares))),
        seeds_error=seeds_error,
    )


def contributions(differences: Paired, means: NDArray[np.float64]) -> NDArray[np.float64]:
    """(V,) what each of the V users adds to the estimate, centred: their mean is 0.

    Where everyone is measured under every seed it is a user's mean difference, less the mean of all.
    """
    measured = ~np.isnan(differences)
    known = measured.any(axis=0)
    weights = known.sum() / (len(means) * measured.sum(axis=1))  # (S,)
    centred = np.where(measured, differences - means[:, None], 0.0)
    return np.asarray((weights @ centred)[known], dtype=np.float64)
