"""A tracking server that goes away: a real one, killed and started again."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from mlflow.tracking import MlflowClient

from fedras_ray.errors import RunError
from tests.workloads.command import environment
from tests.workloads.ports import await_listener, free_ports
from workloads.tracking.sending import PENDING, Message, Sender, send_pending

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@contextmanager
def server(folder, port, behind=None, *options):
    """`mlflow server` on loopback; killed at the end, as a machine that loses power kills it.

    One worker, where `options` do not say otherwise: each takes seconds to start.
    """
    store = [
        "--backend-store-uri",
        behind or f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        f"{folder}/files",
    ]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += [*store, "--workers", "1", *options]
    env = environment(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command, env=env, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        await_listener(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def points(first, last):
    return Message(points=[("quality/ndcg_10", step / 10, 1_000 + step, step) for step in range(first, last)])


def steps(client, run_id):
    return [point.step for point in client.get_metric_history(run_id, "quality/ndcg_10")]


def test_nothing_is_missing_when_the_server_is_back_nor_when_it_comes_later(tmp_path):
    port = free_ports(1)[0]
    with server(tmp_path, port) as uri:
        client = MlflowClient(tracking_uri=uri)
        run_id = client.create_run(client.create_experiment("outage")).info.run_id
        sender = Sender(uri, client, run_id)
        sender.put(points(0, 700))
    began_s = time.monotonic()
    sender.put(points(700, 710))
    assert time.monotonic() - began_s < 1, "the run does not wait"
    report = tmp_path / "report.html"
    report.write_text("<p>a page</p>")
    sender.put(Message(tags={"trace_digest": "1234"}, artifacts=[str(report)]))
    with server(tmp_path, port):
        sender.close(tmp_path / PENDING, patience_s=60)
        assert not (tmp_path / PENDING).exists()
        assert steps(client, run_id) == list(range(710))
        assert client.get_run(run_id).data.tags["trace_digest"] == "1234"
        assert [one.path for one in client.list_artifacts(run_id)] == ["report.html"]
        never_back(tmp_path, uri, client, run_id)


def never_back(folder, uri, client, run_id):
    """A server that is still away at the end of a run."""
    gone = f"http://127.0.0.1:{free_ports(1)[0]}"
    late = Sender(gone, MlflowClient(tracking_uri=gone), run_id)
    late.put(points(710, 720))
    late.put(Message(ending="FINISHED", ended_ms=99_000))
    with pytest.raises(RunError, match="fedras track"):
        late.close(folder / PENDING, patience_s=0.5)
    with pytest.raises(RunError, match="MLFLOW_TRACKING_URI"):
        send_pending(folder / PENDING, gone)
    assert send_pending(folder / PENDING, uri) == run_id
    assert steps(client, run_id) == list(range(720))
    ended = client.get_run(run_id).info
    assert (ended.status, ended.end_time) == ("FINISHED", 99_000)
    with pytest.raises(RunError, match="has nothing"):
        send_pending(folder / PENDING, uri)


@pytest.mark.parametrize("text", ["", "{", '{"run_id": "a"}\n{"unknown": 1}\n', "[]"])
def test_a_damaged_file_is_refused(tmp_path, text):
    (tmp_path / PENDING).write_text(text)
    with pytest.raises(RunError, match="not what a run wrote"):
        send_pending(tmp_path / PENDING, f"sqlite:///{tmp_path}/mlflow.db")
    assert (tmp_path / PENDING).exists()
