"""By what a client's link differs from its profile, over time: a piecewise constant factor of mean 1."""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.random import Generator

from fedras_ray.clock import Nanos, nanos
from fedras_ray.config.network import GammaVariation, LogNormalVariation
from fedras_ray.fleet.points import Floats, Points
from fedras_ray.fleet.traces import FactorTrace
from fedras_ray.streams import Purpose, stream

POINTS_PER_BLOCK = 32
BLOCKS_KEPT = 16_384  # about 15 MB
PHASES_KEPT = 1_000_000


class Piece(NamedTuple):
    """A factor, and an instant before which it does not change (there it need not)."""

    factor: float
    until_ns: Nanos


class Factors(Protocol):
    """The factor of every client at every instant."""

    def piece(self, client: int, at_ns: int) -> Piece:
        """What holds at an instant, and until when at least."""
        ...


class DrawnFactors:
    """New factors at the points of a Poisson process, independent of each other; both directions share them.

    The time average is 1 and the standard deviation over time is `cv`, for both distributions.
    """

    def __init__(self, config: GammaVariation | LogNormalVariation, seed: int) -> None:
        self._kind, self._cv = config.kind, config.cv
        self._points = Points(
            seed,
            Purpose.LINK,
            nanos(config.hold_s),
            self._draw,
            group=1,
            per_block=POINTS_PER_BLOCK,
            blocks_kept=BLOCKS_KEPT,
        )

    def piece(self, client: int, at_ns: int) -> Piece:
        """What holds at an instant, and until when at least."""
        factor, until = self._points.holding(client, at_ns)
        return Piece(factor, Nanos(until))

    def _draw(self, rng: Generator, count: int) -> Floats:
        """(count,) factors of mean 1: gamma of shape cv^-2, or log-normal of sigma^2 = ln(1 + cv^2)."""
        variance = self._cv**2
        if self._kind == "gamma":
            return rng.gamma(1 / variance, variance, count)
        sigma = math.sqrt(math.log1p(variance))
        return np.exp(sigma * rng.standard_normal(count) - sigma**2 / 2)


class TracedFactors:
    """One cycle of factors for all; every client begins at an instant of it that is drawn uniformly."""

    def __init__(self, trace: FactorTrace, seed: int) -> None:
        self._trace, self._seed = trace, seed
        self._phase = lru_cache(PHASES_KEPT)(self._draw_phase)

    def piece(self, client: int, at_ns: int) -> Piece:
        """What holds at an instant, and until when at least."""
        trace = self._trace
        within = (at_ns + self._phase(client)) % trace.period_ns
        place = bisect_right(trace.starts_ns, within)
        ends = trace.starts_ns[place] if place < len(trace.starts_ns) else trace.period_ns
        return Piece(trace.factors[place - 1], Nanos(at_ns + ends - within))

    def _draw_phase(self, client: int) -> int:
        return int(stream(self._seed, Purpose.LINK, client).integers(self._trace.period_ns))
