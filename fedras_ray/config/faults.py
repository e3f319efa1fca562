"""What goes wrong on purpose; every default means "off".

Clients that drop out and uploads that are lost are older, and part of `network`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from fedras_ray.config.base import Count, Section
from fedras_ray.config.network import Chance, Duration


class FaultsConfig(Section):
    """Uploads that are damaged, doubled or held up on their way, clients that mean harm, pools that die."""

    flip: Chance = 0.0  # of an upload, to have bits flipped on its way
    flipped_bits: int = Field(default=1, ge=1, le=64)  # in such an upload
    duplicate: Chance = 0.0  # of an upload, to arrive twice
    reorder: Chance = 0.0  # of an upload, to be held up on its way, so that others overtake it
    delay_s: Duration = 1.0  # mean, of what is held up and of second copies; exponential
    poison: Chance = 0.0  # of a client, to send damage in every turn
    poison_kind: Literal["scaled", "not-a-number"] = "scaled"  # its update times the factor, or not a number
    poison_factor: float = Field(default=1e6, ge=-1e12, le=1e12, allow_inf_nan=False)
    # Versions after which a pool is killed, one after the other; what is computed stays the same.
    pool_kills: Annotated[tuple[Count, ...], Field(strict=False)] = ()

    @field_validator("pool_kills")
    @classmethod
    def _in_order(cls, versions: tuple[int, ...]) -> tuple[int, ...]:
        if list(versions) != sorted(set(versions)):
            raise ValueError(f"are versions in order, each once, got {list(versions)}")
        return versions
