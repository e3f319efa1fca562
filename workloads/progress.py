"""What a person sees while a run goes on: a live line on a terminal, a plain one now and then elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from fedras_ray.clock import seconds
from fedras_ray.config import Experiment
from fedras_ray.records import EvaluationRecord, Record, VersionRecord
from workloads.pace import Pace
from workloads.sinks import Ending
from workloads.speech import say
from workloads.summary import reduction
from workloads.units import share, span

QUIET_S = 5.0  # between two plain lines


class ProgressDisplay:
    """A sink that tells how far the run is, how good, for how many bytes and how fast."""

    def __init__(self, experiment: Experiment, console: Console, pace: Pace) -> None:
        """`pace` takes every record before this does."""
        self._versions = experiment.schedule.versions
        self._pace = pace
        self._said_s = time.monotonic()
        self._quality = "…"
        self._live: Progress | None = None
        if console.is_terminal:
            self._live = Progress(
                TextColumn("[bold]{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[note]}"),
                TimeRemainingColumn(),
                console=console,
            )
            self._task = self._live.add_task(experiment.name, total=self._versions, note="starting")
            self._live.start()

    def take(self, record: Record) -> None:
        """See `Sink.take`."""
        if isinstance(record, EvaluationRecord):
            metrics, errors = dict(record.quality), dict(record.errors)
            if "ndcg@10" in metrics:
                self._quality = f"NDCG@10 {metrics['ndcg@10']:.4f}"
            if "ndcg@10" in errors:
                self._quality += f" ± {errors['ndcg@10']:.4f}"
        elif isinstance(record, VersionRecord):
            self._show(record)

    def close(self, ending: Ending) -> None:
        """Leave the terminal as it was."""
        if self._live:
            self._live.stop()

    def _show(self, record: VersionRecord) -> None:
        now_s = time.monotonic()
        if self._live:
            self._live.update(self._task, completed=record.version, note=self._note(record))
        elif now_s - self._said_s >= QUIET_S:
            self._said_s = now_s
            say(f"version {record.version}/{self._versions}  {self._note(record)}")

    def _note(self, record: VersionRecord) -> str:
        sent = record.up_bytes + record.down_bytes
        saved = reduction(sent, record.dense_up_bytes + record.dense_down_bytes)
        rate = f"  {self._pace.updates_per_second:,.0f} updates/s" if self._pace.running else ""
        virtual = span(seconds(record.at_ns))
        return f"{self._quality}  {share(saved)} of bytes saved  {virtual} virtual{rate}"
