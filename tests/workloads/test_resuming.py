"""What was killed in the middle goes on: a run in its MLflow run, a comparison in its interrupted run."""

import json
import time

import pytest
from mlflow.tracking import MlflowClient

from tests.workloads import study
from tests.workloads.command import LIMIT_S, fedras, settings, start
from tests.workloads.test_mlflow import only_run
from workloads.checkpoints.files import checkpoint_name

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own, while reading

VERSIONS = 120
EVERY = {"schedule__versions": VERSIONS, "checkpoint__every_versions": 1}
TWO = study.TEXT.replace("seeds = [1, 2]", "seeds = [1]").replace("versions = 4", f"versions = {VERSIONS}")


def killed(*arguments, checkpoints, cwd):
    """A command that is killed as soon as a checkpoint is in a folder, beyond the first version's."""
    with start(*arguments, cwd=cwd) as process:
        began_s = time.monotonic()
        while {one.name for one in checkpoints.glob("*.checkpoint")} <= {checkpoint_name(1)}:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() - began_s < LIMIT_S
            time.sleep(0.005)
        process.kill()
        process.communicate()


def test_a_killed_run_goes_on_in_its_mlflow_run(tmp_path):
    chosen = settings(**EVERY, evaluation__every=4)
    killed(
        "run", *chosen, "--serial", "--out", "run", checkpoints=tmp_path / "run" / "checkpoints", cwd=tmp_path
    )
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    _, _, before = only_run(uri)
    assert before.info.status == "RUNNING"
    said = fedras("run", "--resume", "run", "--serial", "--json", cwd=tmp_path)
    assert said.status == 0, said.err
    client, _, run = only_run(uri)
    assert (run.info.run_id, run.info.status) == (before.info.run_id, "FINISHED")
    assert run.data.tags["trace_digest"] == said.summary["trace_digest"]
    told = client.get_metric_history(run.info.run_id, "clock/virtual_seconds")
    assert sorted({one.step for one in told}) == list(range(1, VERSIONS + 1))
    assert len({(one.step, one.value, one.timestamp) for one in told}) == VERSIONS, (
        "each version says one thing"
    )


def test_a_killed_comparison_goes_on_in_the_middle_of_a_run(tmp_path):
    path = study.write(tmp_path, TWO)
    asked = "compare", path, "--serial", "--set", "checkpoint.every_versions=1"
    whole = fedras(*asked, "--no-mlflow", "--out", "whole", "--json", cwd=tmp_path)
    assert whole.status == 0, whole.err
    second = tmp_path / "cut" / "dense-s1" / "checkpoints"
    killed(*asked, "--out", "cut", checkpoints=second, cwd=tmp_path)
    said = fedras(*asked, "--out", "cut", "--resume", "--json", cwd=tmp_path)
    assert said.status == 0, said.err
    assert said.err.count("kept ") == 1
    assert said.err.count("going on after version") == 1
    assert said.summary == whole.summary
    for one in ("half-s1", "dense-s1", "few-s1"):
        read = [json.loads((tmp_path / name / one / "summary.json").read_text()) for name in ("whole", "cut")]
        assert read[0]["trace_digest"] == read[1]["trace_digest"]
        records = [(tmp_path / name / one / "records.parquet").read_bytes() for name in ("whole", "cut")]
        assert records[0] == records[1]
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("fedras").experiment_id])
    names = sorted(run.info.run_name for run in runs)
    assert names == ["dense s1", "few s1", "half s1", "small-study"], "each has one, and not one for each try"
    assert {run.info.status for run in runs} == {"FINISHED"}
