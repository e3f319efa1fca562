"""Which MLflow run belongs to a directory: ``mlflow.json``."""

from __future__ import annotations

import json
from pathlib import Path

from mlflow.tracking import MlflowClient

from workloads.run_directory import write_text, writing
from workloads.tracking.secrets import without_secrets

FILE = "mlflow.json"


def remember(directory: Path, uri: str, run_id: str) -> None:
    """That this is the run of a directory.

    Raises:
        RunError: it cannot be written.
    """
    path = directory / FILE
    with writing(path):
        write_text(path, json.dumps({"uri": without_secrets(uri), "run_id": run_id}) + "\n")


def known_run(directory: Path, uri: str) -> str | None:
    """The id of the run of a directory; None: it has none in this store."""
    try:
        found = json.loads((directory / FILE).read_text(encoding="utf-8"))
        return str(found["run_id"]) if found["uri"] == without_secrets(uri) else None
    except (OSError, ValueError, LookupError, TypeError):  # not there, or not ours: a new one is no loss
        return None


def exists(client: MlflowClient, run_id: str) -> bool:
    """Whether a store still has a run."""
    here = client.search_experiments()
    return bool(client.search_runs([one.experiment_id for one in here], f"attributes.run_id = '{run_id}'"))
