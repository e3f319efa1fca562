"""What the report shows of the fleet: the timeline of a run's opening, and its device classes."""

import json
import re
from itertools import pairwise
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from dashboards.report import render
from fedras_ray.errors import RunError


def drawing(page, key):
    """The panel whose title's id begins with a key."""
    root = ElementTree.fromstring(page)
    return next(svg for svg in root.iter("svg") if svg.get("aria-labelledby", "").startswith(key))


def change(run, **changes):
    path = run / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_timeline_tells_turns_on_a_screen_and_draws_the_same_on_a_phone(make_run):
    page = render([make_run()])
    wide, narrow = drawing(page, "g0w"), drawing(page, "g0n")
    said = [element.text for element in wide.iter("title")][1:]
    assert len(said) > 24  # turns; the first title is the panel's own
    phase = r"[\d.]+ (?:s|ms|min|µs)(?: \d+ s)?"
    for text in said:
        told = rf"client \d+ \(phone.*\): download {phase}, train {phase}, upload {phase}; used"
        assert re.fullmatch(told, text), text
    kinds = {path.get("class") for path in narrow.iter("path")}
    assert {"fill p0", "fill p1", "fill p2", "made"} <= kinds
    assert "fill w1" not in kinds
    assert narrow.findtext("desc") == wide.findtext("desc")
    assert "the first" in page.lower()


def test_every_version_has_a_line_and_its_number(make_run):
    run = make_run()
    rows = pq.read_table(run / "records.parquet").to_pylist()
    wide = drawing(render([run]), "g0w")
    numbers = [text.text for text in wide.iter("text") if re.fullmatch(r"v\d+", text.text or "")]
    assert numbers == [f"v{number}" for number in range(1, len(numbers) + 1)]
    lines = [path for path in wide.iter("path") if path.get("class") == "made"]
    assert len(lines) == len(numbers) == 5
    made = [row["at_ns"] for row in rows if row["kind"] == "version"][:5]
    places = [float(re.match(r"M([\d.]+)", path.get("d"))[1]) for path in lines]
    spans = [(b - a) / (made[1] - made[0]) for a, b in pairwise(made[1:])]
    drawn = [(b - a) / (places[1] - places[0]) for a, b in pairwise(places[1:])]
    assert drawn == pytest.approx(spans, rel=0.01)


def test_what_is_not_used_has_another_colour_and_a_cross_and_a_name(make_run):
    page = render([make_run(codec="adaptive", schedule="buffered", oldest=2)])
    kinds = {path.get("class") for path in drawing(page, "g0n").iter("path")}
    assert {"fill w0", "fill w1", "fill w2", "sign"} <= kinds
    assert "the same, wasted" in page
    assert "the same, wasted" not in render([make_run("calm")])


def test_what_never_arrived_has_another_sign_than_what_came_too_late(make_run):
    run = make_run(codec="adaptive", schedule="buffered", oldest=2)
    table = pq.read_table(run / "records.parquet")
    fates = table["fate"].to_pylist()
    wasted = [place for place, fate in enumerate(fates) if fate == "wasted"]
    for place, fate in zip(wasted, ("lost", "late", "dropped") * len(wasted), strict=False):
        fates[place] = fate
    column = table.schema.get_field_index("fate")
    pq.write_table(table.set_column(column, "fate", [fates]), run / "records.parquet")
    page = render([run])
    assert "the same, dropped or lost" in page
    assert "the same, late<" in page
    (signs,) = [path.get("d") for path in drawing(page, "g0w").iter("path") if path.get("class") == "sign"]
    assert "l5 5" in signs
    assert "a2.5 2.5" in signs


def test_so_many_versions_that_not_each_can_have_a_line(make_run):
    page = render([make_run(schedule="buffered", clients=4, versions=2_000)])
    lines = [path for path in drawing(page, "g0n").iter("path") if path.get("class") == "made"]
    assert len(lines) <= 24
    seen = re.search(r"There are so many versions that one in (\d+) has a line", page)
    assert seen is None or int(seen[1]) > 1


def test_a_run_of_many_turns_has_a_page_of_ordinary_size(make_run):
    page = render([make_run(versions=250, clients=400, every=50)])  # 100,000 turns
    assert len(page.encode()) < 200_000
    assert "40 of 400 places" in page


def test_device_classes_have_a_row_each_and_so_have_those_never_asked(make_run):
    page = render([make_run()])
    section = re.search(r'<section id="classes".*?</section>', page, re.DOTALL)[0]
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', section)
    assert [name for name, _ in rows] == ["phone, high", "phone, mid", "phone &lt;low&gt;", "never asked"]
    low = re.findall("<td>(.*?)</td>", rows[2][1])
    assert low[:4] == ["202", "3.96", "98.5 %", "16"]
    assert low[4:8] == ["4.32 kB", "9.88 kB", "3.3 s", "8.8 s"]
    assert low[8:] == ["0.0680", "0.1100", "192"]
    assert re.findall("<td>(.*?)</td>", rows[3][1])[:4] == ["–"] * 4
    assert "603 of 943 clients had a turn, none more than 9" in section
    assert "class of clients that were never asked is not known" in section


def test_indices_of_fairness_are_said_where_they_are_told(make_run):
    run = make_run()
    assert "Gini" not in render([run])
    told = {"clients": 943, "asked": 603, "most_turns": 9, "gini": 0.4123, "jain": 0.7, "jain_classes": 0.99}
    change(run, participation=told)
    assert "Gini index of turns over clients 0.412, Jain's over clients 0.700" in render([run])


def test_several_runs_are_told_apart_and_an_older_one_is_named(make_run):
    old = make_run("older")
    tree = json.loads((old / "summary.json").read_text())
    del tree["classes"], tree["participation"]
    (old / "summary.json").write_text(json.dumps(tree))
    page = render([make_run("newer"), old])
    section = re.search(r'<section id="classes".*?</section>', page, re.DOTALL)[0]
    assert section.count('<th scope="row">newer</th>') == 4
    assert "Not told by device class, as made by an older version: older." in section


@pytest.mark.parametrize("broken", ["much", [{}], [{"name": "a"}], [1]])
def test_broken_classes_are_named(make_run, broken):
    run = make_run()
    change(run, classes=broken)
    with pytest.raises(RunError, match=r"summary\.json: key 'classes' is broken"):
        render([run])
