"""A policy in a file of the user's, in the current folder or on PYTHONPATH: in one process and on Ray."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.workloads.command import ROOT, fedras, settings
from tests.workloads.test_mistakes import is_one_error

POLICY = '''
def by_class(view, options):
    """The slow do less of everything, odd clients one epoch more, and every fifth is left alone."""
    if view.client % 5 == 0:
        return view.decision(view.actions, view.epochs, later=True)
    if view.device_class == "slow":
        return view.decision(4, 1)
    return view.decision(view.actions, view.epochs + view.client % 2)


def greedy(view, options):
    return view.decision(10**9, view.epochs)


def broken(view, options):
    return 1 / 0


def unlike(view):
    return None
'''
NONSENSE = {
    "your_policy:by_class": ["'schedule.policy'", "your_policy", "current folder or on PYTHONPATH"],
    "our_policy:missing": ["'schedule.policy'", "our_policy:missing", "no attribute"],
    "our_policy:unlike": ["'schedule.policy'", "our_policy:unlike", "policy(view, options)"],
    "our_policy:greedy": ["'our_policy:greedy'", "client ", "actions is 1000000000", "at most"],
    "our_policy:broken": ["'our_policy:broken'", "client ", "ZeroDivisionError"],
}


def asked(policy="our_policy:by_class"):
    chosen = settings(codec__kind="gain-shape", training__epochs=2, schedule__policy=policy)
    return [*chosen, "--json", "--no-mlflow"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "our_policy.py").write_text(POLICY)
    return folder


@pytest.fixture(scope="module")
def serial(folder):
    """A run in one process, started where the policy is."""
    said = fedras("run", *asked(), "--serial", "--out", "serial", cwd=folder)
    assert said.status == 0, said.err
    return said.summary


def rows(directory, kind):
    return pq.read_table(directory / "records.parquet", filters=[("kind", "=", kind)]).to_pylist()


def test_what_it_decides_is_what_clients_do(folder, serial):
    turns = rows(folder / "serial", "turn")
    assert {turn["device_class"] for turn in turns} == {"fast", "medium", "slow"}
    for turn in turns:
        slow = turn["device_class"] == "slow"
        assert turn["client"] % 5
        assert turn["epochs"] == (1 if slow else 2 + turn["client"] % 2)
        assert turn["samples"] % turn["epochs"] == 0
        assert 1 <= turn["actions"] <= (4 if slow else 16)
        assert turn["predicted_ns"] > 0
    assert max(turn["actions"] for turn in turns if turn["device_class"] == "slow") == 4
    assert max(turn["actions"] for turn in turns) > 8
    (end,) = rows(folder / "serial", "end")
    assert end["left_for_later"] > 0


def test_how_well_it_predicts_is_in_the_summary_and_in_the_report(folder, serial):
    turns = rows(folder / "serial", "turn")
    off = [
        abs(turn["arrived_at_ns"] - turn["dispatched_at_ns"] - turn["predicted_ns"])
        / (turn["arrived_at_ns"] - turn["dispatched_at_ns"])
        for turn in turns
    ]
    told = serial["prediction"]
    assert told["turns"] == len(turns)
    assert told["median"] == pytest.approx(np.median(off))
    assert 0 < told["median"] < told["p95"] == pytest.approx(np.quantile(off, 0.95))
    assert "Predicted turn times" in (folder / "serial" / "report.html").read_text()


def test_the_command_finds_it_in_the_current_folder_wherever_it_is_installed(folder, serial):
    """`fedras` is a script in a folder of its own, which Python looks into instead of the current one."""
    said = fedras("run", *asked(), "--serial", "--out", "script", cwd=folder, PYTHONSAFEPATH="1")
    assert said.status == 0, said.err
    assert said.summary["trace_digest"] == serial["trace_digest"]


@pytest.mark.ray
@pytest.mark.parametrize("found", ["here", "on the path"])
def test_two_pools_on_ray_do_the_same(folder, serial, found, tmp_path):
    more = {} if found == "here" else {"PYTHONPATH": f"{ROOT}:{folder}"}
    where = folder if found == "here" else tmp_path
    said = fedras("run", *asked(), "--pools", 2, "--address", "local", "--out", "ray", cwd=where, **more)
    assert said.status == 0, said.err
    assert said.summary["trace_digest"] == serial["trace_digest"]
    assert said.summary["wall"]["pools"] == 2
    assert rows(where / "ray", "turn") == rows(folder / "serial", "turn")


@pytest.mark.parametrize("policy", NONSENSE)
def test_nonsense_is_one_error(folder, policy):
    out = policy.partition(":")[2]
    is_one_error(fedras("run", *asked(policy), "--serial", "--out", out, cwd=folder), *NONSENSE[policy])
    begun = "'schedule.policy'" not in NONSENSE[policy]
    assert (folder / out).exists() == begun


@pytest.mark.ray
def test_nonsense_is_one_error_on_ray_too(folder):
    said = fedras("run", *asked("our_policy:greedy"), "--pools", 2, "--address", "local", cwd=folder)
    is_one_error(said, *NONSENSE["our_policy:greedy"])
