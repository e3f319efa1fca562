"""Where interactions come from and how they are split."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fedras_ray.config.base import Count, Fraction, NotNegative, Positive, Section


class LeaveLastOut(Section):
    """The last interaction of every user (by time, else by order in the source) is the test."""

    kind: Literal["leave-last-out"] = "leave-last-out"


class RatioSplit(Section):
    """A random share of every user's interactions is the test."""

    kind: Literal["ratio"]
    test_fraction: Fraction = 0.2


class TemporalSplit(Section):
    """Everything after one instant is the test: the latest share of all interactions."""

    kind: Literal["temporal"]
    test_fraction: Fraction = 0.1


SplitConfig = Annotated[LeaveLastOut | RatioSplit | TemporalSplit, Field(discriminator="kind")]


class CatalogData(Section):
    """A data set the catalogue knows: `fedras data list` names them."""

    kind: Literal["catalog"] = "catalog"
    name: str = "ml-100k"
    split: SplitConfig = LeaveLastOut()


class FileData(Section):
    """Your own ratings: CSV, TSV or Parquet with a user and an item column."""

    kind: Literal["file"]
    path: str
    user: str = "user_id"
    item: str = "item_id"
    rating: str | None = None
    timestamp: str | None = None
    least_rating: float | None = None  # keep rows with at least this rating
    label: str | None = None  # 1 where what was shown was taken, 0 where not: see `training.samples`
    split: SplitConfig = LeaveLastOut()


class SyntheticData(Section):
    """Latent tastes, Zipf popularity, log-normal activity: any size, no download."""

    kind: Literal["synthetic"]
    users: Count = 1_000
    items: Count = 2_000
    mean_interactions: Positive = 40.0
    activity_sigma: NotNegative = 0.8  # of the logarithm of a user's activity
    popularity_exponent: NotNegative = 1.0  # Zipf
    taste_width: Count = 8
    taste_strength: NotNegative = 1.0
    split: SplitConfig = LeaveLastOut()


DataConfig = Annotated[CatalogData | FileData | SyntheticData, Field(discriminator="kind")]
