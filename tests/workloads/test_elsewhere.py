"""A run whose directory is a URL: everything is there, and another machine goes on with it."""

import json
import signal
import time

import pytest

from tests.workloads.command import fedras, settings, start

SMALL = ["--serial", "--no-mlflow"]


@pytest.fixture
def shared(tmp_path):
    (tmp_path / "shared").mkdir()
    return tmp_path / "shared"


def places(tmp_path, *names):
    for name in names:
        (tmp_path / name).mkdir()
    return [tmp_path / name for name in names]


def test_all_files_of_a_run_are_at_the_url(tmp_path, shared):
    (here,) = places(tmp_path, "here")
    url = f"file://{shared}/a"
    done = fedras("run", *settings(), *SMALL, "--json", "--out", url, cwd=here)
    assert done.status == 0, done.err
    assert f"files   {url}" in done.err
    (local,) = (here / "runs").iterdir()
    files = {one.name: one.read_bytes() for one in local.iterdir() if one.is_file()}
    assert {"config.toml", "records.parquet", "users.parquet", "summary.json", "report.html"} <= set(files)
    assert {one.name: one.read_bytes() for one in (shared / "a").iterdir() if one.is_file()} == files
    assert not list((shared / "a").glob("checkpoints/*")), "of a finished run none is needed"
    again = fedras("run", *settings(), *SMALL, "--out", url, cwd=here)
    assert (again.status, "holds a finished run already" in again.err) == (2, True)
    resumed = fedras("run", "--resume", url, *SMALL, cwd=here)
    assert (resumed.status, "there is nothing to go on with" in resumed.err) == (2, True)


def test_another_machine_goes_on_with_a_run_that_was_stopped(tmp_path, shared):
    here, there, whole = places(tmp_path, "here", "there", "whole")
    url, long = (
        f"file://{shared}/b",
        ["--set", "schedule.versions=400", "--set", "checkpoint.every_versions=5"],
    )
    expected = fedras("run", *settings(), *long, *SMALL, "--json", "--out", "whole", cwd=whole)
    process = start("run", *settings(), *long, *SMALL, "--out", url, cwd=here)
    try:
        end_s = time.monotonic() + 60
        while not list((shared / "b").glob("checkpoints/*")):
            assert time.monotonic() < end_s
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=300)
        assert process.returncode == 143
    finally:
        process.kill()
        process.communicate()
    gone_on = fedras("run", "--resume", url, *SMALL, "--json", cwd=there)
    assert gone_on.status == 0, gone_on.err
    assert "going on after version" in gone_on.err
    (one, other) = (json.loads(said.out.splitlines()[-1])["trace_digest"] for said in (expected, gone_on))
    assert one == other
    assert json.loads((shared / "b" / "summary.json").read_text())["trace_digest"] == one


@pytest.mark.parametrize("flag", ["--out", "--resume"])
@pytest.mark.parametrize(
    ("url", "told"), [("nowhere://a/b", "nothing can be kept"), ("file:///proc/a/b", "/proc/a/b")]
)
def test_a_url_that_cannot_be_reached_is_an_error_that_names_it(tmp_path, flag, url, told):
    done = fedras("run", *([] if flag == "--resume" else settings()), *SMALL, flag, url, cwd=tmp_path)
    assert done.status == 2
    assert told in done.err
