"""Being told to stop: Ctrl-C and SIGTERM (`kill`, `ray job stop`, a batch system) as one exception."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(KeyboardInterrupt):
    """A signal asked us to stop; what was begun is closed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)

    @property
    def exit_status(self) -> int:
        """What a shell makes of a process that ended by this signal: 130 or 143."""
        return 128 + int(self.args[0])


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` in the block on the first signal.

    Later signals are ignored: the same wish often comes twice (`timeout` tells the process and its
    group), and closing has time limits of its own. A signal that our parent ignores stays ignored.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        for other in found:
            signal.signal(other, signal.SIG_IGN)
        raise Stopped(number)

    asked = (signal.SIGINT, signal.SIGTERM)
    found = {number: signal.getsignal(number) for number in asked}
    found = {number: handler for number, handler in found.items() if handler is not signal.SIG_IGN}
    for number in found:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in found.items():
            signal.signal(number, handler)
