"""The course of a run: from its beginning or a checkpoint to its end, in as many sessions as it takes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from actors.keeping import LAST_LIMIT_S
from fedras_ray.checkpoints import Keeping, Plain
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.errors import ExecutorError
from fedras_ray.records import EndRecord, EvaluationRecord
from fedras_ray.stretches import Stretch
from fedras_ray.trained import Notice, Told, Trained
from workloads.checkpoints.files import Found, about, newest
from workloads.checkpoints.keeper import InStore
from workloads.checkpoints.store import Store
from workloads.model_files import write_model
from workloads.record_writer import RecordWriter
from workloads.sinks import Sink, listening
from workloads.speech import say
from workloads.stopping import Wish


class Session(Protocol):
    """Somewhere that a simulation runs."""

    def stretches(self) -> Iterator[Told]:
        """Its records, some at a time."""
        ...

    def stop(self) -> None:
        """Have `stretches` end soon, after a last checkpoint."""
        ...


@dataclass(frozen=True, slots=True)
class Course:
    """One run.

    Args:
        experiment: what is run.
        dataset: on what.
        directory: of the run.
        store: of its checkpoints.
        sinks: who listens to what is no turn.
        wish: to stop.
    """

    experiment: Experiment
    dataset: Dataset
    directory: Path
    store: Store
    sinks: list[Sink]
    wish: Wish

    def found(self) -> Found | None:
        """The checkpoint to go on from; it is said which.

        Raises:
            RunError: there is one, of something else.
        """
        found = newest(self.store, about(self.experiment, self.dataset))
        where = (
            f"after version {found.plain.version}" if found else "from the beginning: there is no checkpoint"
        )
        say(f"going on {where}")
        return found

    def run(
        self, session: Callable[[Plain | None, Keeping], Session], found: Found | None, restarts: int
    ) -> tuple[EvaluationRecord, EndRecord]:
        """To the end; returns the last evaluation and the end.

        Args:
            session: makes one that begins, or goes on from a checkpoint, and keeps others.
            found: where to begin.
            restarts: how often to go on by ourselves after the machines that compute were lost.

        Raises:
            Stopped: somebody wished it; the run can be gone on with.
            FedrasError: what the run could not overcome.
        """
        told = about(self.experiment, self.dataset)
        while True:
            try:
                keeping = InStore.of(self.store, told, self.experiment.checkpoint.keep, found)
                start = found.plain if found else None
                return self._through(session(start, keeping), found)
            except ExecutorError as error:
                if not restarts:
                    raise
                restarts -= 1
                say(f"{error}; {restarts} more restarts are allowed")
                found = self.found()

    def _through(self, session: Session, found: Found | None) -> tuple[EvaluationRecord, EndRecord]:
        with listening(RecordWriter(self.directory)) as writer:
            heard = Heard(writer, self.sinks)
            for stretch in [*found.parted, *found.tail] if found else []:
                heard.hear(stretch)
            with self.wish.answered(session.stop, LAST_LIMIT_S), closing(_all(session.stretches())) as stream:
                for said in stream:  # closing lets the cluster go before the sinks close
                    if isinstance(said, Notice):
                        say(said.text)
                    elif isinstance(said, Trained):
                        write_model(self.directory, said, self.dataset)
                    else:
                        heard.hear(said)
        return heard.ended()


class Heard:
    """Hands everything to the writer, and what is no turn to the sinks."""

    def __init__(self, writer: RecordWriter, sinks: list[Sink]) -> None:
        self._writer, self._sinks = writer, sinks
        self._last: EvaluationRecord | None = None
        self._end: EndRecord | None = None

    def hear(self, stretch: Stretch) -> None:
        """Some more records."""
        self._writer.write(stretch)
        for _, record in stretch.others:
            for sink in self._sinks:
                sink.take(record)
            if isinstance(record, EvaluationRecord):
                self._last = record
            elif isinstance(record, EndRecord):
                self._end = record

    def ended(self) -> tuple[EvaluationRecord, EndRecord]:
        """The last evaluation and the end.

        Raises:
            ExecutorError: there was no end.
        """
        if self._last is None or self._end is None:
            raise ExecutorError("the simulation stopped before its end")
        return self._last, self._end


def _all(told: Iterable[Told]) -> Generator[Told, None, None]:
    yield from told
