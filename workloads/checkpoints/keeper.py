"""Writes checkpoints while the run goes on, in a thread of its own: at most one is being written, one waits.

That is where the simulation is, so nothing travels to be kept. A newer one takes the place of the one that
waits. Records are kept with them: those that no part holds yet are in the checkpoint itself, and become a
part when there are many.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
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

PART_RECORDS = 1_000
CLOSE_LIMIT_S = 300.0  # for what is being written when the run ends: a bucket may be far away
Part = tuple[int, list[Said]]


class _Job(NamedTuple):
    taken: Taken
    parts: int  # before its own records
    records: list[Said]


@dataclass(frozen=True, slots=True)
class InStore:
    """Keeping the checkpoints of a run in a store, see `fedras_ray.checkpoints.Keeping`."""

    store: Store
    about: dict[str, Any]  # the run (`files.about`)
    keep: int  # how many stay
    newest: str = ""  # that the run goes on from; none: what is in the store is not its own
    parts: int = 0  # of records before it
    tail: Sequence[Stretch] = ()  # records after these

    @classmethod
    def of(cls, store: Store, about: dict[str, Any], keep: int, found: Found | None) -> InStore:
        """Of a run that goes on from what was found, or begins."""
        if found is None:
            return cls(store, about, keep)
        return cls(store, about, keep, checkpoint_name(found.plain.version), found.parts, found.tail)

    def begin(self) -> CheckpointKeeper:
        """See `Keeping.begin`."""
        return CheckpointKeeper(self)


class CheckpointKeeper:
    """See the module, and `fedras_ray.checkpoints.Keeper`."""

    def __init__(self, asked: InStore) -> None:
        self._store, self._about, self._keep = asked.store, asked.about, asked.keep
        self._parts = asked.parts
        self._since = [Said(one) for one in asked.tail]  # records that no part holds
        self._troubles: list[str] = []
        self._broke = ""  # how the thread ended before its time
        self._unwritten: list[Part] = []
        self._waiting: _Job | None = None
        self._writing = False
        self._closed = self._failed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._watched, name="checkpoints", daemon=True)
        clear(asked.store, asked.newest)
        self._there = checkpoints(asked.store)
        self._thread.start()

    def said(self, stretch: Stretch) -> None:
        """See `Keeper.said`."""
        stretch.table()  # made now, and not by the thread that writes
        self._since.append(Said(stretch))
        if sum(map(len, self._since)) >= PART_RECORDS:
            with self._changed:
                self._unwritten.append((self._parts, self._since))
                self._changed.notify_all()
            self._parts, self._since = self._parts + 1, []

    def take(self, taken: Taken) -> None:
        """See `Keeper.take`."""
        if self._broke:
            raise RunError(self._broke)
        with self._changed:
            self._waiting = _Job(taken, self._parts, list(self._since))
            self._changed.notify_all()

    def wait(self, limit_s: float) -> bool:
        """See `Keeper.wait`."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._writing or self._waiting), limit_s)

    def troubles(self) -> list[str]:
        """See `Keeper.troubles`."""
        with self._changed:
            found, self._troubles = self._troubles, []
        return found

    def close(self, is_over: bool) -> None:
        """See `Keeper.close`."""
        with self._changed:
            self._closed = True
            if is_over:
                self._waiting, self._unwritten = None, []
            self._changed.notify_all()
        self._thread.join(CLOSE_LIMIT_S)
        if self._thread.is_alive():
            self._trouble(f"what was being kept is given up: it was not written within {CLOSE_LIMIT_S:g} s")
        else:
            self._store.close()

    def _watched(self) -> None:
        try:
            self._work()
        except BaseException as error:  # nobody else would see a fault of ours in a thread
            what = f"{type(error).__name__}: {error}"
            self._broke = f"checkpoints are no longer written: their thread ended with {what}"
            self._trouble(self._broke)  # there may be no next one
            raise

    def _trouble(self, text: str) -> None:
        with self._changed:
            self._troubles.append(text)

    def _work(self) -> None:
        while (due := self._next()) is not None:
            parts, job = due
            try:
                self._write(parts, job)
            except (OSError, pa.ArrowException, FedrasError) as error:
                what = "records" if job is None else f"the checkpoint of version {job.taken.version}"
                self._trouble(f"{what} cannot be kept: {error}; the run goes on")
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
