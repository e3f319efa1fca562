"""Missing and broken runs: one error that names the file and the way out."""

import json
import shutil

import pyarrow.parquet as pq
import pytest

from dashboards.reading import read
from dashboards.report import render
from fedras_ray.errors import RunError


def test_no_run_at_all():
    with pytest.raises(RunError, match="fedras report DIR"):
        read([])


def test_no_such_directory(tmp_path):
    with pytest.raises(RunError, match=r"nowhere: no such run directory"):
        read([tmp_path / "nowhere"])


def test_a_run_that_has_not_ended(make_run):
    run = make_run()
    (run / "summary.json").unlink()
    with pytest.raises(RunError, match=r"summary\.json: not found.*fedras run --resume"):
        read([run])


@pytest.mark.parametrize("name", ["records.parquet", "config.toml"])
def test_a_missing_file(make_run, name):
    run = make_run()
    (run / name).unlink()
    with pytest.raises(RunError, match=f"{name}: not found"):
        read([run])


@pytest.mark.parametrize("name", ["summary.json", "records.parquet", "config.toml"])
@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"{]", b"[1, 2", b"PAR1 and no more PAR1"])
def test_a_broken_file(make_run, name, content):
    run = make_run()
    (run / name).write_bytes(content)
    with pytest.raises(RunError, match=name):
        read([run])


@pytest.mark.parametrize("name", ["summary.json", "records.parquet", "config.toml"])
def test_a_directory_in_place_of_a_file(make_run, name):
    run = make_run()
    (run / name).unlink()
    (run / name).mkdir()
    with pytest.raises(RunError, match=name):
        read([run])


def test_a_truncated_table(make_run):
    run = make_run()
    path = run / "records.parquet"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(RunError, match=r"records\.parquet: cannot be read.*fedras run"):
        read([run])


def test_a_missing_column(make_run):
    run = make_run()
    path = run / "records.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["up_bytes"]), path)
    with pytest.raises(RunError, match="column 'up_bytes' is missing"):
        read([run])


@pytest.mark.parametrize(
    "key", ["name", "trace_digest", "dataset.users", "bytes.total", "wall.updates_per_second"]
)
def test_a_missing_key(make_run, key):
    run = make_run()
    tree = json.loads((run / "summary.json").read_text())
    *sections, last = key.split(".")
    node = tree
    for section in sections:
        node = node[section]
    del node[last]
    (run / "summary.json").write_text(json.dumps(tree))
    with pytest.raises(RunError, match=f"key '{key}' is missing"):
        read([run])


@pytest.mark.parametrize("value", ["much", None, float("nan"), True, [1], 10**400])
def test_a_number_that_is_none(make_run, value):
    run = make_run()
    tree = json.loads((run / "summary.json").read_text())
    tree["virtual_seconds"] = value
    (run / "summary.json").write_text(json.dumps(tree))
    with pytest.raises(RunError, match="key 'virtual_seconds' is no finite number"):
        read([run])


@pytest.mark.parametrize("kind", ["turn", "evaluation"])
def test_a_kind_of_record_may_be_absent(make_run, kind):
    run = make_run()
    path = run / "records.parquet"
    table = pq.read_table(path)
    keep = [row["kind"] != kind for row in table.select(["kind"]).to_pylist()]
    pq.write_table(table.filter(keep), path)
    page = render([run])
    assert ("there is no timeline" in page) == (kind == "turn")
    assert ("no quality to draw" in page) == (kind == "evaluation")


def test_tallies_are_those_of_the_records(make_run):
    run = make_run(codec="adaptive", schedule="buffered")
    table = pq.read_table(run / "records.parquet").to_pylist()
    turns = [row for row in table if row["kind"] == "turn"]
    found = read([run])[0].records
    assert found.turns == len(turns)
    assert sum(one.up_bytes for one in found.classes) == sum(row["up_bytes"] for row in turns)
    assert sum(one.turns for one in found.classes) == len(turns)
    assert dict(found.actions)[max(row["actions"] for row in turns)] >= 1
    assert sum(often for _, often in found.staleness) == len(turns)
    shown = {(row["client"], row["dispatched_at_ns"] / 1e9, row["arrived_at_ns"] / 1e9) for row in turns}
    assert found.opening.turns
    assert all((one.client, one.times_s[0], one.times_s[3]) in shown for one in found.opening.turns)


def test_labels_tell_runs_apart(make_run):
    a = make_run("x", codec="dense")
    b = make_run("x", codec="actions")
    c = make_run("x", codec="actions", seed=2)
    assert [run.label for run in read([a])] == ["x"]
    assert [run.label for run in read([a, b])] == ["x, dense", "x, actions"]
    assert [run.label for run in read([a, b, c])] == [
        "x, dense, seed 1",
        "x, actions, seed 1",
        "x, actions, seed 2",
    ]


def test_a_moved_run_is_still_read(make_run, tmp_path):
    run = make_run()
    shutil.move(run, tmp_path / "moved")
    assert read([tmp_path / "moved"])[0].label == "ml-100k-fedras"
