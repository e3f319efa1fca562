"""A comparison's numbers are those of its runs, what is finished is kept, and MLflow has it as one tree."""

import csv
import json
import statistics

import numpy as np
import pyarrow.parquet as pq
import pytest
from mlflow.tracking import MlflowClient

from tests.workloads import study
from tests.workloads.command import fedras
from tests.workloads.study import METHODS, SEEDS
from tests.workloads.test_run import KEYS


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The small study, in one process at a time, tracked by MLflow in its default store."""
    folder = tmp_path_factory.mktemp("compared")
    said = fedras("compare", study.write(folder), "--serial", "--json", cwd=folder)
    assert said.status == 0, said.err
    return folder, said


@pytest.fixture(scope="module")
def directory(compared):
    return compared[0] / "runs" / "small-study"


@pytest.fixture(scope="module")
def tree(directory):
    return json.loads((directory / "comparison.json").read_text())


def summaries(directory, method):
    return [json.loads((directory / f"{method}-s{seed}" / "summary.json").read_text()) for seed in SEEDS]


def by_name(tree):
    return {method["name"]: method for method in tree["methods"]}


def test_the_directory_holds_the_runs_and_the_results(compared, directory):
    names = {path.name for path in directory.iterdir()}
    runs = {f"{method}-s{seed}" for method in METHODS for seed in SEEDS}
    assert names == runs | {
        "comparison.json",
        "comparison.csv",
        "comparison.html",
        "frontier.svg",
        "mlflow.json",
    }
    assert compared[1].summary == json.loads((directory / "comparison.json").read_text())


def test_every_run_is_a_whole_run_of_its_method_and_seed(directory):
    for method in METHODS:
        for seed, summary in zip(SEEDS, summaries(directory, method), strict=True):
            assert set(KEYS) <= set(summary)
            assert (summary["name"], summary["seed"]) == (method, seed)
    assert summaries(directory, "few")[0]["codec"] == "actions"


def test_the_numbers_of_the_table_are_those_of_the_runs(directory, tree):
    for name, method in by_name(tree).items():
        runs = summaries(directory, name)
        for metric, score in method["scores"].items():
            values = [run["quality"][metric] for run in runs]
            assert score["mean"] == pytest.approx(statistics.mean(values))
            assert score["error"] == pytest.approx(statistics.stdev(values) / len(SEEDS) ** 0.5)
        for key, value in method["bytes"].items():
            assert value == pytest.approx(statistics.mean(run["bytes"][key] for run in runs))
        assert [run["trace_digest"] for run in method["runs"]] == [run["trace_digest"] for run in runs]


def test_the_difference_is_that_of_the_users(directory, tree):
    def users(method, seed):
        return pq.read_table(directory / f"{method}-s{seed}" / "users.parquet")["ndcg@10"].to_numpy()

    for name in ("half", "few"):
        found = by_name(tree)[name]["difference"]
        means = [np.mean(users(name, seed).astype(float) - users("dense", seed)) for seed in SEEDS]
        assert found["estimate"] == pytest.approx(np.mean(means))
        assert found["low"] <= found["estimate"] <= found["high"]
        assert found["seeds_judged"] is True
        assert found["margin"] == 0.05
    assert by_name(tree)["dense"]["difference"] is None


def evaluations(directory, method, seed):
    """Quality, virtual seconds and bytes, in the order of versions."""
    table = pq.read_table(directory / f"{method}-s{seed}" / "records.parquet")
    found = [row for row in table.to_pylist() if row["kind"] == "evaluation"]
    found.sort(key=lambda row: row["version"])
    return [(row["ndcg@10"], row["at_ns"] / 1e9, row["up_bytes"] + row["down_bytes"]) for row in found]


def test_the_way_to_the_target_is_that_of_the_evaluations(directory, tree):
    assert tree["target"] == 0.95
    for name, method in by_name(tree).items():
        for seed, found in zip(SEEDS, method["to_target"]["seeds"], strict=True):
            goal = 0.95 * max(quality for quality, *_ in evaluations(directory, "dense", seed))
            assert (found["seed"], found["goal"]) == (seed, pytest.approx(goal))
            there = [
                (at_s, sent) for value, at_s, sent in evaluations(directory, name, seed) if value >= goal
            ]
            expected = there[0] if there else (None, None)
            assert (found["seconds"], found["bytes"]) == expected
        reached = [one["seconds"] for one in method["to_target"]["seeds"] if one["seconds"] is not None]
        assert method["to_target"]["reached"] == len(reached)
        mean = method["to_target"]["seconds"]
        assert mean == (pytest.approx({"mean": np.mean(reached), "error": np.std(reached, ddof=1) / 2**0.5})
                        if len(reached) == len(SEEDS) else None)  # fmt: skip
    assert by_name(tree)["dense"]["to_target"]["times_faster"]["mean"] == 1


def test_the_classes_have_every_user_and_their_quality_is_that_of_the_whole(directory, tree):
    for name, method in by_name(tree).items():
        means = [
            np.mean(pq.read_table(directory / f"{name}-s{seed}" / "users.parquet")["ndcg@10"])
            for seed in SEEDS
        ]
        users = [one["users"] for one in method["classes"]]
        assert sum(users) == 120
        assert {one["name"] for one in method["classes"]} <= {"fast", "medium", "slow", None}
        whole = (
            sum(one["users"] * one["quality"]["mean"] for one in method["classes"] if one["quality"]) / 120
        )
        assert whole == pytest.approx(
            np.mean(means), rel=0.05
        )  # a class has not as many users under each seed
        for one in method["classes"]:
            if name == "dense":
                assert one["of_reference_low"] is None
            elif one["of_reference"]:
                assert one["of_reference_low"] <= one["of_reference"] <= one["of_reference_high"]


def test_the_metrics_of_the_users_average_to_the_summary(directory):
    table = pq.read_table(directory / "few-s1" / "users.parquet")
    quality = summaries(directory, "few")[0]["quality"]
    assert table["user"].to_pylist() == sorted(set(table["user"].to_pylist()))
    for name in table.column_names[1:]:
        assert table[name].to_numpy().mean(dtype=float) == pytest.approx(quality[name], abs=1e-7)


def test_the_csv_has_a_row_per_method_with_the_same_numbers(directory, tree):
    with (directory / "comparison.csv").open(newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert list(rows) == METHODS
    for name, method in by_name(tree).items():
        assert float(rows[name]["ndcg@10"]) == method["scores"]["ndcg@10"]["mean"]
        assert float(rows[name]["bytes total"]) == method["bytes"]["total"]
        assert float(rows[name]["target reached"]) == method["to_target"]["reached"]
        seconds = method["to_target"]["seconds"]
        assert rows[name]["target seconds"] == (str(seconds["mean"]) if seconds else "")
        named = {one["name"]: one for one in method["classes"] if one["name"]}
        for label, one in named.items():
            assert rows[name][f"class {label} of reference"] == str(one["of_reference"])
        assert rows[name]["difference verdict"] == (method["difference"] or {"verdict": ""})["verdict"]


def test_what_is_said_names_every_method_and_fits_where_it_is_read(compared):
    said = compared[1].err
    assert "small-study  ·  synthetic-120x150  ·  2 seeds" in said
    assert "done    6 of 6: few, seed 2" in said
    assert "against dense" in said
    assert "no loss: ndcg@10 at worst 5.00 % below that of dense (95 % interval)" in said
    assert "to 95 % of best" in said
    assert "target: the first evaluation with 95 % of the best ndcg@10 that dense had" in said
    assert "…" not in said
    assert "comparison.html" in said


def test_the_same_command_keeps_what_is_finished_and_changes_nothing(compared, directory):
    folder, before = compared
    stamps = {path: path.stat().st_mtime_ns for path in directory.rglob("records.parquet")}
    again = fedras("compare", folder / "small-study.toml", "--serial", "--json", cwd=folder)
    assert again.status == 0, again.err
    assert again.err.count("kept ") == len(METHODS) * len(SEEDS)
    assert "done " not in again.err
    assert again.summary == before.summary
    assert {path: path.stat().st_mtime_ns for path in directory.rglob("records.parquet")} == stamps


@pytest.fixture(scope="module")
def tracked(compared, directory):
    client = MlflowClient(tracking_uri=f"sqlite:///{compared[0]}/mlflow.db")
    experiment = client.get_experiment_by_name("fedras")
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    return client, parent, [run for run in runs if run is not parent]


@pytest.mark.filterwarnings("ignore")
def test_mlflow_has_one_parent_and_a_child_for_each_run(tracked):
    _, parent, children = tracked
    assert parent.info.status == "FINISHED"
    assert parent.info.run_name == "small-study"
    names = {f"{method} s{seed}" for method in METHODS for seed in SEEDS}
    assert {child.info.run_name for child in children} == names
    assert {child.data.tags["mlflow.parentRunId"] for child in children} == {parent.info.run_id}


@pytest.mark.filterwarnings("ignore")
def test_the_parent_has_the_table(tracked, tree):
    client, parent, _ = tracked
    few = by_name(tree)["few"]
    assert parent.data.metrics["ndcg_10.few"] == few["scores"]["ndcg@10"]["mean"]
    assert parent.data.metrics["reduction_total.few"] == few["bytes"]["reduction_total"]
    assert parent.data.metrics["difference_low.few"] == few["difference"]["low"]
    assert parent.data.metrics["target_reached.dense"] == 2
    assert parent.data.metrics["target_times_faster.dense"] == 1
    seconds = by_name(tree)["dense"]["to_target"]["seconds"]["mean"]
    assert parent.data.metrics["target_seconds.dense"] == seconds
    lowest = min(
        one["of_reference"] for one in few["classes"] if one["name"] and one["of_reference"] is not None
    )
    assert parent.data.metrics["lowest_class_of_reference.few"] == lowest
    assert parent.data.tags["reference"] == "dense"
    assert "| few |" in parent.data.tags["mlflow.note.content"]
    files = {artifact.path for artifact in client.list_artifacts(parent.info.run_id)}
    assert files == {"comparison.json", "comparison.csv", "comparison.html", "frontier.svg"}


def test_experiments_by_name_and_more_seeds_later_and_several_at_once(tmp_path):
    path = study.write(tmp_path)
    asked = ("compare", path, "--serial", "--no-mlflow", "--out", "here", "--json")
    first = fedras(
        *asked, "--seeds", "5", "--reference", "half", "--target", "0.8", "--set", "schedule.versions=2",
        cwd=tmp_path,
    )  # fmt: skip
    assert first.status == 0, first.err
    assert first.summary["target"] == 0.8
    assert "this seed" in first.err
    assert "other seeds cannot be judged" in " ".join(first.err.split())  # a sentence may be wrapped
    assert not first.summary["methods"][1]["difference"]["seeds_judged"]
    more = fedras(*asked, "--seeds", "5,6", "--set", "schedule.versions=2", "--jobs", "2", cwd=tmp_path)
    assert more.status == 0, more.err
    assert (more.err.count("kept "), more.err.count("done ")) == (3, 3)
    assert more.summary["seeds"] == [5, 6]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "small-study.toml"]
