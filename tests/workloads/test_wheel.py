"""The wheel, in an environment of its own and far from the checkout: what is missing in it shows here."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.workloads.command import ROOT, environment, settings
from tests.workloads.test_job import SCRIPTS, head, isolated, submitted

PARTS = ("fedras_ray", "actors", "workloads", "dashboards")


def quietly(*command, cwd, **more):
    inherited = environment(**more)
    del inherited["PYTHONPATH"]
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=inherited, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment with the wheel, and what it depends on borrowed from ours; its bin."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    source.mkdir()
    for part in PARTS:
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip"]
    quietly(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", place, source, cwd=place)
    shutil.rmtree(source)
    quietly(sys.executable, "-m", "venv", "--without-pip", place / "own", cwd=place)
    own = place / "own" / "bin" / "python"
    (wheel,) = place.glob("*.whl")
    quietly(*pip, "--python", own, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=place)
    site = quietly(own, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place).strip()
    (Path(site) / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return own.parent


def test_it_is_the_wheel_that_is_imported(installed, tmp_path):
    for part in PARTS:
        found = quietly(installed / "python", "-c", f"import {part}; print({part}.__file__)", cwd=tmp_path)
        assert found.startswith(str(installed.parent))


def test_a_run_from_it_leaves_everything_a_run_leaves(installed, tmp_path):
    quietly(installed / "fedras", "run", *settings(), "--serial", "--no-mlflow", "--out", "r", cwd=tmp_path)
    left = {path.name for path in (tmp_path / "r").iterdir()}
    assert {"config.toml", "records.parquet", "summary.json", "report.html"} <= left


def test_its_experiments_and_studies_came_along(installed, tmp_path):
    said = quietly(installed / "fedras", "run", "--help", cwd=tmp_path, COLUMNS="300")
    assert "ml-100k-fedras" in said
    find = "from workloads.experiments import find; print(find('ml-1m-dense').is_file())"
    assert quietly(installed / "python", "-c", find, cwd=tmp_path) == "True\n"


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore")  # MLflow's own, while reading
def test_a_job_of_it_needs_no_checkout(installed, finished, tmp_path):
    python, home = str(installed / "python"), tmp_path / "home"
    home.mkdir()
    job = ["fedras", "run", *settings(), "--no-mlflow", "--json"]
    with head(home, python) as cluster:
        submit = [python, *SCRIPTS, "job", "submit", "--address", cluster.dashboard, "--", *job]
        done = submitted(submit, cwd=tmp_path, env=isolated(home, python))
    assert done.returncode == 0, done.stdout + done.stderr
    assert finished.said.summary["trace_digest"] in done.stdout
    assert list((home / "fedras" / "runs").glob("tiny-*/report.html"))
