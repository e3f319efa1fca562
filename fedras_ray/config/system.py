"""The schedule of work, the server, and when quality is measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fedras_ray.config.base import Count, NotNegative, Positive, Section


class SyncSchedule(Section):
    """Rounds with a barrier: the slowest client of a round ends it."""

    kind: Literal["sync"] = "sync"
    versions: Count = 100
    clients_per_version: Count = 128


class BufferedSchedule(Section):
    """FedBuff: `concurrency` clients at work, a new version after every `buffer` arrivals."""

    kind: Literal["buffered"]
    versions: Count = 100
    concurrency: Count = 128
    buffer: Count = 32


ScheduleConfig = Annotated[SyncSchedule | BufferedSchedule, Field(discriminator="kind")]


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


StalenessConfig = Annotated[ConstantStaleness | PolynomialStaleness, Field(discriminator="kind")]


class ServerConfig(Section):
    """How arrivals become the next version."""

    optimizer: OptimizerConfig = SgdServer()
    decay: DecayConfig = ConstantRate()
    count_power: float = Field(default=0.5, ge=0, le=1)  # 0: sum, 1: mean over the clients of an item
    client_weight: Literal["uniform", "samples"] = "uniform"
    staleness: StalenessConfig = ConstantStaleness()


class EvaluationConfig(Section):
    """When quality is measured, and how."""

    every: Count = 10  # versions
    sampled_negatives: int = Field(default=99, ge=0)  # 0: no sampled metrics, where the data set brings none
