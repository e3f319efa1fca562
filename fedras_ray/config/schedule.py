"""When clients are asked, and when their updates become a version."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fedras_ray.config.base import Count, Positive, Section
from fedras_ray.config.pacing import PolicyName


class _Schedule(Section):
    """What all schedules have."""

    policy: PolicyName = "none"  # how much a client is asked for: none, straggler-aware, module:function


class SyncSchedule(_Schedule):
    """Rounds with a barrier: the slowest client of a round ends it."""

    kind: Literal["sync"] = "sync"
    versions: Count = 100
    clients_per_version: Count = 128


class DeadlineSchedule(_Schedule):
    """Rounds that end at a deadline, or when everyone has arrived; who is late is used later or wasted."""

    kind: Literal["sync-deadline"]
    versions: Count = 100
    clients_per_version: Count = 128
    deadline_s: Positive = 10.0  # after the round began; with nobody there yet, the first arrival ends it
    late: Literal["use", "waste"] = "use"


class OverSelectionSchedule(_Schedule):
    """Rounds that ask more clients than they wait for; the last ones are wasted, or used later."""

    kind: Literal["over-selection"]
    versions: Count = 100
    clients_per_version: Count = 128
    extra: float = Field(default=0.3, gt=0, le=10)  # clients asked beyond those waited for, as a share
    late: Literal["use", "waste"] = "waste"


class BufferedSchedule(_Schedule):
    """FedBuff: `concurrency` clients at work, a new version after every `buffer` arrivals."""

    kind: Literal["buffered"]
    versions: Count = 100
    concurrency: Count = 128
    buffer: Count = 32


class AsyncSchedule(_Schedule):
    """FedAsync: `concurrency` clients at work, every arrival makes a version."""

    kind: Literal["async"]
    versions: Count = 3_000
    concurrency: Count = 32


class TieredSchedule(_Schedule):
    """FedAT: tiers of equally fast clients, each with rounds of its own that wait for no other tier."""

    kind: Literal["tiered"]
    versions: Count = 100
    tiers: int = Field(default=3, ge=1, le=64)
    clients_per_version: Count = 32  # in a round of one tier
    balance: Literal["fedat", "equal"] = "fedat"  # slow tiers, heard seldom, weigh more; or all the same


ScheduleConfig = Annotated[
    SyncSchedule
    | DeadlineSchedule
    | OverSelectionSchedule
    | BufferedSchedule
    | AsyncSchedule
    | TieredSchedule,
    Field(discriminator="kind"),
]
