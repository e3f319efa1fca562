"""A run ends with a table and exit status 0; its directory tells all of it and can be run again."""

import json

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from fedras_ray.config import read
from fedras_ray.evaluation.quality import METRICS
from tests.workloads.command import fedras, settings

KEYS = [
    "name",
    "digest",
    "seed",
    "dataset",
    "model",
    "codec",
    "schedule",
    "quality",
    "bytes",
    "virtual_seconds",
    "versions",
    "client_updates",
    "mean_staleness",
    "classes",
    "participation",
    "prediction",
    "privacy",
    "wall",
    "trace_digest",
]
BYTES = [
    "up",
    "down",
    "total",
    "wasted",
    "dense_up",
    "dense_down",
    "dense_total",
    "reduction_up",
    "reduction_down",
    "reduction_total",
]


@pytest.fixture
def summary(finished):
    return json.loads((finished.directory / "summary.json").read_text())


@pytest.fixture
def records(finished):
    return pq.read_table(finished.directory / "records.parquet")


def of_kind(records, kind):
    return records.filter(pc.equal(records["kind"], kind))


def test_the_directory_holds_what_it_should_and_nothing_half_written(finished):
    names = {path.name for path in finished.directory.iterdir()}
    files = {"config.toml", "records.parquet", "users.parquet", "summary.json", "report.html"}
    assert names == files | {"mlflow.json", "progress.jsonl"}


def test_the_last_line_of_standard_output_is_the_summary_and_there_is_no_other(finished, summary):
    assert finished.said.out.count("\n") == 1
    assert finished.said.summary == summary


def test_the_table_and_the_way_to_the_rest_are_on_standard_error(finished):
    said = finished.said.err
    assert "tiny  ·  synthetic-120x150  ·  seed 1" in said
    assert all(metric.replace("_", " ") in said for metric in METRICS)
    assert f"report  {finished.directory}/report.html" in said
    assert f"MLflow  mlflow ui --backend-store-uri sqlite:///{finished.folder}/mlflow.db" in said


def test_standard_error_has_no_noise_and_no_control_characters(finished):
    said = finished.said.err
    assert "\x1b" not in said
    assert "\r" not in said
    assert not [word for word in ("INFO", "WARNING", "Traceback", "alembic") if word in said]


def test_the_summary_has_the_keys_that_were_promised(summary):
    assert set(KEYS) <= set(summary)
    assert set(BYTES) <= set(summary["bytes"])
    assert set(summary["quality"]) == set(METRICS)
    assert {"name", "users", "items", "interactions"} <= set(summary["dataset"])
    assert {"seconds", "updates_per_second", "peak_rss_bytes"} <= set(summary["wall"])


def test_times_and_rates_are_plausible(summary):
    wall = summary["wall"]
    assert 0 < wall["startup_seconds"] < wall["seconds"]
    assert wall["updates_per_second"] > summary["client_updates"] / wall["seconds"]
    assert wall["peak_rss_bytes"] > 50_000_000


def test_totals_are_the_sums_of_the_turns(records, summary):
    turns = of_kind(records, "turn")
    for key, column in {"up": "up_bytes", "down": "down_bytes", "dense_up": "dense_up_bytes"}.items():
        assert pc.sum(turns[column]).as_py() == summary["bytes"][key]
    assert turns.num_rows == summary["client_updates"] == 4 * 20
    assert summary["bytes"]["total"] == summary["bytes"]["up"] + summary["bytes"]["down"]


def test_the_last_records_are_the_summary(records, summary):
    (end,) = of_kind(records, "end").to_pylist()
    assert end["trace_digest"] == summary["trace_digest"]
    assert of_kind(records, "version")["version"].to_pylist() == [1, 2, 3, 4]
    last = of_kind(records, "evaluation").to_pylist()[-1]
    assert {metric: last[metric] for metric in METRICS} == summary["quality"]


def test_the_configuration_is_complete_and_runs_to_the_same_trace(finished, summary, tmp_path):
    path = finished.directory / "config.toml"
    experiment = read(path)
    assert experiment.to_toml() == path.read_text()
    assert experiment.digest() == summary["digest"]
    again = fedras("run", path, "--serial", "--json", "--no-mlflow", "--out", "again", cwd=tmp_path)
    assert again.status == 0
    assert again.summary["trace_digest"] == summary["trace_digest"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again"]


def test_the_report_is_one_page_and_can_be_written_for_several_runs(finished, tmp_path):
    assert "tiny" in (finished.directory / "report.html").read_text()
    both = [finished.directory, finished.directory]
    said = fedras("report", *both, "--out", tmp_path / "both.html", cwd=tmp_path)
    assert (said.status, said.out) == (0, "")
    assert said.err == f"report  {tmp_path}/both.html\n"
    assert "2 runs compared" in (tmp_path / "both.html").read_text()


@pytest.mark.ray
def test_pools_on_ray_give_the_same_and_say_what_they_took(summary, tmp_path):
    said = fedras(
        "run", *settings(), "--pools", 2, "--json", "--no-mlflow", "--address", "local", cwd=tmp_path
    )
    assert said.status == 0, said.err
    assert said.summary["trace_digest"] == summary["trace_digest"]
    assert said.summary["wall"]["pools"] == 2
    assert said.summary["wall"]["peak_rss_bytes"] > 3 * 80_000_000  # driver, coordinator and two pools
    assert not [word for word in ("INFO", "WARNING", "Traceback", "raylet") if word in said.err]


def test_the_classes_of_devices_are_those_of_the_turns(finished, summary, records):
    turns = of_kind(records, "turn").to_pylist()
    for one in summary["classes"]:
        own = [turn for turn in turns if turn["device_class"] == one["name"]]
        assert (one["turns"], one["clients"]) == (len(own), len({turn["client"] for turn in own}))
        assert one["used"] == sum(turn["fate"] == "used" for turn in own)
        if own:
            mean = sum(turn["up_bytes"] for turn in own) / len(own)
            assert one["up_bytes_per_turn"] == pytest.approx(mean)
    users = pq.read_table(finished.directory / "users.parquet")
    assert sum(one["users"] for one in summary["classes"]) == len(users)
    asked = len({turn["client"] for turn in turns})
    took_part = summary["participation"]
    assert (took_part["clients"], took_part["asked"]) == (120, asked)
    assert 0 < took_part["gini"] < 1
    assert 1 / 120 < took_part["jain"] < took_part["jain_classes"] <= 1


def test_nothing_was_predicted_where_nothing_was_decided(finished, summary):
    assert summary["prediction"] is None
    assert "Predicted turn times" not in (finished.directory / "report.html").read_text()
