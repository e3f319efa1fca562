"""The processes of one run: their CPU, also of those that are gone, and the most memory they held."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil

Processes = Iterable[psutil.Process]


def descendants() -> list[psutil.Process]:
    """This process, and all that it began and that still hang on it."""
    me = psutil.Process()
    return [me, *me.children(recursive=True)]


def marked(name: str, value: str) -> Callable[[], Processes]:
    """The processes with a mark in their environment: daemons count too, whoever they hang on."""
    known: dict[tuple[int, float], bool] = {}

    def members() -> Processes:
        for process in psutil.process_iter():
            try:
                key = (process.pid, process.create_time())
                if key not in known:
                    known[key] = process.environ().get(name) == value
            except (psutil.Error, OSError):
                continue  # it has just ended, or is somebody else's
            if known[key]:
                yield process

    return members


def pss_bytes(members: Processes) -> int:
    """Memory, with what processes share counted once (proportional set size)."""
    held = 0
    for process in members:
        with suppress(psutil.Error, OSError):  # it has just ended
            held += int(process.memory_full_info().pss)
    return held


class Family:
    """Looked at from time to time, by whoever wants to know; from several threads.

    Args:
        members: who belongs to it now.
    """

    def __init__(self, members: Callable[[], Processes] = descendants) -> None:
        self.members = members
        self.peak_pss_bytes = 0
        self._cpu_s: dict[tuple[int, float], float] = {}  # of each process, also once it is gone
        self._lock = threading.Lock()

    def cpu_s(self) -> float:
        """User and system time of all members so far."""
        with self._lock:
            self._look()
            return sum(self._cpu_s.values())

    def sample(self) -> float:
        """Take CPU and memory of everyone; returns the CPU seconds that this took, in this thread."""
        began_s = time.thread_time()
        with self._lock:
            self._look()
            self.peak_pss_bytes = max(self.peak_pss_bytes, pss_bytes(self.members()))
        return time.thread_time() - began_s

    def _look(self) -> None:
        for process in self.members():
            with suppress(psutil.Error):
                times = process.cpu_times()
                self._cpu_s[process.pid, process.create_time()] = times.user + times.system
