"""Where MLflow keeps what it is told: where the user says, else a SQLite file beside the runs."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from fedras_ray.errors import RunError
from workloads.run_directory import home
from workloads.tracking.secrets import hidden, without_secrets
from workloads.tracking.view import view_tag

REASON_LIMIT = 200  # characters
EXPERIMENT_TAGS = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.note.content": "Federated recommenders: steps are model versions, time is virtual.",
} | view_tag()


def tracking_uri() -> str:
    """``MLFLOW_TRACKING_URI``, or ``mlflow.db`` where runs are: what `mlflow ui` opens by itself there.

    Raises:
        RunError: it is a local file whose folder cannot be written.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home() / 'mlflow.db'}"
    folder = local_folder(uri)
    if folder is not None:
        with told(uri):
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(f"{folder} is not writable")
    return uri


def local_folder(uri: str) -> Path | None:
    """The folder of a SQLite file; None for any other store."""
    parts = urlsplit(uri)
    return Path(parts.path[1:]).resolve().parent if parts.scheme == "sqlite" else None


def ui_command(uri: str) -> str:
    """How to look at it; a password is for the reader to put in."""
    uri = without_secrets(uri)
    return f"mlflow ui --backend-store-uri {shlex.quote(uri)}" if uri.startswith("sqlite:") else f"open {uri}"


@contextmanager
def told(uri: str) -> Iterator[None]:
    """Whatever a store says in the block as a `RunError`: each raises what its own driver raises."""
    try:
        yield
    except RunError:
        raise
    except Exception as error:
        said = hidden(str(error), uri)
        reason = textwrap.shorten(said, REASON_LIMIT, placeholder=" …") or type(error).__name__
        raise RunError(
            f"MLflow at {without_secrets(uri)}: {reason}; set MLFLOW_TRACKING_URI to another store, "
            "or run with --no-mlflow"
        ) from error


def experiment_id(client: MlflowClient, uri: str, name: str) -> str:
    """The experiment of that name, made when it is not there; artifacts of a SQLite file lie beside it."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        for tag, value in view_tag().items():  # an experiment from before there was one
            if tag not in found.tags:
                client.set_experiment_tag(found.experiment_id, tag, value)
        return str(found.experiment_id)
    folder = local_folder(uri)
    artifacts = None if folder is None else (folder / "mlartifacts").as_uri()
    try:
        return str(client.create_experiment(name, artifact_location=artifacts, tags=EXPERIMENT_TAGS))
    except MlflowException:
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return str(found.experiment_id)  # another run made it in the meantime
