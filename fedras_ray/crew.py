"""Several threads of a process that share its work, each a part that hangs on no other.

Machine code lets go of Python's lock, and Python does not: two or three threads are worth much where most of
the time goes to kernels, many are not. Processes are for the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise
from typing import TypeVar

import numpy as np

LEAST_LOAD = 2_000  # interactions of a thread; waking it takes as long as the turns of a few clients

Part = TypeVar("Part")
Result = TypeVar("Result")


class Crew:
    """The threads of one process, the one that calls among them; the others begin when they are needed."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._others: ThreadPoolExecutor | None = None
        self._process = 0  # whose threads these are: a fork has none

    def each(self, work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
        """What comes of every part, in their order; of errors the first part's."""
        if self.count == 1 or len(parts) < 2:
            return [work(one) for one in parts]
        if self._others is None or self._process != os.getpid():
            self._others = ThreadPoolExecutor(self.count - 1, thread_name_prefix="crew")
            self._process = os.getpid()
        others = [self._others.submit(work, one) for one in parts[1:]]
        try:
            mine = work(parts[0])
        finally:
            wait(others)  # they compute as this thread does, and end as it does
        return [mine, *(one.result() for one in others)]

    def shares(self, loads: Sequence[int]) -> list[slice]:
        """Adjoining pieces of work, a share for each thread: as even as pieces allow, and none too small.

        `loads` are in interactions.
        """
        until = np.cumsum([0, *loads])
        count = max(1, min(self.count, int(until[-1]) // LEAST_LOAD))
        edges = {0, len(loads)}
        for number in range(1, count):
            edges.add(int(np.abs(until - until[-1] * number / count).argmin()))
        return [slice(first, last) for first, last in pairwise(sorted(edges))]


def cores(most: int) -> int:
    """That this process may use, so many at most."""
    return min(
        most, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
