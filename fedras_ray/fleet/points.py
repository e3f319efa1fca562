"""Poisson processes in time with a mark at each point, one per client, that can be looked up anywhere.

Time is cut into blocks. The points of one block and one group of clients come from the stream
``(purpose, group, block + 1)``: their number is Poisson, their places are uniform, their marks independent
(J. F. C. Kingman, "Poisson Processes", Oxford 1993, section 2.4). So every question has an answer that hangs
on nothing but the seed, whatever was asked before; what is kept in memory is only a memo, and bounded.
Before the start every client has one point, at an exponential age, so the process is stationary from 0 on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.streams import Purpose, stream

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]


class Point(NamedTuple):
    """One point of one client."""

    at_ns: int
    mark: float


class Block(NamedTuple):
    """The points of a group's clients (G of them, n points) in one stretch of time."""

    starts: Longs  # (G + 1,) where each client's points begin
    at_ns: Longs  # (n,) increasing within a client
    marks: Floats  # (n,)


class Points:
    """The points of all clients, `mean_ns` apart in the mean."""

    def __init__(
        self,
        seed: int,
        purpose: Purpose,
        mean_ns: int,
        mark: Callable[[Generator, int], Floats],
        *,
        group: int,
        per_block: int,
        blocks_kept: int,
    ) -> None:
        """Say how they are drawn.

        Args:
            seed: of the run.
            purpose: of the streams; no other process may have it.
            mean_ns: mean time between a client's points.
            mark: so many independent marks from a generator.
            group: clients that share a stream: 1 where single clients are asked for, many where masks are.
            per_block: points in a block in the mean, of each client.
            blocks_kept: how many blocks stay in memory.
        """
        self._seed, self._purpose, self._mean_ns, self._mark = seed, purpose, mean_ns, mark
        self._group, self._per_block = group, per_block
        self._block_ns = mean_ns * per_block
        self._block = lru_cache(blocks_kept)(self._draw)

    def last(self, client: int, at_ns: int) -> Point:
        """The latest point at or before an instant (of 0 or later)."""
        block = at_ns // self._block_ns
        while True:  # block -1 has a point of every client
            instants, marks, place = self._seek(client, block, at_ns)
            if place > 0:
                return Point(int(instants[place - 1]), float(marks[place - 1]))
            block -= 1

    def next(self, client: int, after_ns: int) -> Point:
        """The first point after an instant, which may be that of a point before the start."""
        block = max(-1, after_ns // self._block_ns)
        while True:
            instants, marks, place = self._seek(client, block, after_ns)
            if place < len(instants):
                return Point(int(instants[place]), float(marks[place]))
            block += 1

    def holding(self, client: int, at_ns: int) -> tuple[float, int]:
        """The mark of the latest point, and until when it is the latest (or, at least, its block ends)."""
        block = at_ns // self._block_ns
        instants, marks, place = self._seek(client, block, at_ns)
        mark = float(marks[place - 1]) if place else self.last(client, at_ns).mark
        return mark, int(instants[place]) if place < len(instants) else (block + 1) * self._block_ns

    def _seek(self, client: int, block: int, at_ns: int) -> tuple[Longs, Floats, int]:
        """A client's points in a block, and how many of them are at or before an instant."""
        group, place = divmod(client, self._group)
        starts, instants, marks = self._block(group, block)
        own = slice(starts[place], starts[place + 1])
        return instants[own], marks[own], int(instants[own].searchsorted(at_ns, side="right"))

    def last_of(self, clients: Longs, at_ns: int) -> tuple[Longs, Floats]:
        """(n,) instants and (n,) marks of the latest point of each client at or before an instant."""
        instants, marks = np.empty(len(clients), dtype=np.int64), np.empty(len(clients))
        groups, places = np.divmod(clients, self._group)
        order = np.argsort(groups, kind="stable")
        bounds = np.flatnonzero(np.diff(groups[order])) + 1
        for chosen in np.split(order, bounds) if len(order) else []:
            self._fill(int(groups[chosen[0]]), places, chosen, at_ns, (instants, marks))
        return instants, marks

    def _fill(
        self, group: int, places: Longs, chosen: NDArray[np.intp], at_ns: int, out: tuple[Longs, Floats]
    ) -> None:
        """Fill `out` for the `chosen` clients, all of one group; most are done in the first block or two."""
        block = at_ns // self._block_ns
        while len(chosen):
            starts, instants, marks = self._block(group, block)
            so_far = np.concatenate(([0], np.cumsum(instants <= at_ns)))
            first = starts[places[chosen]]
            count = so_far[starts[places[chosen] + 1]] - so_far[first]
            found = count > 0
            latest = (first + count - 1)[found]
            out[0][chosen[found]], out[1][chosen[found]] = instants[latest], marks[latest]
            chosen, block = chosen[~found], block - 1

    def _draw(self, group: int, block: int) -> Block:
        rng = stream(self._seed, self._purpose, group, block + 1)
        if block < 0:
            ages = rng.exponential(self._mean_ns, self._group).astype(np.int64)
            return Block(np.arange(self._group + 1), -1 - ages, self._mark(rng, self._group))
        counts = rng.poisson(self._per_block, self._group)
        starts = np.concatenate(([0], np.cumsum(counts)))
        offsets = rng.integers(0, self._block_ns, int(starts[-1]))
        owners = np.repeat(np.arange(self._group), counts)
        at_ns = block * self._block_ns + offsets[np.lexsort((offsets, owners))]
        return Block(starts, at_ns, self._mark(rng, len(at_ns)))
