"""Several threads of a process that share its work, each a part that hangs on no other.

Machine code lets go of Python's lock, and Python does not: two or three threads are worth much where most of
the time goes to kernels, many are not. Processes are for the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import chain, pairwise
from typing import TypeVar

import numpy as np

LEAST_LOAD = 2_000  # interactions of a thread; waking it takes as long as the turns of a few clients
MOST_THREADS = 4  # of one process that nobody told how many; what is between kernels has one at a time

Part = TypeVar("Part")
Result = TypeVar("Result")


class Crew:
    """The threads of one process, the one that calls among them; the others begin when they are needed."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._others: ThreadPoolExecutor | None = None
        self._process = 0  # whose threads these are: a fork has none

    def each(self, work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
        """What comes of every part, in their order; of errors the first part's.

        Whoever is done with one takes the next that nobody has taken.
        """
        if self.count == 1 or len(parts) < 2:
            return [work(one) for one in parts]
        if self._others is None or self._process != os.getpid():
            self._others = ThreadPoolExecutor(self.count - 1, thread_name_prefix="crew")
            self._process = os.getpid()
        left, found, errors = iter(range(1, len(parts))), dict[int, Result](), dict[int, Exception]()

        def share(places: Iterable[int]) -> None:
            for place in places:
                try:
                    found[place] = work(parts[place])
                except Exception as error:  # it is raised below
                    errors[place] = error
                    return

        others = [self._others.submit(share, left) for _ in range(min(self.count, len(parts)) - 1)]
        try:
            share(chain([0], left))
        finally:
            wait(others)  # they compute as this thread does, and end as it does
        for one in others:
            one.result()  # what is no `Exception` is nobody's to keep
        if errors:
            raise errors[min(errors)]
        return [found[place] for place in range(len(parts))]

    def one_by_one(
        self, work: Callable[[Part], Result], pieces: Sequence[Part], loads: Sequence[int]
    ) -> list[Result]:
        """What comes of every piece, in their order, of which a thread has as many as `shares` says."""

        def some(part: slice) -> list[Result]:
            return [work(one) for one in pieces[part]]

        return [*chain.from_iterable(self.each(some, self.shares(loads)))]

    def shares(self, loads: Sequence[int], least: int = 1) -> list[slice]:
        """Adjoining pieces of work, a share for each thread: as even as pieces allow, and none too small.

        Args:
            loads: of pieces, in interactions.
            least: how many shares there are to be at least, so that none is too large.
        """
        until = np.cumsum([0, *loads])
        count = max(1, least, min(self.count, int(until[-1]) // LEAST_LOAD))
        edges = {0, len(loads)}
        for number in range(1, count):
            edges.add(int(np.abs(until - until[-1] * number / count).argmin()))
        return [slice(first, last) for first, last in pairwise(sorted(edges))]


def thread_count(asked: int) -> int:
    """Of one process that was asked to have so many; 0: nobody asked."""
    return asked or cores(MOST_THREADS)


def cores(most: int) -> int:
    """That this process may use, so many at most."""
    return min(
        most, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
