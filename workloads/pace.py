"""How fast a run goes on the machine that computes it."""

from __future__ import annotations

import time

from fedras_ray.records import EndRecord, Record, VersionRecord
from workloads.sinks import Ending


class Pace:
    """A sink that times the client updates.

    The rate is measured from the first version that arrives to the last record, over the updates
    after that version: starting Ray, placing pools and warming up are in `startup_s`, not in it. A
    run of a single version has nothing but its start-up, so its rate is over all of its time.
    """

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._first: tuple[float, int] | None = None  # when, client updates so far
        self._last: tuple[float, int] = (self._began_s, 0)

    def take(self, record: Record) -> None:
        """See `Sink.take`."""
        if isinstance(record, VersionRecord | EndRecord):
            self._last = (time.monotonic(), record.client_updates)
            self._first = self._first or self._last

    def close(self, ending: Ending) -> None:
        """Nothing is held."""

    @property
    def elapsed_s(self) -> float:
        """From the beginning until now."""
        return time.monotonic() - self._began_s

    @property
    def startup_s(self) -> float:
        """From the beginning to the first version; 0 before there is one."""
        return self._first[0] - self._began_s if self._first else 0.0

    @property
    def running(self) -> bool:
        """Whether there is a rate without the start-up in it."""
        return self._first is not None and self._first != self._last

    @property
    def updates_per_second(self) -> float:
        """See the class."""
        first_s, first = self._first or self._last
        last_s, last = self._last
        if last == first:
            first_s, first = self._began_s, 0
        return (last - first) / max(1e-9, last_s - first_s)
