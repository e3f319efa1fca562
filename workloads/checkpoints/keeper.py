"""Writes checkpoints while the run goes on, in a thread of its own: at most one is being written, one waits.

A newer one takes the place of the one that waits. Records are kept with them: those that no part holds yet
are in the checkpoint itself, and become a part when there are many.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from fedras_ray.checkpoints import Taken, settled
from fedras_ray.errors import FedrasError, RunError
from fedras_ray.stretches import Stretch
from workloads.checkpoints.files import (
    PART,
    SUFFIX,
    Found,
    Said,
    checkpoint_name,
    checkpoint_pieces,
    checkpoints,
    part_name,
    part_pieces,
)
from workloads.checkpoints.store import Store
from workloads.run_directory import writing
from workloads.sinks import Ending
from workloads.speech import say

PART_RECORDS = 1_000
Part = tuple[int, list[Said]]


class _Job(NamedTuple):
    taken: Taken
    parts: int  # before its own records
    records: list[Said]


class CheckpointKeeper:
    """See the module; listens to a run (`sinks.Listener`).

    Args:
        store: where to.
        about: the run (`files.about`).
        keep: how many checkpoints stay.
        found: what the run goes on from; None: it begins, and what is in the store is not its own.
    """

    def __init__(self, store: Store, about: dict[str, Any], keep: int, found: Found | None) -> None:
        self._store, self._about, self._keep = store, about, keep
        self._parts = found.parts if found else 0
        self._since = [Said(one) for one in found.tail] if found else []  # records that no part holds
        self._unwritten: list[Part] = []
        self._waiting: _Job | None = None
        self._writing = False
        self._closed = self._failed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)
        clear(store, checkpoint_name(found.plain.version) if found else "")
        self._there = checkpoints(store)
        self._thread.start()

    def said(self, stretch: Stretch) -> None:
        """Some more records."""
        stretch.table()  # made now, and not by the thread that writes
        self._since.append(Said(stretch))
        if sum(map(len, self._since)) >= PART_RECORDS:
            with self._changed:
                self._unwritten.append((self._parts, self._since))
                self._changed.notify_all()
            self._parts, self._since = self._parts + 1, []

    def take(self, taken: Taken) -> None:
        """A checkpoint of after all that was said.

        Raises:
            RunError: nobody writes any more.
        """
        if not self._thread.is_alive():
            raise RunError("checkpoints are no longer written: their thread ended with the error above")
        with self._changed:
            self._waiting = _Job(taken, self._parts, list(self._since))
            self._changed.notify_all()

    def wait(self, limit_s: float) -> bool:
        """Whether everything handed over is written within a limit."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._writing or self._waiting), limit_s)

    def close(self, ending: Ending) -> None:
        """What waits is written, unless the run is complete."""
        with self._changed:
            self._closed = True
            if ending is Ending.FINISHED:
                self._waiting, self._unwritten = None, []
            self._changed.notify_all()
        self._thread.join()
        self._store.close()

    def _work(self) -> None:
        while (due := self._next()) is not None:
            parts, job = due
            try:
                self._write(parts, job)
            except (OSError, pa.ArrowException, FedrasError) as error:
                what = "records" if job is None else f"the checkpoint of version {job.taken.version}"
                say(f"{what} cannot be kept: {error}; the run goes on")
                self._failed = True
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _next(self) -> tuple[list[Part], _Job | None] | None:
        """What to write now; None: nothing comes any more. After a failure the next checkpoint is awaited."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._waiting or self._closed or (self._unwritten and not self._failed)
            )
            job, self._waiting = self._waiting, None
            if job is None and (self._failed or not self._unwritten):
                return None
            self._failed, self._writing = False, True
            return list(self._unwritten), job

    def _write(self, parts: list[Part], job: _Job | None) -> None:
        for number, records in parts:
            self._store.write(part_name(number), part_pieces(self._about, records))
            del self._unwritten[:1]
        if job is None:
            return
        plain = settled(job.taken)
        name = checkpoint_name(plain.version)
        self._store.write(name, checkpoint_pieces(self._about, plain, job.parts, job.records))
        self._there = [one for one in self._there if one != name] + [name]
        while len(self._there) > self._keep:
            self._store.remove(self._there[0])
            del self._there[0]


def clear(store: Store, newest: str = "") -> None:
    """Remove checkpoints after the newest one that counts; none does: everything that is kept of a run.

    Raises:
        RunError: something stays.
    """
    with writing(Path("checkpoints")):
        for name in store.names():
            if (name.endswith(SUFFIX) and name > newest) or (name.endswith(PART) and not newest):
                store.remove(name)
        store.close()
