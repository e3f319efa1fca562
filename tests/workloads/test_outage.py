"""A tracking server that is killed in the middle of a whole run, and comes back: nothing is missing."""

import json
import time

import pytest
from mlflow.tracking import MlflowClient

from tests.workloads.command import settings, start
from tests.workloads.ports import free_ports
from tests.workloads.test_sending import server
from workloads.tracking.sending import PENDING
from workloads.watching.log import read_progress

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own, while reading

EVERY, LIMIT_S = 50, 600
FILES = {"config.toml", "records.parquet", "users.parquet", "summary.json", "report.html"}


def awaited(found, process):
    """What `found` returns, as soon as it is something."""
    began_s = time.monotonic()
    while not (it := found()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - began_s < LIMIT_S
        time.sleep(0.1)
    return it


def newest(directory):
    """The newest version that the run told of in its directory."""
    found = read_progress(directory)
    return found.versions[-1]["version"] if found and found.versions else 0


def through_an_outage(folder, away_s, versions):
    """A run whose server is gone for so long: versions made before that and after it, and what is missing."""
    port, directory = free_ports(1)[0], folder / "a"
    chosen = settings(schedule__versions=versions, evaluation__every=EVERY)
    with server(folder, port) as uri:
        client = MlflowClient(tracking_uri=uri)

        def told():
            place = client.get_experiment_by_name("fedras")
            runs = client.search_runs([place.experiment_id]) if place else []
            return [run for run in runs if run.data.metrics]

        run = start("run", *chosen, "--serial", "--out", "a", cwd=folder, MLFLOW_TRACKING_URI=uri)
        awaited(told, run)
        before = awaited(lambda: newest(directory), run)
    time.sleep(away_s)
    after = newest(directory)
    with server(folder, port):
        _, said = run.communicate(timeout=LIMIT_S)
        assert run.returncode == 0, said
        (found,) = told()
        missing = what_is_missing(client, found, directory, versions)
    return before, after, missing


def what_is_missing(client, run, directory, versions):
    """Of everything that the run should have told."""
    run_id = run.info.run_id
    made, measured = list(range(1, versions + 1)), list(range(0, versions + 1, EVERY))
    wrong = [f"the status is {run.info.status}"] if run.info.status != "FINISHED" else []
    for name in run.data.metrics:
        steps = [point.step for point in client.get_metric_history(run_id, name)]
        room = name.split("/")[0]
        expected = {"quality": measured, "wall": [versions], "whole_bytes": [versions]}.get(room, made)
        wrong += [] if steps == expected else [f"{name} has {len(steps)} steps of {len(expected)}"]
    files = {one.path for one in client.list_artifacts(run_id)}
    wrong += [] if files == FILES else [f"the files are {files}"]
    summary = json.loads((directory / "summary.json").read_text())
    wrong += [] if run.data.tags.get("trace_digest") == summary["trace_digest"] else ["no digest"]
    return wrong + ([f"{PENDING} is there"] if (directory / PENDING).exists() else [])


@pytest.mark.timeout(1800)  # three processes, one after the other
def test_a_run_goes_on_while_its_server_is_gone_and_tells_it_everything(tmp_path):
    before, after, missing = through_an_outage(tmp_path, away_s=5, versions=1500)
    assert before < after
    assert missing == []
