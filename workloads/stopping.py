"""Being told to stop: Ctrl-C and SIGTERM (`kill`, `ray job stop`, a batch system) as one exception."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

TWICE_S = 0.5  # within which the same wish often comes twice: `timeout` tells the process and its group


class Stopped(KeyboardInterrupt):
    """A signal asked us to stop; what was begun is closed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)

    @property
    def exit_status(self) -> int:
        """What a shell makes of a process that ended by this signal: 130 or 143."""
        return 128 + int(self.args[0])


class Wish:
    """Somebody's wish that we stop: of the first signal, if there was one."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._came_s = 0.0
        self._tell: Callable[[], None] | None = None
        self._limit_s = 0.0

    @contextmanager
    def answered(self, tell: Callable[[], None], limit_s: float) -> Iterator[None]:
        """In the block the first signal calls `tell`; the block then has so long to end by itself.

        Raises:
            Stopped: at the end of the block, or after the limit, if there was a signal.
        """
        self._tell, self._limit_s = tell, limit_s
        try:
            yield
        finally:
            self._tell = None
            signal.setitimer(signal.ITIMER_REAL, 0)
        if self.number is not None:
            raise Stopped(self.number)

    def hear(self, number: int, frame: FrameType | None) -> None:
        """A signal came. A second Ctrl-C ends the process at once; other later ones are ignored."""
        if self.number is not None:
            if number == signal.SIGINT and time.monotonic() - self._came_s >= TWICE_S:
                os._exit(128 + number)
            return
        self.number, self._came_s = number, time.monotonic()
        if self._tell is None:
            raise Stopped(number)
        signal.setitimer(signal.ITIMER_REAL, self._limit_s)
        self._tell()

    def lose_patience(self, number: int, frame: FrameType | None) -> None:
        """The limit is over."""
        if self.number is not None:
            raise Stopped(self.number)


@contextmanager
def stoppable() -> Iterator[Wish]:
    """Raise `Stopped` in the block on the first signal, unless the wish is `answered` otherwise.

    A signal that our parent ignores stays ignored.
    """
    wish = Wish()
    asked = (signal.SIGINT, signal.SIGTERM)
    found = {number: signal.getsignal(number) for number in asked}
    found = {number: handler for number, handler in found.items() if handler is not signal.SIG_IGN}
    for number in found:
        signal.signal(number, wish.hear)
    found[signal.SIGALRM] = signal.signal(signal.SIGALRM, wish.lose_patience)
    try:
        yield wish
    finally:
        for number, handler in found.items():
            signal.signal(number, handler)
