"""A mistake is one line that names what is wrong, and an exit status that is not 0."""

import time

import pytest

from tests.workloads.command import fedras, settings
from workloads import cli

MISTAKES = {
    "unknown key": (["--set", "training.epoch=3"], ["'training'", "did you mean 'epochs'"]),
    "wrong type": (["--set", "training.epochs=two"], ["'training.epochs'", "'two'"]),
    "no equals sign": (["--set", "training.epochs"], ["'training.epochs'", "key.name=value"]),
    "negative bandwidth": (
        ["--set", "fleet.kind=homogeneous", "--set", "fleet.uplink_bytes_per_s=-3"],
        ["'fleet.uplink_bytes_per_s'", "-3"],
    ),
    "unknown experiment": (["ml-100k-fedrass"], ["did you mean 'ml-100k-fedras'"]),
    "missing experiment file": (["nosuch.toml"], ["nosuch.toml"]),
    "broken experiment file": (["broken.toml"], ["broken.toml", "TOML", "line 2"]),
    "missing ratings": (["--set", "data.kind=file", "--set", "data.path=none.csv"], ["none.csv"]),
    "broken ratings": (["--set", "data.kind=file", "--set", "data.path=bad.csv"], ["bad.csv", "3"]),
    "too few clients": ([*settings(schedule__clients_per_version=999)], ["'schedule'", "999", "120"]),
    "a directory with too long a name": ([*settings(), "--out", "x" * 300], ["--out", "too long"]),
    "a value for a section": (["--set", "codec=dense"], ["'codec'", "codec.kind"]),
    "a file as directory": ([*settings(), "--out", "bad.csv"], ["bad.csv", "--out"]),
    "pools to kill in one process": (
        [*settings(), "--set", "faults.pool_kills=[1]"],
        ["faults.pool_kills", "--serial"],
    ),
    "nobody at the address": ([*settings(), "--address", "127.0.0.1:9"], ["127.0.0.1:9", "ray start"]),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bad.csv").write_text("user_id,item_id\n1,2\n3\n")
    (tmp_path / "broken.toml").write_text("seed = 1\nname = \n")
    return tmp_path


def is_one_error(said, *words):
    assert said.status == 2
    assert said.out == ""
    assert said.err.startswith("error ")
    assert said.err.count("\n") == 1
    assert all(word in said.err for word in words), said.err


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(folder, mistake):
    arguments, words = MISTAKES[mistake]
    serial = [] if "--address" in arguments else ["--serial"]
    is_one_error(fedras("run", *arguments, *serial, "--no-mlflow", cwd=folder), *words)


def test_a_mistake_in_the_configuration_leaves_nothing_behind(folder):
    before = sorted(folder.iterdir())
    began_s = time.monotonic()
    fedras("run", "--set", "codecs.kind=dense", cwd=folder)
    assert sorted(folder.iterdir()) == before
    assert time.monotonic() - began_s < 10


def test_a_finished_run_is_not_written_over(finished, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in finished.directory.iterdir()}
    said = fedras("run", *settings(), "--serial", "--out", finished.directory, cwd=tmp_path)
    is_one_error(said, str(finished.directory), "finished run", "--out")
    assert {path: path.stat().st_mtime_ns for path in finished.directory.iterdir()} == before


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "nonsense://x", "sqlite:////proc/nowhere/mlflow.db"])
def test_a_store_that_cannot_be_reached_is_said_early_with_the_way_out(tmp_path, uri):
    said = fedras("run", *settings(), "--serial", cwd=tmp_path, MLFLOW_TRACKING_URI=uri)
    is_one_error(said, uri, "--no-mlflow")
    assert not list(tmp_path.glob("runs/*/summary.json"))


def test_a_directory_without_a_run_has_no_report(tmp_path):
    is_one_error(fedras("report", tmp_path, cwd=tmp_path), str(tmp_path / "summary.json"))


def test_an_unknown_data_set_has_a_near_one(tmp_path):
    is_one_error(fedras("data", "info", "ml-100", cwd=tmp_path), "did you mean 'ml-100k'")


def test_a_machine_that_is_too_small_is_no_traceback(monkeypatch, capsys):
    def too_much():
        raise MemoryError("Unable to allocate 3. TiB")

    monkeypatch.setattr(cli, "app", too_much)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "make data.* or model.width smaller (Unable to allocate 3. TiB)" in capsys.readouterr().err


def test_wrong_use_is_not_success(tmp_path):
    assert fedras("frobnicate", cwd=tmp_path).status == 2
    assert fedras("run", "--pools", "0", cwd=tmp_path).status == 2
