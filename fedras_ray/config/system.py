"""The server, and when quality is measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fedras_ray.config.base import Count, NotNegative, Positive, Section
from fedras_ray.config.defence import AggregateConfig, DefenceConfig, Sum


class SgdServer(Section):
    """Plain steps along the aggregated update, with optional momentum."""

    kind: Literal["sgd"] = "sgd"
    rate: Positive = 1.0
    momentum: float = Field(default=0.0, ge=0, lt=1)


class AdamServer(Section):
    """Adam on the aggregated update (FedAdam), per touched row."""

    kind: Literal["adam"]
    rate: Positive = 0.01
    beta1: float = Field(default=0.9, ge=0, lt=1)
    beta2: float = Field(default=0.99, ge=0, lt=1)
    epsilon: Positive = 1e-8


OptimizerConfig = Annotated[SgdServer | AdamServer, Field(discriminator="kind")]


class ConstantRate(Section):
    """The server's rate stays as it is."""

    kind: Literal["constant"] = "constant"


class LinearDecay(Section):
    """The server's rate falls on a line, to `final` times itself at the last version."""

    kind: Literal["linear"]
    final: float = Field(default=0.0, ge=0, lt=1)


class CosineDecay(Section):
    """The server's rate falls along half a cosine, to `final` times itself at the last version."""

    kind: Literal["cosine"]
    final: float = Field(default=0.0, ge=0, lt=1)


DecayConfig = Annotated[ConstantRate | LinearDecay | CosineDecay, Field(discriminator="kind")]


class ConstantStaleness(Section):
    """Late or not, an update weighs the same."""

    kind: Literal["constant"] = "constant"


class PolynomialStaleness(Section):
    """An update that is s versions old weighs (1 + s)^-exponent (FedAsync, FedBuff)."""

    kind: Literal["polynomial"]
    exponent: NotNegative = 0.5


class HingeStaleness(Section):
    """Full weight up to `grace` versions, then 1 / (1 + slope (s - grace)) (FedAsync)."""

    kind: Literal["hinge"]
    grace: int = Field(default=4, ge=0)  # versions
    slope: Positive = 0.5  # per version beyond


StalenessConfig = Annotated[
    ConstantStaleness | PolynomialStaleness | HingeStaleness, Field(discriminator="kind")
]


class StalenessLimit(Section):
    """What becomes of an update that is older than so many versions."""

    versions: int | None = Field(default=None, ge=0)  # None: no limit
    beyond: Literal["waste", "down-weight", "use"] = "waste"
    weight: float = Field(default=0.1, gt=0, le=1)  # times what it would weigh, if weighted down


class ServerConfig(Section):
    """How arrivals become the next version."""

    optimizer: OptimizerConfig = SgdServer()
    decay: DecayConfig = ConstantRate()
    average: Literal["items", "clients"] = "items"  # clients: one mean over all of a version (FedAvg)
    count_power: float = Field(default=0.5, ge=0, le=1)  # 0: sum, 1: mean over the clients of an item
    client_weight: Literal["uniform", "samples"] = "uniform"
    staleness: StalenessConfig = ConstantStaleness()
    staleness_limit: StalenessLimit = StalenessLimit()
    defence: DefenceConfig = DefenceConfig()
    aggregate: AggregateConfig = Sum()

    @model_validator(mode="after")
    def _one_divisor(self) -> ServerConfig:
        """A mean over all clients is not divided again by how many have an item."""
        default = ServerConfig.model_fields["count_power"].default
        if self.average == "clients" and self.count_power != default:
            raise ValueError("count_power is for average 'items'; with average 'clients' leave it out")
        if self.average == "clients" and self.aggregate.kind != "sum":
            raise ValueError(
                f"average 'clients' is a sum, and aggregate.kind is '{self.aggregate.kind}'; "
                "take average 'items'"
            )
        return self


class EvaluationConfig(Section):
    """When quality is measured, and how."""

    every: Count = 10  # versions
    users: int | None = Field(default=None, ge=2)  # asked, drawn by the seed; None: everyone with a test item
    sampled_negatives: int = Field(default=99, ge=0)  # 0: no sampled metrics, where the data set brings none
