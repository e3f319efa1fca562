"""A run that is told to stop closes what it began."""

import signal
import time

import pyarrow.parquet as pq
import pytest

from tests.workloads.command import LIMIT_S, settings, start
from tests.workloads.test_mlflow import only_run

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own, while reading


@pytest.mark.parametrize(
    ("number", "status", "where"),
    [
        (signal.SIGINT, 130, ["--serial"]),
        (signal.SIGTERM, 143, ["--serial"]),
        pytest.param(signal.SIGTERM, 143, ["--address", "local", "--pools", "1"], marks=pytest.mark.ray),
    ],
)
def test_a_signal_ends_a_run_tidily(tmp_path, number, status, where):
    long = settings(schedule__versions=100_000, evaluation__every=100)
    with start("run", *long, *where, "--out", "stopped", cwd=tmp_path) as process:
        began_s = time.monotonic()
        said = ""
        while "version" not in said and time.monotonic() - began_s < LIMIT_S:
            said = process.stderr.readline()  # a line comes every few seconds, or the end
        process.send_signal(number)
        out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, out) == (status, ""), err
    assert "Traceback" not in err
    assert "stopped; what was recorded so far is kept" in err
    assert pq.read_table(tmp_path / "stopped" / "records.parquet").num_rows > 20
    assert not (tmp_path / "stopped" / "summary.json").exists()
    assert list((tmp_path / "stopped" / "checkpoints").glob("*.checkpoint")), "there is a last checkpoint"
    _, _, run = only_run(f"sqlite:///{tmp_path}/mlflow.db")
    assert run.info.status == "KILLED"
