"""A comparison in MLflow: a parent run with the table, whose children are the runs.

Which MLflow run it is lies beside the results, in ``mlflow.json``: a comparison that goes on, goes on
there. Runs that are kept from before then have their parent already.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from fedras_ray.errors import RunError
from workloads.comparing.classes import lowest
from workloads.comparing.plan import Plan
from workloads.comparing.results import Results
from workloads.comparing.table import markdown
from workloads.comparing.target import Target
from workloads.sinks import Ending
from workloads.tracking.known import exists, known_run, remember
from workloads.tracking.store import experiment_id, told, tracking_uri

TARGET = ("seconds", "bytes", "times_faster", "times_fewer_bytes")


@dataclass(frozen=True, slots=True)
class ParentRun:
    """The MLflow run of a comparison."""

    uri: str
    run_id: str

    def finish(self, results: Results, files: Sequence[Path]) -> None:
        """The table as a note, as metrics and as files.

        Raises:
            RunError: the store does not take them; the directory has everything.
        """
        with told(self.uri):
            client = MlflowClient(tracking_uri=self.uri)
            now_ms = int(time.time() * 1000)
            points = [Metric(name, value, now_ms, 0) for name, value in metrics(results).items()]
            client.log_batch(self.run_id, metrics=points)
            client.set_tag(self.run_id, "mlflow.note.content", markdown(results))
            for path in files:
                client.log_artifact(self.run_id, str(path))


@contextmanager
def parent_run(plan: Plan, directory: Path) -> Iterator[ParentRun]:
    """The parent for the time of a block, ended as the block ends.

    Raises:
        RunError: the store cannot be reached.
    """
    parent = _begun(plan, directory)
    ending = Ending.FAILED
    try:
        yield parent
        ending = Ending.FINISHED
    except KeyboardInterrupt:
        ending = Ending.KILLED
        raise
    finally:
        try:
            with told(parent.uri):
                MlflowClient(tracking_uri=parent.uri).set_terminated(parent.run_id, status=ending.value)
        except RunError:
            if ending is Ending.FINISHED:  # else the error to tell is the block's own
                raise


def metrics(results: Results) -> dict[str, float]:
    """``NAME.METHOD``, with what MLflow refuses replaced: ``ndcg_10.dense``, ``reduction_total.dense``."""
    found: dict[str, float] = {}
    for one in results.methods:
        values = {name.replace("@", "_"): score.mean for name, score in one.scores.items()}
        values |= {
            name if name.startswith("red") else f"bytes_{name}": value for name, value in one.bytes.items()
        }
        values["virtual_seconds"] = one.virtual_seconds
        if one.difference:
            tested = one.difference
            values |= {
                "difference": tested.estimate,
                "difference_low": tested.low,
                "difference_high": tested.high,
            }
        values |= _to_target(one.to_target)
        worst = lowest(one.classes)
        if worst and worst.of_reference is not None:
            values["lowest_class_of_reference"] = worst.of_reference
        found |= {f"{name}.{one.name}": value for name, value in values.items()}
    return found


def _to_target(way: Target) -> dict[str, float]:
    """What has no number, as a seed never got there, is absent."""
    values = {"target_reached": float(way.reached)}
    values |= {f"target_{name}": found.mean for name in TARGET if (found := getattr(way, name)) is not None}
    return values


def _begun(plan: Plan, directory: Path) -> ParentRun:
    uri = tracking_uri()
    with told(uri):
        client = MlflowClient(tracking_uri=uri)
        run_id = known_run(directory, uri)
        if run_id is None or not exists(client, run_id):
            experiment = plan.methods[plan.reference].tracking.experiment
            place = experiment_id(client, uri, experiment)
            run_id = str(client.create_run(place, run_name=plan.name).info.run_id)
        else:
            client.update_run(run_id, status="RUNNING")
        tags = {
            "reference": plan.reference,
            "methods": ", ".join(plan.methods),
            "seeds": ", ".join(map(str, plan.seeds)),
            "mlflow.source.name": f"fedras compare {plan.name}",
            "mlflow.source.type": "LOCAL",
        }
        for name, value in tags.items():
            client.set_tag(run_id, name, value)
    remember(directory, uri, run_id)
    return ParentRun(uri, run_id)
