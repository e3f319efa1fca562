"""The course of a run: from its beginning or a checkpoint to its end, in as many sessions as it takes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fedras_ray.checkpoints import Plain, Taken
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.errors import ExecutorError
from fedras_ray.records import EndRecord, EvaluationRecord
from fedras_ray.stretches import Stretch
from fedras_ray.trained import Told, Trained
from workloads.checkpoints.files import Found, about, newest
from workloads.checkpoints.keeper import CheckpointKeeper
from workloads.checkpoints.store import Store
from workloads.model_files import write_model
from workloads.record_writer import RecordWriter
from workloads.sinks import Sink, listening
from workloads.speech import say
from workloads.stopping import Wish

LAST_LIMIT_S = 20.0  # for a last checkpoint when we are told to stop


class Session(Protocol):
    """Somewhere that a simulation runs."""

    def stretches(self) -> Iterator[Told]:
        """Its records, some at a time, and checkpoints of after all records before them."""
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
        self, session: Callable[[Plain | None], Session], found: Found | None, restarts: int
    ) -> tuple[EvaluationRecord, EndRecord]:
        """To the end; returns the last evaluation and the end.

        Args:
            session: makes one that begins, or goes on from a checkpoint.
            found: where to begin.
            restarts: how often to go on by ourselves after the machines that compute were lost.

        Raises:
            Stopped: somebody wished it; the run can be gone on with.
            FedrasError: what the run could not overcome.
        """
        while True:
            try:
                return self._through(session(found.plain if found else None), found)
            except ExecutorError as error:
                if not restarts:
                    raise
                restarts -= 1
                say(f"{error}; {restarts} more restarts are allowed")
                found = self.found()

    def _through(self, session: Session, found: Found | None) -> tuple[EvaluationRecord, EndRecord]:
        keep, told = self.experiment.checkpoint.keep, about(self.experiment, self.dataset)
        with (
            listening(RecordWriter(self.directory)) as writer,
            listening(CheckpointKeeper(self.store, told, keep, found)) as keeper,
        ):
            heard = Heard(writer, self.sinks)
            for stretch in [*found.parted, *found.tail] if found else []:
                heard.hear(stretch)
            with self.wish.answered(session.stop, LAST_LIMIT_S), closing(_all(session.stretches())) as stream:
                for said in stream:  # closing lets the cluster go before the sinks close
                    if isinstance(said, Taken):
                        keeper.take(said)
                    elif isinstance(said, Trained):
                        write_model(self.directory, said, self.dataset)
                    else:
                        heard.hear(said)
                        keeper.said(said)
                if self.wish.number is not None:
                    keeper.wait(LAST_LIMIT_S)
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
