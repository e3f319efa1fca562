"""A real Prometheus scrapes a cluster with a run on it: every question of the dashboard has an answer."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from dashboards.live.panels import ROWS
from tests.workloads.command import settings, start
from tests.workloads.ports import await_listener, free_ports
from tests.workloads.test_job import end, head

PROMETHEUS = shutil.which("prometheus")
PAGE = Path(__file__).parents[2] / "docs" / "watch.md"
LIMIT_S = 500
ENDLESS = [  # until it is told to stop; with everything that is counted
    "name=endless", "evaluation.every=50", "network.loss=0.05", "faults.flip=0.05",
    "schedule.kind=buffered", "schedule.versions=1000000", "schedule.concurrency=40", "schedule.buffer=10",
]  # fmt: skip

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(
        PROMETHEUS is None, reason="prometheus is not installed (Debian: apt-get install prometheus)"
    ),
]


def configuration(targets):
    """The one on the page, with another place of Ray's file."""
    text = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    assert text.count("/tmp/ray/prom_metrics_service_discovery.json") == 1
    return text.replace("/tmp/ray/prom_metrics_service_discovery.json", str(targets))


@contextmanager
def prometheus(folder, targets):
    """Yields a function that asks it."""
    (port,) = free_ports(1)
    (folder / "prometheus.yml").write_text(configuration(targets))
    flags = [
        f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([PROMETHEUS, *flags], cwd=folder, **quiet)

    def ask(expression):
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}", timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    try:
        await_listener(port, process)
        yield ask
    finally:
        end(process)


def test_every_question_of_the_dashboard_has_an_answer(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    questions = {
        (panel.title, one.expression.replace("$run", "endless s1").replace("$__rate_interval", "60s"))
        for row in ROWS for panel in row.panels for one in panel.questions
    }  # fmt: skip
    with head(home, RAY_metrics_report_interval_ms="1000") as cluster:
        where = ["--address", cluster.address, "--pools", "1", "--no-mlflow", "--out", "endless"]
        asked = [*settings(), *(part for one in ENDLESS for part in ("--set", one))]
        run = start("run", *asked, *where, cwd=tmp_path, RAY_AUTH_MODE="disabled")
        try:
            with prometheus(tmp_path, cluster.place / "prom_metrics_service_discovery.json") as ask:
                began_s = time.monotonic()
                while questions and time.monotonic() - began_s < LIMIT_S:
                    assert run.poll() is None, run.communicate()[1]
                    time.sleep(1)
                    questions = {(title, one) for title, one in questions if not numbers(ask(one))}
                seen = [ask(one) for one in ('up{job="ray"}', 'count({job="ray"})', 'count({run!=""})')]
        finally:
            end(run)
            _, said = run.communicate()
    assert seen[0]
    assert not questions, f"Prometheus has {seen}; the run said {said[-2000:]}"


def numbers(answer):
    """The values of an answer that are there; NaN is none."""
    return [float(one["value"][1]) for one in answer if one["value"][1] != "NaN"]
