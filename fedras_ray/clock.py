"""Virtual time: an integer number of nanoseconds, and a heap that decides what happens next.

Integers, because float time is not associative and the order of events must not depend on how a
sum was bracketed. Two events at the same instant happen in the order in which they were scheduled.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import Generic, NewType, TypeVar

from fedras_ray.snapshots.kinds import kept

Nanos = NewType("Nanos", int)
Event = TypeVar("Event")

NANOS_PER_SECOND = 1_000_000_000


def nanos(duration_s: float) -> Nanos:
    """Seconds as whole nanoseconds, rounded half to even.

    Raises:
        ValueError: the duration is negative, infinite or not a number.
    """
    if not 0 <= duration_s < math.inf:
        raise ValueError(f"a duration must be finite and not negative, got {duration_s}")
    return Nanos(round(duration_s * NANOS_PER_SECOND))


def seconds(at_ns: int) -> float:
    """Whole nanoseconds as seconds, for people and plots; never fed back into the clock."""
    return at_ns / NANOS_PER_SECOND


@kept("now_ns", "_sequence", "_heap")
@dataclass(slots=True)
class Clock(Generic[Event]):
    """A heap of ``(time, sequence, event)``; popping one moves time forward."""

    now_ns: Nanos = Nanos(0)
    _sequence: int = 0
    _heap: list[tuple[Nanos, int, Event]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, at_ns: Nanos, event: Event) -> None:
        """Schedule an event.

        Raises:
            ValueError: the instant lies in the past.
        """
        if at_ns < self.now_ns:
            raise ValueError(f"cannot schedule at {at_ns} ns: it is already {self.now_ns} ns")
        heapq.heappush(self._heap, (at_ns, self._sequence, event))
        self._sequence += 1

    def pop(self) -> tuple[Nanos, Event]:
        """The next event; time moves to it.

        Raises:
            IndexError: nothing is scheduled.
        """
        at_ns, _, event = heapq.heappop(self._heap)
        self.now_ns = at_ns
        return at_ns, event
