"""How much the server asks of each client, and whom it asks."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from fedras_ray.config.base import Count, Fraction, NotNegative, Positive, Section, unknown
from fedras_ray.config.codecs import MOST_ACTIONS

POLICIES = ("none", "straggler-aware")


def _policy_name(name: str) -> str:
    if name not in POLICIES and not re.fullmatch(r"[^\W\d][\w.]*:[^\W\d][\w.]*", name):
        raise ValueError(f"{unknown(name, list(POLICIES))}; a policy of your own is 'module:function'")
    return name


PolicyName = Annotated[str, AfterValidator(_policy_name)]  # built in, or module:function


class PacingConfig(Section):
    """What a policy may do, see `server.pacing`."""

    least_actions: int = Field(default=4, ge=1, le=MOST_ACTIONS)  # K is not cut below
    least_epochs: Count = 1  # nor local epochs
    patience: Fraction = 0.8  # without a deadline: the share of clients whose full work is in time
    margin: float = Field(default=0.0, ge=0, lt=1)  # of the time allowed that is kept in reserve
    leave: bool = True  # who cannot meet a deadline with the least is left for later; or asked for the least
    boost: bool = False  # who has time to spare does more epochs
    most_epochs: Count = 5  # with boost
    memory: float = Field(
        default=0.3, ge=0, le=1
    )  # the weight of the last turn in what is learned of a client
    own: dict[str, JsonValue] = Field(default_factory=dict)  # options of a policy of your own


class UniformSelection(Section):
    """Anyone who is idle and on, with the same chance."""

    kind: Literal["uniform"] = "uniform"


class AvailableSelection(Section):
    """As `uniform`, but only those who will stay on for as long as a turn should take."""

    kind: Literal["available"]


class ClassSelection(Section):
    """So many of each device class, as far as they are idle and on."""

    kind: Literal["class"]
    shares: dict[str, Positive] = Field(default_factory=dict)  # by class name; empty: the same for all


class UtilitySelection(Section):
    """Oort: those whose turn is worth most and takes least, and some who were never asked."""

    kind: Literal["utility"]
    exploration: float = Field(default=0.9, ge=0, le=1)  # the share of clients never asked, at first
    exploration_decay: float = Field(default=0.98, gt=0, le=1)  # per version
    least_exploration: float = Field(default=0.2, ge=0, le=1)
    penalty: NotNegative = 2.0  # the exponent for who is slower than preferred
    preferred: Fraction = 0.8  # quantile of the turns seen so far that is quick enough
    cutoff: Fraction = 0.95  # of the utility of the last one wanted: who has more may be chosen
    bonus: NotNegative = 0.1  # for who was not asked for long: sqrt(bonus · ln R / L)


SelectionConfig = Annotated[
    UniformSelection | AvailableSelection | ClassSelection | UtilitySelection, Field(discriminator="kind")
]
