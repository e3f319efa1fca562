"""A sink that writes a run to MLflow: parameters, metrics over versions, the data set, the files.

Metrics carry virtual time as their timestamps, so "relative time" in the UI is time on the devices;
steps are model versions. The names are the summary's, with what MLflow refuses replaced:
``ndcg@10`` is ``quality/ndcg_10``. What is known at the end alone has names of its own, so that it stands
below the curves on the page of metrics, which goes by the alphabet.
"""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mlflow import entities
from mlflow.entities import DatasetInput, InputTag, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.errors import RunError
from fedras_ray.records import EvaluationRecord, Record, VersionRecord, error_name
from workloads.sinks import Ending, Summary
from workloads.summary import reduction
from workloads.table import markdown
from workloads.tracking.flat import flatten
from workloads.tracking.known import exists, known_run, remember
from workloads.tracking.sending import BATCH, PATIENCE_S, PENDING, Message, Point, Sender
from workloads.tracking.store import experiment_id, told, tracking_uri

SOON_S = 5.0  # between batches, so that who looks on sees something
HURRIED_S = 5.0  # what a run that failed or was stopped waits for MLflow
NANOS_PER_MS = 1_000_000
PARAM_LIMIT = 500  # characters
DATASET_DIGEST = 36  # characters MLflow allows


class MlflowSink:
    """One MLflow run for one run of ours.

    The store is opened in the background, while Ray starts: SQLite's first migration takes seconds. A
    store that cannot be opened is an error at the first record; one that stops answering later makes nobody
    wait (`sending`), and is an error at the end, when the run itself is safe.
    """

    def __init__(
        self,
        experiment: Experiment,
        dataset: Dataset,
        directory: Path,
        parent: str | None = None,
        resume: bool = False,
    ) -> None:
        """Begin a run, or go on with that of `directory`.

        `parent` is the MLflow run of the comparison that this one belongs to.
        """
        self.uri = tracking_uri()
        self._directory, self._tracking = directory, experiment.tracking
        self._told: dict[type[Record], int] = {}  # the newest version of each kind
        self._metrics: list[Point] = []
        self._flushed_s = time.monotonic()
        if resume:
            (directory / PENDING).unlink(missing_ok=True)  # it will all be told again
        thread = ThreadPoolExecutor(1, "mlflow")
        self._opening = thread.submit(
            begun_or_found, self.uri, experiment, dataset, directory if resume else None, parent
        )
        thread.shutdown(wait=False)  # it ends by itself

    def take(self, record: Record) -> None:
        """See `Sink.take`; written in batches. What was told before, as a run goes on, is not told twice."""
        run = self._opening.result()
        if not self._told:
            remember(self._directory, self.uri, run.run_id)
            self._told = {VersionRecord: run.newest_version, EvaluationRecord: run.newest_evaluation}
        if (
            not isinstance(record, VersionRecord | EvaluationRecord)
            or record.version < self._told[type(record)]
        ):
            return
        self._told[type(record)] = record.version + 1
        if isinstance(record, VersionRecord):
            self._add(record.at_ns, record.version, version_metrics(record))
        else:
            self._add(record.at_ns, record.version, quality_metrics(record))
        if len(self._metrics) >= BATCH or time.monotonic() - self._flushed_s > SOON_S:
            self._flush()

    def finish(self, summary: Summary, artifacts: Sequence[Path]) -> None:
        """The run did all it was asked: its summary as tags and metrics, and its files."""
        final = {f"wall/{name}": float(value) for name, value in summary["wall"].items()}
        final |= {f"whole_bytes/{name}": float(value) for name, value in summary["bytes"].items()}
        self._add(int(summary["virtual_seconds"] * 1e9), summary["versions"], final)
        self._flush()
        tags = {"trace_digest": summary["trace_digest"], "mlflow.note.content": markdown(summary)}
        self._sender.put(Message(tags=tags, artifacts=[str(path.resolve()) for path in artifacts]))
        if self._tracking.keeps_model:
            model = str(self._directory.resolve())
            self._sender.put(Message(model=model, register=self._tracking.register_as))

    def close(self, ending: Ending) -> None:
        """End the MLflow run as ours ended; where ours failed, its own error is the one to tell.

        Raises:
            RunError: ours did not fail, but MLflow did.
        """
        is_finished = ending is Ending.FINISHED
        try:
            self._flush()
            self._sender.put(Message(ending=ending.value, ended_ms=int(time.time() * 1000)))
            self._sender.close(self._directory / PENDING, PATIENCE_S if is_finished else HURRIED_S)
        except RunError:
            if is_finished:
                raise

    def _add(self, at_ns: int, version: int, values: Mapping[str, float]) -> None:
        at_ms = self._opening.result().began_ms + at_ns // NANOS_PER_MS
        self._metrics += [(name, value, at_ms, version) for name, value in values.items()]

    def _flush(self) -> None:
        """Have what waits sent."""
        waiting, self._metrics, self._flushed_s = self._metrics, [], time.monotonic()
        self._sender.put(Message(points=waiting))

    @functools.cached_property
    def _sender(self) -> Sender:
        run = self._opening.result()
        return Sender(self.uri, run.client, run.run_id)


@dataclass(frozen=True, slots=True)
class OpenRun:
    """An MLflow run that takes metrics."""

    client: MlflowClient
    run_id: str
    began_ms: int
    newest_version: int = 0  # that it was told about, perhaps not completely
    newest_evaluation: int = 0


def begun_or_found(
    uri: str, experiment: Experiment, dataset: Dataset, directory: Path | None, parent: str | None
) -> OpenRun:
    """The MLflow run of a directory, where it has one that is still there; else a new one.

    Raises:
        RunError: the store cannot be reached.
    """
    known = None if directory is None else known_run(directory, uri)
    if known is not None:
        with told(uri):
            client = MlflowClient(tracking_uri=uri)
            if exists(client, known):
                return found(client, known)
    return opened(uri, int(time.time() * 1000), experiment, dataset, parent)


def found(client: MlflowClient, run_id: str) -> OpenRun:
    """A run of before, that takes metrics again from the newest it has."""
    run = client.get_run(run_id)
    client.update_run(run_id, status="RUNNING")
    names = "clock/virtual_seconds", "quality/at_total_megabytes"
    newest = [max((one.step for one in client.get_metric_history(run_id, name)), default=0) for name in names]
    return OpenRun(client, run_id, run.info.start_time, *newest)


def opened(uri: str, began_ms: int, experiment: Experiment, dataset: Dataset, parent: str | None) -> OpenRun:
    """Begin an MLflow run: parameters, tags and the data set.

    Raises:
        RunError: the store cannot be reached.
    """
    with told(uri):
        client = MlflowClient(tracking_uri=uri)
        place = experiment_id(client, uri, experiment.tracking.experiment)
        name = f"{experiment.name} s{experiment.seed}"
        run = client.create_run(place, start_time=began_ms, run_name=name)
        run_id = str(run.info.run_id)
        client.log_batch(run_id, params=parameters(experiment), tags=tags(experiment, parent))
        log_dataset(client, run_id, dataset_input(dataset))
    return OpenRun(client, run_id, began_ms)


def log_dataset(client: MlflowClient, run_id: str, given: DatasetInput) -> None:
    """Name the data set as an input, also where another run is adding the same one to the store just now."""
    try:
        client.log_inputs(run_id, [given])
    except MlflowException:  # both found it missing and the other was first: now it is there
        client.log_inputs(run_id, [given])


def dataset_input(dataset: Dataset) -> DatasetInput:
    """The data set as MLflow shows it: where it is from, how large it is."""
    sizes = {"users": dataset.user_count, "items": dataset.item_count}
    entity = entities.Dataset(
        name=dataset.name,
        digest=dataset.digest()[:DATASET_DIGEST],
        source_type="code",
        source=json.dumps({"tags": {"source": dataset.source}}),
        profile=json.dumps({**sizes, "train": len(dataset.train), "test": len(dataset.test)}),
    )
    return DatasetInput(entity, [InputTag("mlflow.data.context", "training")])


def parameters(experiment: Experiment) -> list[Param]:
    """The experiment's tree as flat, searchable parameters: ``codec.kind``, ``training.epochs``, …."""
    flat = flatten(experiment.model_dump(mode="json", exclude_none=True))
    return [Param(name, str(value)[:PARAM_LIMIT]) for name, value in flat.items()]


def tags(experiment: Experiment, parent: str | None = None) -> list[RunTag]:
    """What runs are told apart by, and the comparison and the job they belong to."""
    found = {"digest": experiment.digest(), "method": experiment.codec.kind, "seed": str(experiment.seed)}
    found |= {"mlflow.source.name": f"fedras run {experiment.name}", "mlflow.source.type": "LOCAL"}
    found |= {"mlflow.parentRunId": parent} if parent else {}
    job = json.loads(os.environ.get("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")).get("metadata", {})
    if "job_submission_id" in job:
        found |= {"ray_job": str(job["job_submission_id"]), "mlflow.source.type": "JOB"}
    return [RunTag(name, value) for name, value in found.items()]


def version_metrics(record: VersionRecord) -> dict[str, float]:
    """What is known whenever a version is made."""
    dense = record.dense_up_bytes + record.dense_down_bytes
    return {
        "bytes/up_megabytes": record.up_bytes / 1e6,
        "bytes/down_megabytes": record.down_bytes / 1e6,
        "bytes/total_megabytes": (record.up_bytes + record.down_bytes) / 1e6,
        "bytes/saved_up": reduction(record.up_bytes, record.dense_up_bytes),
        "bytes/saved_total": reduction(record.up_bytes + record.down_bytes, dense),
        "clock/virtual_seconds": record.at_ns / 1e9,
        "clock/staleness": record.mean_staleness,
        "train/loss": record.train_loss,
        "train/client_updates": float(record.client_updates),
    }


def quality_metrics(record: EvaluationRecord) -> dict[str, float]:
    """The evaluation's metrics under names that MLflow takes, and the bytes they cost, as an x-axis."""
    named = {f"quality/{name.replace('@', '_')}": value for name, value in record.quality}
    named |= {f"quality/{error_name(name)}": error for name, error in record.errors}
    return named | {"quality/at_total_megabytes": (record.up_bytes + record.down_bytes) / 1e6}
