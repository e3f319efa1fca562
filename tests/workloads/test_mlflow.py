"""What MLflow keeps of a run, read back from its store."""

import json
from unittest.mock import Mock

import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from tests.workloads.command import fedras, settings
from workloads.tracking.mlflow_sink import log_dataset
from workloads.tracking.store import experiment_id
from workloads.tracking.view import view_tag

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's and SQLAlchemy's own, while reading


def only_run(uri):
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("fedras")
    (run,) = client.search_runs([experiment.experiment_id])
    return client, experiment, run


@pytest.fixture(scope="module")
def kept(finished):
    return only_run(f"sqlite:///{finished.folder}/mlflow.db")


def test_the_run_is_finished_and_named(kept, finished):
    _, experiment, run = kept
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "tiny s1"
    assert "virtual" in experiment.tags["mlflow.note.content"]
    assert run.data.tags["trace_digest"] == finished.said.summary["trace_digest"]
    assert run.data.tags["digest"] == finished.said.summary["digest"]
    assert "| ndcg@10 |" in run.data.tags["mlflow.note.content"]


def test_an_experiment_from_before_gets_the_view_and_keeps_what_it_says(kept, finished):
    client, *_ = kept
    before = client.create_experiment("before", tags={"mlflow.note.content": "mine"})
    assert experiment_id(client, f"sqlite:///{finished.folder}/mlflow.db", "before") == before
    tags = client.get_experiment(before).tags
    assert view_tag().items() <= tags.items()
    assert tags["mlflow.note.content"] == "mine"


def test_parameters_are_flat(kept):
    _, _, run = kept
    asked = {"codec.kind": "actions", "schedule.versions": "4", "data.users": "120", "seed": "1"}
    assert asked.items() <= run.data.params.items()


@pytest.mark.parametrize(
    ("name", "steps"), [("quality/ndcg_10", [0, 2, 4]), ("bytes/total_megabytes", [1, 2, 3, 4])]
)
def test_metrics_go_by_versions_and_by_virtual_time(kept, finished, name, steps):
    client, _, run = kept
    history = client.get_metric_history(run.info.run_id, name)
    assert [point.step for point in history] == steps
    after_ms = [point.timestamp - run.info.start_time for point in history]
    assert after_ms == sorted(after_ms)
    assert abs(after_ms[-1] - 1000 * finished.said.summary["virtual_seconds"]) <= 1


def test_the_last_values_are_the_summary(kept, finished):
    _, _, run = kept
    summary = finished.said.summary
    assert run.data.metrics["quality/recall_20"] == summary["quality"]["recall@20"]
    assert run.data.metrics["whole_bytes/up"] == summary["bytes"]["up"]
    assert run.data.metrics["wall/updates_per_second"] == summary["wall"]["updates_per_second"]


def test_the_data_set_is_an_input(kept, finished):
    _, _, run = kept
    (given,) = run.inputs.dataset_inputs
    assert given.dataset.name == "synthetic-120x150"
    assert finished.said.summary["dataset"]["digest"].startswith(given.dataset.digest)
    assert json.loads(given.dataset.profile)["users"] == 120


def test_the_files_are_artifacts_beside_the_store(kept, finished):
    client, _, run = kept
    names = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert names == {"config.toml", "records.parquet", "users.parquet", "summary.json", "report.html"}
    assert run.info.artifact_uri.startswith((finished.folder / "mlartifacts").as_uri())


def test_the_store_the_user_names_is_the_one_that_is_used(tmp_path):
    uri = f"sqlite:///{tmp_path}/elsewhere/tracking.db"
    said = fedras("run", *settings(), "--serial", cwd=tmp_path, MLFLOW_TRACKING_URI=uri)
    assert said.status == 0, said.err
    assert uri in said.err
    assert not (tmp_path / "mlflow.db").exists()
    client, _, run = only_run(uri)
    assert client.list_artifacts(run.info.run_id)
    assert (tmp_path / "elsewhere" / "mlartifacts").is_dir()


def test_a_run_that_fails_is_failed_there_too(tmp_path):
    wrong = settings(training__item_rate="1e30", training__private_rate="1e30")
    said = fedras("run", *wrong, "--serial", cwd=tmp_path)
    assert said.status == 2
    assert said.err.count("error ") == 1
    _, _, run = only_run(f"sqlite:///{tmp_path}/mlflow.db")
    assert run.info.status == "FAILED"


def test_a_data_set_that_two_runs_add_at_the_same_time_is_there_once():
    client = Mock()
    client.log_inputs.side_effect = [MlflowException("UNIQUE constraint failed: datasets"), None]
    log_dataset(client, "run", Mock())
    assert client.log_inputs.call_count == 2
