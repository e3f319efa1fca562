"""One run, from an experiment to its directory: data, execution, sinks, summary, report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from actors.keeping import Cadence, stretches
from actors.process import peak_rss_bytes, settle, tidy
from dashboards.report import write as write_report
from fedras_ray.checkpoints import Keeping, Plain, put_back
from fedras_ray.codecs.build import build_codec
from fedras_ray.config import Experiment
from fedras_ray.data import load
from fedras_ray.data.interactions import Dataset
from fedras_ray.errors import ConfigError
from fedras_ray.evaluation.popularity import popularity_quality
from fedras_ray.executor import SerialExecutor
from fedras_ray.kernels import kept
from fedras_ray.population import population_of
from fedras_ray.server.choosing import load_policy
from fedras_ray.simulation import Simulation
from fedras_ray.trained import Told
from workloads import run_directory
from workloads.checkpoints.keeper import clear
from workloads.checkpoints.store import open_store
from workloads.course import Course
from workloads.device_classes import device_classes
from workloads.elsewhere import mirrored
from workloads.pace import Pace
from workloads.progress import ProgressDisplay
from workloads.run_directory import CONFIG
from workloads.sinks import Sink, Summary, listening
from workloads.speech import say
from workloads.stopping import Wish
from workloads.summary import summarize
from workloads.user_quality import UserQualityWriter
from workloads.watching.log import ProgressLog

if TYPE_CHECKING:
    from actors.connecting import Rising
    from actors.session import RaySession
    from workloads.tracking.mlflow_sink import MlflowSink


@dataclass(frozen=True, slots=True)
class Options:
    """How to run, beside what."""

    out: Path | None = None
    address: str | None = None
    serial: bool = False  # in this process, without Ray
    mlflow: bool = True
    parent: str | None = None  # the MLflow run of the comparison it belongs to
    progress: bool = True  # shown while it runs
    resume: bool = False  # go on with what is in `out`
    max_restarts: int = 0  # after the machines that compute were lost
    url: str | None = None  # where the files go as well


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a finished run is."""

    directory: Path
    summary: Summary
    tracking_uri: str | None


class SerialSession:
    """One run in this process, without Ray."""

    pools = 0

    def __init__(
        self,
        experiment: Experiment,
        dataset: Dataset,
        start: Plain | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self._experiment = experiment
        self._dataset = dataset
        self._start, self._keeping = start, keeping
        self._cadence = Cadence(experiment)
        self.peak_rss_bytes = 0  # beyond this process: none

    def stretches(self) -> Iterator[Told]:
        """See `Session.stretches`."""
        tidy()
        executor = SerialExecutor(self._experiment, self._dataset)
        simulation = Simulation(self._experiment, population_of(self._dataset), executor)
        if self._start is not None:
            put_back(self._start, simulation, executor)
        settle()
        return stretches(simulation, executor, self._cadence, self._keeping)

    def stop(self) -> None:
        """See `Session.stop`."""
        self._cadence.stop()


def run(experiment: Experiment, options: Options, console: Console, wish: Wish | None = None) -> Outcome:
    """Run an experiment; everything it leaves behind is in its directory and in MLflow.

    Args:
        experiment: what.
        options: how.
        console: for progress.
        wish: of somebody that it stop.

    Raises:
        FedrasError: it could not do all it was asked; sinks are closed, records so far are kept.
    """
    pace = Pace()
    _find_your_own(experiment)
    _refuse_what_needs_pools(experiment, options)
    directory = run_directory.place(options.out, experiment)
    if kept.is_empty():
        say("machine code is made for this machine, once: the beginning of this run takes a minute longer")
    dataset = load(experiment.data, experiment.seed, say=say)
    tracked = options.mlflow and experiment.tracking.mlflow
    store = open_store(directory, experiment.checkpoint.to)
    run_directory.create(directory, experiment)
    with (
        _rising(options) as where,  # Ray comes up while MLflow is imported
        mirrored(directory, options.url),
        _tracker(experiment, dataset, options, directory) if tracked else nullcontext() as tracker,
    ):
        made: list[SerialSession | RaySession] = []

        def session(start: Plain | None, keeping: Keeping) -> SerialSession | RaySession:
            made[:] = [_session(experiment, dataset, where, start, keeping)]
            return made[0]

        with (
            _progress(experiment, options, console, pace) as progress,
            listening(ProgressLog(directory, experiment)) as log,
        ):
            sinks: list[Sink | None] = [pace, progress, log, UserQualityWriter(directory), tracker]
            heard = [sink for sink in sinks if sink]
            course = Course(experiment, dataset, directory, store, heard, wish or Wish())
            found = course.found() if options.resume else None
            last, end = course.run(session, found, options.max_restarts)
        asked = experiment.evaluation
        popularity = popularity_quality(dataset, asked.sampled_negatives, experiment.seed, asked.users)
        classes = device_classes(directory, dataset.user_count, experiment.privacy)
        summary = summarize(experiment, dataset, last, end, _wall(pace, made[0]), popularity, classes)
        files = _finished(directory, summary)
        clear(store)
        if tracker:
            tracker.finish(summary, files)
    return Outcome(directory, summary, tracker.uri if tracker else None)


def _find_your_own(experiment: Experiment) -> None:
    """Say at once, and not where it is needed first, that a codec or a policy of your own is not there."""
    build_codec(experiment.codec)
    load_policy(experiment.schedule.policy)


def _refuse_what_needs_pools(experiment: Experiment, options: Options) -> None:
    if options.serial and experiment.faults.pool_kills:
        raise ConfigError("faults.pool_kills", "kills pools, and one process has none: leave --serial away")


def _rising(options: Options) -> AbstractContextManager[Rising | None]:
    if options.serial:
        return nullcontext()
    from actors.connecting import Rising  # Ray: a third of a second, for those who want it

    return Rising(options.address)


def _session(
    experiment: Experiment, dataset: Dataset, where: Rising | None, start: Plain | None, keeping: Keeping
) -> SerialSession | RaySession:
    if where is None:
        return SerialSession(experiment, dataset, start, keeping)
    from actors.session import RaySession

    return RaySession(experiment, dataset, where, start, keeping)


def _tracker(
    experiment: Experiment, dataset: Dataset, options: Options, directory: Path
) -> AbstractContextManager[MlflowSink]:
    from workloads.tracking.mlflow_sink import MlflowSink  # MLflow: two seconds, for those who want it

    return listening(MlflowSink(experiment, dataset, directory, options.parent, options.resume))


def _progress(
    experiment: Experiment, options: Options, console: Console, pace: Pace
) -> AbstractContextManager[ProgressDisplay | None]:
    return listening(ProgressDisplay(experiment, console, pace)) if options.progress else nullcontext()


def _wall(pace: Pace, session: SerialSession | RaySession) -> dict[str, float]:
    return {
        "seconds": pace.elapsed_s,
        "startup_seconds": pace.startup_s,
        "updates_per_second": pace.updates_per_second,
        "peak_rss_bytes": peak_rss_bytes() + session.peak_rss_bytes,
        "pools": session.pools,
    }


def _finished(directory: Path, summary: Summary) -> list[Path]:
    """Write what needs the whole run; returns all files of the run."""
    files = [directory / name for name in (CONFIG, "records.parquet", "users.parquet")]
    files.append(run_directory.write_summary(directory, summary))
    return [*files, write_report([directory], directory / "report.html")]
