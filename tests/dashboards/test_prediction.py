"""What the report says of predicted turn times."""

import re
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq

from dashboards.report import render


def predicted(run, share):
    """The run, as if every turn had been expected to take a share of what it took."""
    path = run / "records.parquet"
    table = pq.read_table(path).to_pylist()
    for row in table:
        if row["kind"] == "turn":
            row["predicted_ns"] = round(share * (row["arrived_at_ns"] - row["dispatched_at_ns"]))
    pq.write_table(pa.Table.from_pylist(table), path)
    return run


def text_of(page):
    return re.search(r'<section id="time".*?</section>', page, re.DOTALL)[0]


def test_the_error_is_said_and_drawn(make_run):
    page = render([predicted(make_run(), 0.8)])
    said = "half of them to at most 20.* % of what they took, 19 of 20 to at most 20.* %"
    assert re.search(said, text_of(page))
    svg = next(
        one
        for one in ElementTree.fromstring(page).iter("svg")
        if one.get("aria-labelledby", "").startswith("prediction")
    )
    assert svg.findtext("title") == "Error of predicted turn times"


def test_runs_are_told_apart(make_run):
    page = text_of(
        render([predicted(make_run("near"), 0.95), predicted(make_run("far"), 3.0), make_run("none")])
    )
    assert re.search(r"near: .* to at most 5.* %.*; far: .* to at most 200 %", page)
    assert page.count("were predicted, half") == 4  # two sentences, and the same in the drawing


def test_nothing_is_said_where_nothing_was_predicted_nor_of_older_runs(make_run):
    assert "redicted" not in text_of(render([make_run()]))
    old = make_run("older")
    table = pq.read_table(old / "records.parquet")
    pq.write_table(table.drop_columns(["predicted_ns"]), old / "records.parquet")
    assert "redicted" not in text_of(render([old]))
