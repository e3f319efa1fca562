"""`fedras watch`: a run is seen while it goes on, from its directory alone."""

import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from fedras_ray.config import build
from fedras_ray.errors import RunError
from fedras_ray.records import EvaluationRecord, VersionRecord
from tests.workloads.command import fedras, settings, start
from workloads.sinks import Ending
from workloads.watching.log import FILE, KEPT, ProgressLog, read_progress
from workloads.watching.view import BARS, SILENT_S, line, rows, sparks, view

EXPERIMENT = build({"name": "seen"}, ["schedule.versions=8"])
LIMIT_S = 400


def version(number):
    zeros = dict.fromkeys(VersionRecord.__slots__, 0)
    return VersionRecord(**zeros | {
        "version": number, "at_ns": number * 10**9, "client_updates": 10 * number, "up_bytes": 1_000 * number,
        "down_bytes": 2_000 * number, "dense_up_bytes": 5_000 * number, "dense_down_bytes": 5_000 * number,
    })  # fmt: skip


def evaluation(number, value):
    return EvaluationRecord(
        number, number * 10**9, 0, 0, 5, 5, (("ndcg@10", value), ("recall@20", 2 * value)), ()
    )


@pytest.fixture
def told(tmp_path):
    """A directory, and the log of a run that writes into it."""
    (tmp_path / "config.toml").write_text(EXPERIMENT.to_toml())
    log = ProgressLog(tmp_path, EXPERIMENT)
    yield tmp_path, log
    log.close(Ending.FAILED)


def test_it_can_be_read_at_any_moment(told, monkeypatch):
    directory, log = told
    monkeypatch.setattr("workloads.watching.log.SOON_S", 0.0)
    assert read_progress(directory) is None
    log.take(evaluation(0, 0.01))
    log.take(version(1))
    log.take(version(2))
    found = read_progress(directory)
    assert (found.name, found.asked, found.ending) == ("seen", 8, None)
    assert [one["version"] for one in found.versions] == [1, 2]
    assert found.versions[-1].keys() >= set(KEPT)
    with (directory / FILE).open("a") as file:
        file.write('{"kind": "ver')  # as it is being written
    assert read_progress(directory) == found


def test_of_many_versions_some_are_kept_and_the_last(tmp_path):
    directory, log = tmp_path, ProgressLog(tmp_path, EXPERIMENT)
    (directory / "config.toml").touch()
    for number in range(1, 6):
        log.take(version(number))
    log.close(Ending.KILLED)
    found = read_progress(directory)
    assert [one["version"] for one in found.versions] == [5]
    assert found.ending == "KILLED"


def test_of_a_run_that_goes_on_its_old_end_is_forgotten_at_once(tmp_path):
    (tmp_path / "config.toml").touch()
    ProgressLog(tmp_path, EXPERIMENT).close(Ending.KILLED)
    assert read_progress(tmp_path).ending == "KILLED"
    ProgressLog(tmp_path, EXPERIMENT)
    assert read_progress(tmp_path) is None


def test_what_is_shown_is_what_was_told(told, monkeypatch):
    directory, log = told
    monkeypatch.setattr("workloads.watching.log.SOON_S", 0.0)
    log.take(evaluation(0, 0.01))
    log.take(version(1))
    log.take(evaluation(4, 0.0512))
    log.take(version(4))
    found = read_progress(directory)
    found.versions[0]["wall_s"] -= 2.0  # two seconds for three versions
    shown = dict(rows(found, found.heard_s))
    assert shown["versions"] == "4 of 8, 50.00 %"
    assert shown["quality"] == f"NDCG@10 0.0512, RECALL@20 0.1024  {BARS[0]}{BARS[-1]}"
    assert shown["bytes"] == "4 kB up, 8 kB down, 70.00 % saved"
    assert shown["pace"] == "15 updates/s, 1.5 virtual seconds a second, 2.7 s left"
    assert "silent" not in shown
    assert "for 31 s" in dict(rows(found, found.heard_s + SILENT_S + 1))["silent"]
    assert shown["quality"] in line(found, found.heard_s)
    console = Console(record=True, width=100, file=io.StringIO())
    console.print(view(found, found.heard_s))
    text = console.export_text()
    assert all(value in text for value in shown.values())


@given(st.lists(st.floats(0, 1), min_size=2, max_size=80))
def test_bars_rise_and_fall_with_the_values(values):
    bars = sparks(values)
    shown = values[-len(bars) :]
    for one, other, low, high in zip(shown, shown[1:], bars, bars[1:], strict=False):
        assert (one <= other) <= (low <= high)
        assert (one >= other) <= (low >= high)


def test_a_folder_that_is_no_run_is_said_to_be_none(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        read_progress(tmp_path)
    (tmp_path / "config.toml").touch()
    (tmp_path / FILE).write_text("[]\n")
    with pytest.raises(RunError, match="is not what a run writes"):
        read_progress(tmp_path)


def test_a_run_is_watched_while_it_goes_on_and_to_its_end(tmp_path):
    slow = settings(evaluation__every=1, schedule__versions=200)
    run = start("run", *slow, "--serial", "--no-mlflow", "--out", "a", cwd=tmp_path)
    try:
        began_s, found = time.monotonic(), None
        while not (found and found.versions) and time.monotonic() - began_s < LIMIT_S:
            assert run.poll() is None, run.communicate()[1]
            time.sleep(0.2)
            found = read_progress(tmp_path / "a") if (tmp_path / "a" / "config.toml").exists() else None
        assert found.ending is None
        now = fedras("watch", "a", "--once", cwd=tmp_path)
        assert (now.status, now.err) == (0, "")
        assert "of 200" in now.out
        watched = fedras("watch", "a", cwd=tmp_path)
    finally:
        _, err = run.communicate(timeout=LIMIT_S)
    assert run.returncode == 0, err
    assert watched.status == 0, watched.err
    assert "\x1b" not in watched.out
    assert watched.out.splitlines()[-1].endswith("finished")
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert f"{summary['quality']['ndcg@10']:.4f}" in watched.out.splitlines()[-1]
