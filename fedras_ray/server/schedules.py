"""When to ask clients and when to make a version: a schedule and the state of its rounds in, a decision out.

U clients. Every schedule is told as rounds. In a schedule with a barrier a round begins when clients are
asked and ends when a version is made of what arrived; a tiered schedule has one such round per tier. Without
a barrier (`buffered`, `async`) there is one round that never ends, and clients are asked whenever one is
missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.schedule import (
    AsyncSchedule,
    BufferedSchedule,
    DeadlineSchedule,
    OverSelectionSchedule,
    ScheduleConfig,
    SyncSchedule,
    TieredSchedule,
)
from fedras_ray.fleet.profiles import Fleet, equal_parts, nominal_turn_s
from fedras_ray.snapshots.kinds import kept


@kept()
@dataclass(slots=True)
class Round:
    """Where the rounds of one tier are; `number` counts them."""

    number: int = 0
    under_way: bool = False
    out: int = 0  # clients of this round that are at work
    late: int = 0  # clients of earlier rounds that still are
    due: bool = False  # its deadline has passed

    @property
    def at_work(self) -> int:
        """All clients of the tier that are."""
        return self.out + self.late

    def begin(self, asked: int) -> None:
        """`asked` clients were asked; where all of an earlier asking have left, this is a new round."""
        if self.under_way and self.out == 0:
            self.close()
        self.under_way = True
        self.out += asked

    def close(self) -> None:
        """A version was made; who is still at work is late from now on."""
        self.number += 1
        self.late += self.out
        self.out, self.under_way, self.due = 0, False, False

    def back(self, number: int, clients: int = 1) -> None:
        """So many clients of round `number` are not at work any more, whatever came of it."""
        if number == self.number:
            self.out -= clients
        else:
            self.late -= clients


def wanted(schedule: ScheduleConfig, now: Round, arrived: int) -> int:
    """How many clients to ask now; `arrived` are the updates that wait to become a version.

    A round whose clients have all left without a single update is begun again.
    """
    if not has_rounds(schedule):
        return most_at_once(schedule) - now.at_work
    if now.under_way and (now.out or arrived):
        return 0
    return most_at_once(schedule)


def most_at_once(schedule: ScheduleConfig) -> int:
    """How many clients a round asks, or how many may be at work where there are no rounds."""
    match schedule:
        case BufferedSchedule() | AsyncSchedule():
            return schedule.concurrency
        case OverSelectionSchedule():
            return math.ceil(schedule.clients_per_version * (1 + schedule.extra))
        case SyncSchedule() | DeadlineSchedule() | TieredSchedule():
            return schedule.clients_per_version


def ready(schedule: ScheduleConfig, now: Round, arrived: int) -> bool:
    """Whether what arrived makes the next version; never of nothing."""
    if arrived == 0:
        return False
    if schedule.kind in ("sync", "tiered"):  # most often, and asked at every arrival
        return now.out == 0
    match schedule:
        case BufferedSchedule():
            return arrived >= schedule.buffer
        case AsyncSchedule():
            return True
        case DeadlineSchedule():
            return now.out == 0 or now.due
        case OverSelectionSchedule():
            return now.out == 0 or arrived >= schedule.clients_per_version
        case SyncSchedule() | TieredSchedule():
            return now.out == 0


def has_rounds(schedule: ScheduleConfig) -> bool:
    """Whether a version ends a round, so that clients at work are late afterwards."""
    return schedule.kind not in ("buffered", "async")


def uses_late(schedule: ScheduleConfig) -> bool:
    """Whether an update that arrives after its round is folded into the next version."""
    match schedule:
        case DeadlineSchedule() | OverSelectionSchedule():
            return schedule.late == "use"
        case _:
            return True


def deadline_s(schedule: ScheduleConfig) -> float | None:
    """How long a round may take; None without a deadline."""
    return schedule.deadline_s if isinstance(schedule, DeadlineSchedule) else None


def tier_count(schedule: ScheduleConfig) -> int:
    """How many rounds there are beside each other."""
    return schedule.tiers if isinstance(schedule, TieredSchedule) else 1


def tiers(schedule: ScheduleConfig, fleet: Fleet, samples: NDArray[np.int64]) -> NDArray[np.int32]:
    """(U,) the tier of each client, 0 the fastest: equal parts by the time of a turn. Read-only.

    Args:
        schedule: of which kind.
        fleet: the devices.
        samples: (U,) what each client trains on in a turn.
    """
    if tier_count(schedule) == 1:
        return np.broadcast_to(np.int32(0), len(fleet))  # one number in memory, however many clients
    turn_s = nominal_turn_s(
        samples, fleet.train_s_per_sample, fleet.uplink_bytes_per_s, fleet.downlink_bytes_per_s
    )
    return equal_parts(np.argsort(turn_s, kind="stable"), tier_count(schedule))


def tier_factor(schedule: ScheduleConfig, versions: NDArray[np.int64], tier: int) -> float:
    """What a tier's step is multiplied with, 1 on average over versions of equally frequent tiers.

    With `fedat` a tier weighs as much as its counterpart at the other end of the order has been heard, so
    that fast tiers do not drown the slow ones (Z. Chai, Y. Chen, A. Anwar, L. Zhao, Y. Cheng, H. Rangwala,
    "FedAT: A High-Performance and Communication-Efficient Federated Learning System with Asynchronous
    Tiers", SC 2021, https://arxiv.org/abs/2010.05958, section 4.2).

    Args:
        schedule: of which kind.
        versions: (tiers,) how many versions each tier has made, the one that is being made included.
        tier: which.
    """
    if not isinstance(schedule, TieredSchedule) or schedule.balance == "equal":
        return 1.0
    return float(len(versions) * versions[len(versions) - 1 - tier] / versions.sum())
