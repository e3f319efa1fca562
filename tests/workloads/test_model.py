"""The trained model in MLflow: loaded and served elsewhere, it ranks as the run did."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from mlflow.tracking import MlflowClient

from fedras_ray.config import read
from fedras_ray.data import load
from fedras_ray.evaluation.metrics import ndcg, recall
from tests.workloads.command import environment, fedras, settings
from tests.workloads.ports import await_listener, free_ports
from tests.workloads.test_job import end

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own, while reading
NAME = "tiny recommender"
LOAD = """
import json, sys, mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
found = model.predict(pandas.DataFrame({"user": range(int(sys.argv[2]))}), params={"k": 20})
assert not any(name.startswith("fedras") for name in sys.modules)
print(json.dumps(found.to_dict("list")))
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run whose model is registered: its folder, its directory and its tracking store."""
    folder = tmp_path_factory.mktemp("model")
    asked = settings(
        schedule__versions=6, tracking__register_as=NAME, downlink__kind="lanes", downlink__count=2
    )
    said = fedras("run", *asked, "--serial", "--out", "run", cwd=folder)
    assert said.status == 0, said.err
    return folder, folder / "run", f"sqlite:///{folder}/mlflow.db"


@pytest.fixture(scope="module")
def loaded(kept):
    """The best 20 of every user, from a fresh process that has MLflow alone."""
    folder, _, uri = kept
    done = subprocess.run(
        [sys.executable, "-c", LOAD, f"models:/{NAME}/1", "120"],
        cwd=folder, env=environment(MLFLOW_TRACKING_URI=uri, PYTHONPATH=""), capture_output=True, text=True,
        timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def lists(found):
    """(120, 20) items by user and rank."""
    return np.array(found["item"]).reshape(120, 20)


def test_it_ranks_as_the_run_did(kept, loaded):
    _, directory, _ = kept
    experiment = read(directory / "config.toml")
    dataset = load(experiment.data, experiment.seed)
    measured = pq.read_table(directory / "users.parquet")
    users = measured["user"].to_numpy()
    ranked = lists(loaded)
    for user in users:
        assert not set(ranked[user].tolist()) & set(dataset.train.of(user).tolist())
    hits = np.array([np.isin(ranked[user], dataset.test.of(user)) for user in users])
    relevant = np.array([len(dataset.test.of(user)) for user in users])
    assert hits.any()
    for cut in (10, 20):
        for metric, of in ((f"recall@{cut}", recall), (f"ndcg@{cut}", ndcg)):
            found = of(hits, relevant, cut).astype(np.float32)
            assert np.array_equal(found, measured[metric].to_numpy()), metric


def test_scores_fall_and_ranks_rise(loaded):
    scores, ranks = np.array(loaded["score"]).reshape(120, 20), np.array(loaded["rank"]).reshape(120, 20)
    assert (np.diff(scores, axis=1) <= 0).all()
    assert (ranks == np.arange(1, 21)).all()
    assert loaded["user"] == np.repeat(np.arange(120), 20).tolist()


def test_it_belongs_to_its_run_and_to_the_registry(kept):
    _, directory, uri = kept
    client = MlflowClient(tracking_uri=uri)
    version = client.get_model_version(NAME, "1")
    assert version.run_id == json.loads((directory / "mlflow.json").read_text())["run_id"]
    (output,) = client.get_run(version.run_id).outputs.model_outputs
    assert version.source == f"models:/{output.model_id}"
    model = client.get_logged_model(output.model_id)
    assert (model.name, model.status.name) == ("recommender", "READY")


def test_there_is_no_pickle_in_it(kept):
    folder, _, _ = kept
    names = {path.name for path in (folder / "mlartifacts").rglob("*") if "artifacts" in path.parts}
    assert {"model.npz", "seen.npz", "served.py"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]


@contextmanager
def serving(folder, uri):
    (port,) = free_ports(1)
    command = [
        sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", f"models:/{NAME}/1",
        "--host", "127.0.0.1", "--port", str(port), "--env-manager", "local",
    ]  # fmt: skip
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    env = environment(MLFLOW_TRACKING_URI=uri, PYTHONPATH="")
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"  # MLflow looks for uvicorn there
    process = subprocess.Popen(command, cwd=folder, env=env, **quiet)
    try:
        await_listener(port, process)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        end(process)


def asked(address, user, **params):
    tree = {"dataframe_records": [{"user": user}], "params": params}
    request = urllib.request.Request(
        address, json.dumps(tree).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)["predictions"]


def test_served_it_gives_the_same_ten_items(kept, loaded):
    folder, _, uri = kept
    with serving(folder, uri) as address:
        for user in (3, 77):
            assert [row["item"] for row in asked(address, user)] == lists(loaded)[user, :10].tolist()
        assert len(asked(address, 3, k=2)) == 2
        with pytest.raises(urllib.error.HTTPError) as refused:
            asked(address, 120)
        assert refused.value.code == 400
        assert "user 120 is not one of the 120 that were trained" in refused.value.read().decode()


def test_without_being_asked_a_run_keeps_no_model(finished):
    assert not list(finished.directory.glob("*.npz"))
    client = MlflowClient(tracking_uri=f"sqlite:///{finished.folder}/mlflow.db")
    experiment = client.get_experiment_by_name("fedras")
    assert not client.search_logged_models([experiment.experiment_id])


def test_a_model_is_where_another_run_may_start(tmp_path):
    said = fedras("run", *settings(), "--serial", "--no-mlflow", "--model", "--out", "a", cwd=tmp_path)
    assert said.status == 0, said.err
    start = ["--set", "model.start=a/model.npz", "--out", "b", "--json"]
    then = fedras("run", *settings(), "--serial", "--no-mlflow", *start, cwd=tmp_path)
    assert then.status == 0, then.err
    rows = pq.read_table(tmp_path / "b" / "records.parquet").to_pylist()
    first = next(row for row in rows if row["kind"] == "evaluation")
    end_of_a = json.loads((tmp_path / "a" / "summary.json").read_text())["quality"]
    assert first["ndcg@20"] == end_of_a["ndcg@20"]
