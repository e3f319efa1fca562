"""What the server does about updates that would harm it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fedras_ray.config.base import Count, Positive, Section


class NoClip(Section):
    """Updates are taken as long as they are."""

    kind: Literal["none"] = "none"


class FixedClip(Section):
    """An update longer than `norm` is taken at that length."""

    kind: Literal["fixed"]
    norm: Positive  # Euclidean, of all its rows as one vector


class MedianClip(Section):
    """An update longer than so many times the usual length is taken at that."""

    kind: Literal["median"]
    factor: Positive = 3.0
    memory: Count = 256  # updates whose median length is the usual one


ClipConfig = Annotated[NoClip | FixedClip | MedianClip, Field(discriminator="kind")]


class DefenceConfig(Section):
    """Off but for what can never be right."""

    finite: bool = True  # what decodes to a value that is not finite is refused
    clip: ClipConfig = NoClip()


class Sum(Section):
    """Updates are added up where they arrive; a version is their weighted mean, see `average`."""

    kind: Literal["sum"] = "sum"


class Median(Section):
    """Of each entry, the median of what clients say."""

    kind: Literal["median"]


class TrimmedMean(Section):
    """Of each entry, the mean of what clients say without the largest and the smallest."""

    kind: Literal["trimmed-mean"]
    share: float = Field(default=0.1, ge=0, lt=0.5)  # of the clients of an item, on either side


AggregateConfig = Annotated[Sum | Median | TrimmedMean, Field(discriminator="kind")]
