"""The trained recommender as an MLflow model: `served.py`, two files of arrays, a signature and an example.

The run's own client logs it, as the fluent way (`mlflow.pyfunc.log_model`) would need an active run in this
process, of which there may be several.
"""

from __future__ import annotations

import importlib.metadata
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow import pyfunc
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

from workloads.model_files import MODEL, SEEN

NAME = "recommender"
CODE = Path(__file__).with_name("served.py")
NEEDS = ("mlflow", "numpy", "pandas")
EXAMPLE = pd.DataFrame({"user": np.array([0, 1], np.int64)})
SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec("long", "user")]),
    outputs=Schema(
        [*(ColSpec("long", name) for name in ("user", "rank", "item")), ColSpec("double", "score")]
    ),
    params=ParamSchema([ParamSpec("k", "long", 10)]),
)


def log_model(client: MlflowClient, run_id: str, directory: Path, register: str | None) -> str:
    """Log the model whose files are in a run's directory; returns its id.

    Args:
        client: of the store.
        run_id: the MLflow run that it comes from.
        directory: of our run.
        register: a name in the registry, which has one version more then.
    """
    place = str(client.get_run(run_id).info.experiment_id)
    model: Any = client.create_logged_model(place, NAME, run_id, model_type="recommender")
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder) / NAME, directory)
        client.log_model_artifacts(model.model_id, str(Path(folder) / NAME))
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    if register is not None:
        _register(client, register, model, run_id)
    return str(model.model_id)


def save(target: Path, directory: Path) -> None:
    """The folder that MLflow loads and serves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's, about types of its own, when this part of it is loaded
        pyfunc.save_model(
            target,
            python_model=str(CODE),
            artifacts={"model": str(directory / MODEL), "seen": str(directory / SEEN)},
            signature=SIGNATURE,
            input_example=(EXAMPLE, {"k": 10}),
            pip_requirements=[f"{name}=={importlib.metadata.version(name)}" for name in NEEDS],
        )


def _register(client: MlflowClient, name: str, model: Any, run_id: str) -> None:
    try:
        client.create_registered_model(name)
    except MlflowException:  # it is there already, or another run has just made it
        client.get_registered_model(name)
    client.create_model_version(name, f"models:/{model.model_id}", run_id, model_id=model.model_id)
