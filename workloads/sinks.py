"""Who listens to a run: a sink takes records as they come, and learns in the end how it went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, Protocol, TypeVar

from fedras_ray.records import Record

Summary = dict[str, Any]


class Ending(Enum):
    """How a run ended, in MLflow's words."""

    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class Listener(Protocol):
    """Listens to one run."""

    def close(self, ending: Ending) -> None:
        """No more will come; called once, whatever happened."""
        ...


class Sink(Listener, Protocol):
    """Listens to all records of a run that are no turns: of those there are too many to tell one by one."""

    def take(self, record: Record) -> None:
        """One more record."""
        ...


Kind = TypeVar("Kind", bound=Listener)


@contextmanager
def listening(sink: Kind) -> Iterator[Kind]:
    """The sink for the time of a block, closed as the block ends."""
    ending = Ending.FAILED
    try:
        yield sink
        ending = Ending.FINISHED
    except (KeyboardInterrupt, SystemExit):  # Ray's own handler of SIGTERM, while it starts, exits
        ending = Ending.KILLED
        raise
    finally:
        sink.close(ending)
