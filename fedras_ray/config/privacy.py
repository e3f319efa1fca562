"""Noise that clients add to their updates, off unless asked for; what it protects: `fedras_ray.privacy`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fedras_ray.config.base import Section

Norm = Annotated[float, Field(ge=1e-6, le=1e6)]


class NoPrivacy(Section):
    """An update is sent as it is."""

    kind: Literal["none"] = "none"


class GaussianPrivacy(Section):
    """Normal noise on every entry: (ε, δ) local differential privacy of the values."""

    kind: Literal["gaussian"]
    clip: Norm  # Euclidean, of all rows of an update as one vector: a longer one is shortened to that
    noise_multiplier: float = Field(default=1.0, ge=0.01, le=1e6)  # standard deviation / (2 · clip)
    delta: float = Field(default=1e-5, ge=1e-30, le=0.1)  # at which ε is told; changes no noise


class LaplacePrivacy(Section):
    """Laplace noise on every entry: ε local differential privacy of the values."""

    kind: Literal["laplace"]
    clip: Norm  # the sum of the absolute values of all entries
    epsilon: float = Field(default=1.0, ge=1e-6, le=1e6)  # of one turn; the scale is 2 · clip / epsilon


NoiseConfig = GaussianPrivacy | LaplacePrivacy
PrivacyConfig = Annotated[NoPrivacy | NoiseConfig, Field(discriminator="kind")]
