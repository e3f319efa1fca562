"""The page as a whole: well-formed, self-contained, escaped, small."""

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dashboards.report import render, write
from fedras_ray.errors import RunError

VOID = {"meta", "link", "br", "hr", "img", "input"}
EVIL = "<script>alert('\"1\"')</script>&amp;\x00\ud800"


class Balance(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def parsed(page: str) -> Balance:
    parser = Balance()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(params=[1, 2, 3], ids=["one run", "two runs", "three runs"])
def runs(request, make_run) -> list[Path]:
    made = [
        make_run("fedras", codec="adaptive", schedule="buffered"),
        make_run("dense", codec="dense"),
        make_run("fedras", codec="actions", seed=2),
    ]
    return made[: request.param]


def test_well_formed_as_html_and_as_xml(runs):
    page = render(runs)
    parsed(page)
    ElementTree.fromstring(page)


def test_asks_for_nothing(runs):
    page = render(runs)
    assert set(parsed(page).loads) <= {"data:,"}
    assert not re.search(r"https?:|//[a-z]|@import|url\(", page)
    assert "script" not in parsed(page).tags


def test_headings_descend_one_at_a_time(runs):
    levels = [int(tag[1]) for tag in parsed(render(runs)).tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_drawing_has_a_title_and_a_description(runs):
    root = ElementTree.fromstring(render(runs))
    drawings = [svg for svg in root.iter("svg") if svg.get("role") == "img"]
    assert len(drawings) >= 8
    known = {element.get("id") for element in root.iter() if element.get("id")}
    for svg in drawings:
        assert set(svg.get("aria-labelledby", "").split()) <= known
        assert all(svg.findtext(tag) for tag in ("title", "desc"))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_every_figure_has_a_caption_and_every_table_scopes(runs):
    root = ElementTree.fromstring(render(runs))
    assert all(figure.find("figcaption") is not None for figure in root.iter("figure"))
    assert all(table.find("caption") is not None for table in root.iter("table"))
    assert all(cell.get("scope") for cell in root.iter("th"))


def test_says_the_numbers_of_the_summary(make_run):
    run = make_run()
    summary = json.loads((run / "summary.json").read_text())
    page = render([run])
    assert f"{summary['quality']['ndcg@10']:.4f}" in page
    assert f"{summary['quality']['sampled_hr@10']:.4f}" in page
    assert summary["digest"] in page
    assert summary["trace_digest"] in page
    assert f"fedras run {run.name}/config.toml" in page
    assert "every update used K = 16 actions" in page
    assert "no update was stale" in page


def test_several_runs_are_compared(make_run):
    page = render([make_run("a"), make_run("b", codec="dense")])
    assert "Comparison of runs" in page
    assert "<mark>codec.kind</mark>" in page
    assert "<mark>model.kind</mark>" not in page
    assert "logarithmic" in page  # dense costs fifty times as much


def test_a_run_twice_is_told_apart(make_run):
    run = make_run("same")
    assert "same, run 1" in render([run, run])


def test_the_same_runs_give_the_same_page(runs):
    assert render(runs) == render(runs)


def edit(run: Path, **changes: object) -> None:
    path = run / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_names_from_outside_are_escaped(make_run):
    run = make_run()
    dataset = {"name": EVIL, "users": 1, "items": 1, "interactions": 1}
    edit(
        run, name=EVIL, dataset=dataset, codec=EVIL, model=EVIL, schedule=EVIL, digest=EVIL, trace_digest=EVIL
    )
    (run / "config.toml").write_text('"<script>" = "<script>"\n')
    page = render([run, make_run("plain")])
    assert "<script" not in page
    assert "&lt;script&gt;alert" in page
    ElementTree.fromstring(page)
    page.encode("utf-8")


def test_device_classes_are_escaped(make_run):
    page = render([make_run(schedule="buffered")])
    assert "phone &lt;low&gt;" in page
    assert "<low>" not in page


def test_sampled_metrics_and_popularity_may_be_absent(make_run):
    run = make_run()
    edit(run, quality={"ndcg@10": 0.07, "sampled_ndcg@10": None}, quality_popularity=None)
    page = render([run])
    ElementTree.fromstring(page)
    assert "most popular" not in page


def test_a_large_report_stays_small_and_says_what_it_left_out(make_run):
    runs = [
        make_run(f"run-{n}", "adaptive", "buffered", versions=3_000, clients=4, every=1, seed=n)
        for n in range(6)
    ]
    page = render(runs)
    assert len(page.encode()) < 500_000
    assert "evaluation is drawn, and always the last" in page


def test_an_ordinary_report_is_small(make_run):
    assert len(render([make_run()]).encode()) < 100_000


def test_write_makes_the_folder_and_leaves_no_part(make_run, tmp_path):
    run = make_run()
    target = tmp_path / "deep" / "report.html"
    assert write([run], target) == target
    assert target.read_text(encoding="utf-8") == render([run])
    assert list(target.parent.iterdir()) == [target]


def test_a_target_that_cannot_be_written(make_run, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").touch()
    with pytest.raises(RunError, match=r"taken.*cannot be written"):
        write([make_run()], tmp_path / "taken")
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        write([make_run("other")], tmp_path / "file" / "report.html")


def test_a_sample_of_users_is_told_with_its_errors(make_run):
    run = make_run("fedras", codec="actions")
    summary = json.loads((run / "summary.json").read_text())
    assert "a sample" not in render([run])
    summary["evaluation"] = {
        "users": 300,
        "of": 943,
        "standard_error": {"ndcg@10": 0.0021, "recall@20": None},
    }
    (run / "summary.json").write_text(json.dumps(summary))
    page = render([run])
    assert "averaged over 300 users, a sample of the 943 with a test item" in page
    assert f"{summary['quality']['ndcg@10']:.4f} ± 0.0021" in page
    assert page.count("± 0.") == 1
