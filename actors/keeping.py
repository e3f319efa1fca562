"""When a checkpoint is due: by versions, by real time, or because somebody wishes to stop.

It is kept where the simulation is, so that it need not travel; whoever runs that hears only what went wrong.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator

from fedras_ray.checkpoints import Keeper, Keeping, Taken, take
from fedras_ray.config import Experiment
from fedras_ray.executor import KeepingExecutor
from fedras_ray.simulation import Simulation
from fedras_ray.stretches import Stretch
from fedras_ray.trained import Notice, Told, trained

MOST = 10_000  # records told together
SOON_S = 0.1  # after which a version is told, and a wish to stop looked for, while pools are at work
LATE_S = 0.5  # after which nobody waits until they are
SECONDS_PER_MINUTE = 60
LAST_LIMIT_S = 20.0  # for the last one when somebody wishes to stop


class Cadence:
    """Of one run; `stop` may be called from another thread, or from a signal's handler.

    Args:
        experiment: with how often.
        wished: whether somebody elsewhere wishes to stop.
    """

    def __init__(self, experiment: Experiment, wished: Callable[[], bool] = lambda: False) -> None:
        self._config = experiment.checkpoint
        self.keeps_model = experiment.tracking.keeps_model
        self._versions = experiment.schedule.versions
        self._taken_s = time.monotonic()
        self._wish = threading.Event()
        self._wished = wished

    def stop(self) -> None:
        """Take a last one as soon as possible."""
        self._wish.set()

    @property
    def stopping(self) -> bool:
        """Whether somebody wishes it."""
        return self._wish.is_set() or self._wished()

    @property
    def is_every_version(self) -> bool:
        """Whether one is due after every version."""
        return self._config.every_versions == 1

    def is_due(self, version: int) -> bool:
        """Whether to take one now that this version is made; the last one only ends."""
        if version >= self._versions:
            return False
        every, minutes = self._config.every_versions, self._config.every_minutes
        by_time = minutes > 0 and time.monotonic() - self._taken_s >= minutes * SECONDS_PER_MINUTE
        if (every and version % every == 0) or by_time:
            self._taken_s = time.monotonic()
            return True
        return False

    def is_wished(self, version: int) -> bool:
        """Whether to take a last one between any two events."""
        return self.stopping and version < self._versions


class Nowhere:
    """Keeps no checkpoints: a `Keeper` and a `Keeping`."""

    def begin(self) -> Keeper:
        """See `Keeping.begin`."""
        return self

    def said(self, stretch: Stretch) -> None:
        """See `Keeper.said`."""

    def take(self, taken: Taken) -> None:
        """See `Keeper.take`."""

    def wait(self, limit_s: float) -> bool:
        """See `Keeper.wait`."""
        return True

    def troubles(self) -> list[str]:
        """See `Keeper.troubles`."""
        return []

    def close(self, is_over: bool) -> None:
        """See `Keeper.close`."""


def stretches(
    simulation: Simulation,
    executor: KeepingExecutor,
    cadence: Cadence,
    keeping: Keeping | None = None,
    made: Callable[[int], None] = lambda version: None,
) -> Iterator[Told]:
    """Run a simulation; its records in pieces that are worth a message, and told soon; checkpoints between.

    In the end comes what was trained, where the experiment asks for it. It ends early, after a last
    checkpoint, where that is wished. `made` is called with each new version.
    """
    keeper = (keeping or Nowhere()).begin()
    executor.tell_states(keeping is not None and cadence.is_every_version)
    telling = _Telling(simulation, keeper)
    is_over = False
    try:
        is_over = yield from _pieces(simulation, executor, cadence, telling, made)
    finally:
        try:
            telling.hand_over()
        finally:
            keeper.close(is_over)
    yield from map(Notice, keeper.troubles())
    if is_over and cadence.keeps_model:
        yield trained(simulation, executor)


def _pieces(
    simulation: Simulation,
    executor: KeepingExecutor,
    cadence: Cadence,
    telling: _Telling,
    made: Callable[[int], None],
) -> Generator[Told, None, bool]:
    """Returns whether it came to the end."""
    looked_s, version = time.monotonic(), simulation.version
    for _ in simulation.events():
        is_new, version = simulation.version != version, simulation.version
        if is_new:
            made(version)
        telling.hand_over()  # clients were asked for the next version meanwhile: nobody waits for us now
        enough_s = _enough_s(simulation)
        is_time = time.monotonic() - looked_s >= enough_s
        last = is_time and cadence.is_wished(version)
        if last or (is_new and cadence.is_due(version)):
            if not telling.has_begun:  # who listens begins before there is anything to go on from
                yield from telling.tell()
            telling.take(executor)
        if last:
            telling.hand_over()
            yield from telling.tell()
            telling.wait(LAST_LIMIT_S)
            return False
        if telling.is_much or telling.is_awaited(enough_s):
            yield from telling.tell()
        if is_time:
            looked_s = time.monotonic()
    yield from telling.tell()
    return True


def _enough_s(simulation: Simulation) -> float:
    """How long nobody need be told anything: at the end a ranking may be waited for that takes long."""
    if simulation.is_over:
        return 0.0
    return SOON_S if simulation.is_computing else LATE_S


class _Telling:
    """What was said: kept before it is told, and before each checkpoint; told when it is worth a message."""

    def __init__(self, simulation: Simulation, keeper: Keeper) -> None:
        self._simulation, self._keeper = simulation, keeper
        self.has_begun = False  # to tell
        self._told_s = time.monotonic()
        self._kept: list[Stretch] = []  # and not told yet
        self._taken: Taken | None = None  # and not handed over yet

    @property
    def is_much(self) -> bool:
        """Whether it must not become more."""
        return len(self._simulation.said) + sum(map(len, self._kept)) >= MOST

    def is_awaited(self, enough_s: float) -> bool:
        """Whether there is anything that somebody may wait for, and nothing was told for so long."""
        if time.monotonic() - self._told_s < enough_s:
            return False
        return bool(self._simulation.said.others) or any(one.others for one in self._kept)

    def keep(self) -> None:
        """Have everything kept that was said so far."""
        if self._simulation.said:
            self._kept.append(self._simulation.tell())
            self._keeper.said(self._kept[-1])

    def take(self, executor: KeepingExecutor) -> None:
        """A checkpoint of after everything that was said so far."""
        self.keep()
        self._taken = take(self._simulation, executor)

    def hand_over(self) -> None:
        """Have it kept: who does that takes time of this process from now on."""
        if self._taken is not None:
            taken, self._taken = self._taken, None
            self._keeper.take(taken)

    def wait(self, limit_s: float) -> bool:
        """See `Keeper.wait`."""
        return self._keeper.wait(limit_s)

    def tell(self) -> Iterator[Told]:
        """Everything that was said so far, and what is in the way of keeping it."""
        self.keep()
        kept, self._kept = self._kept, []
        self._told_s = time.monotonic()
        if kept:
            self.has_begun = True
            yield Stretch.joined(kept)
        yield from map(Notice, self._keeper.troubles())
