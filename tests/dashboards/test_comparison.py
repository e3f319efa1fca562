"""The page of a comparison: its numbers, its drawings, and what it says of a broken file."""

import json
import re
import xml.etree.ElementTree as ET

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dashboards.comparison import render, write
from dashboards.drawing import axes, scale
from dashboards.drawing.labels import Spot, labels
from dashboards.drawing.svg import text_width
from dashboards.standalone import frontier_svg
from fedras_ray.errors import RunError

SEEDS = (1, 2)
NOTHING = dict.fromkeys(("seconds", "bytes", "times_faster", "times_fewer_bytes"))


def way(seconds, times):
    """To the target: seconds of each seed, None for one that never got there."""
    seeds = [
        {"seed": seed, "goal": 0.076, "seconds": at, "bytes": at and 1e4 * at, "best_of_reference": 0.912}
        for seed, at in zip(SEEDS, seconds, strict=True)
    ]
    if None in seconds:
        return NOTHING | {"reached": 2 - seconds.count(None), "seeds": seeds}
    mean = sum(seconds) / 2
    return {
        "reached": 2, "seconds": {"mean": mean, "error": 1.5}, "bytes": {"mean": 1e4 * mean, "error": None},
        "times_faster": {"mean": times, "lowest": 1, "highest": 9}, "times_fewer_bytes": {"mean": 2 * times},
        "seeds": seeds,
    }  # fmt: skip


def classes(**shares):
    return [
        {
            "name": None if name == "nobody" else name, "users": 300.0, "turns": 900.0, "used": 0.9,
            "quality": {"mean": 0.08 * share, "error": 0.001}, "of_reference": share,
            "of_reference_low": share - 0.05, "of_reference_high": share + 0.05,
        }
        for name, share in shares.items()
    ]  # fmt: skip


def runs(folder, name, bytes_each):
    """Runs with three evaluations."""
    for seed in SEEDS:
        directory = folder / f"{name}-s{seed}"
        directory.mkdir(parents=True)
        columns = {
            "kind": ["evaluation"] * 3, "version": [0, 5, 10], "at_ns": [0, 30 * 10**9, 90 * 10**9],
            "up_bytes": [0, bytes_each, 2 * bytes_each], "down_bytes": [0, bytes_each, 2 * bytes_each],
            "ndcg@10": [0.01, 0.05, 0.08],
        }  # fmt: skip
        pq.write_table(pa.table(columns), directory / "records.parquet")


def method(name, mean, total, difference=None):
    traffic = {"up": total / 2, "down": total / 2, "total": total}
    traffic |= {f"reduction_{way}": 1 - total / 2e9 for way in ("up", "down", "total")}
    return {
        "name": name, "codec": "dense", "virtual_seconds": 90.0, "bytes": traffic,
        "scores": {"ndcg@10": {"mean": mean, "error": 0.002}, "recall@20": {"mean": 2 * mean, "error": None}},
        "difference": difference, "to_target": way([60.0, 66.0], 1.0),
        "classes": classes(fast=1.0, slow=1.0, nobody=1.0),
        "runs": [{"seed": seed, "directory": f"{name}-s{seed}", "trace_digest": "ab"} for seed in SEEDS],
    }  # fmt: skip


def judged(relative, low, high, verdict):
    shares = {"relative": relative, "relative_low": low, "relative_high": high}
    return {"estimate": (relative or 0) * 0.08, "verdict": verdict, **shares}


@pytest.fixture
def tree():
    return {
        "name": "a <study>", "metric": "ndcg@10", "reference": "dense", "margin": 0.02, "target": 0.95,
        "seeds": [1, 2], "dataset": {"name": "ml-100k"},
        "methods": [
            method("dense", 0.08, 2e9),
            method("few & small", 0.0796, 1e6, judged(-0.005, -0.015, 0.005, "no loss")),
            method("bad", 0.07, 1.1e6, judged(-0.125, -0.2, -0.05, "loss"))
            | {"to_target": way([12.0, None], 0), "classes": classes(fast=0.97, slow=0.88)},
        ],
    }  # fmt: skip


@pytest.fixture
def file(tree, tmp_path):
    def put(**changes):
        path = tmp_path / "comparison.json"
        path.write_text(json.dumps(tree | changes))
        return path

    return put


def test_it_is_well_formed_and_has_every_number(file):
    page = render(file())
    ET.fromstring(page.split("\n", 1)[1])
    names = ("a &lt;study&gt;", "few &amp; small", "no loss")
    for said in (*names, "0.0800 ± 0.0020", "−0.5 %", "−1.5 % to +0.5 %", "1 MB", "99.950 %", "1 min 30 s"):
        assert said in page, said


def test_the_same_file_gives_the_same_page(file):
    assert render(file()) == render(file())


def test_quality_is_drawn_on_a_logarithmic_axis_with_bars_and_the_margin_is_a_line(file):
    page = render(file())
    assert {"1 MB", "10 MB", "100 MB", "1 GB"} <= set(re.findall(r">([^<]+)</text>", page))
    assert page.count('class="level"') >= 2
    assert "Bars are ± 1 standard error" in page


def test_one_seed_says_so(file, tree):
    page = render(file(seeds=[1]))
    assert "other seeds cannot be judged" in page
    assert "0.0800 ± " not in page


def test_one_method_and_a_quality_of_nothing_can_be_drawn(file, tree):
    assert "Is anything lost?" not in render(file(methods=tree["methods"][:1]))
    nothing = method("none", 0.0, 1e6, judged(None, None, None, "too thin"))
    assert "too thin" in render(file(methods=[tree["methods"][0], nothing]))


def test_the_way_to_the_target_is_told_and_so_is_who_never_got_there(file):
    page = render(file())
    section = re.search(r'<section id="target".*?</section>', page, re.DOTALL)[0]
    cells = {row[0]: row[1:] for row in rows(section)}
    assert cells["dense"] == ["1 min 3 s ± 1.5 s", "1×", "630 kB", "2×", "2 of 2", "–"]
    assert cells["bad"] == ["–", "–", "–", "–", "1 of 2", "seed 2 (91.2 %)"]
    assert "The runs are not beside this comparison" in section


def rows(section):
    """Cells of every row of its tables' bodies."""
    return [
        [cell for pair in re.findall("<th[^>]*>(.*?)</th>|<td>(.*?)</td>", row) for cell in pair if cell]
        for row in re.findall("<tr>(<th scope=.row.*?)</tr>", section)
    ]


def test_runs_beside_it_are_drawn_with_the_target_and_a_ring_for_each_method_that_got_there(
    file, tree, tmp_path
):
    for one in tree["methods"]:
        runs(tmp_path, one["name"], int(one["bytes"]["total"] / 8))
    page = render(file())
    root = ET.fromstring(page.split("\n", 1)[1])
    for key in ("wth", "wtn", "wbh", "wbn"):
        panel = next(svg for svg in root.iter("svg") if svg.get("aria-labelledby", "").startswith(key))
        assert len([one for one in panel.iter("circle") if one.get("class") == "ring"]) == 2
        assert [one.get("class") for one in panel.iter("path")].count("level") == 1
        assert "bad: target never reached under seed 2" in panel.findtext("desc")
    time = next(svg for svg in root.iter("svg") if svg.get("aria-labelledby", "").startswith("wth"))
    assert "dense: target reached at 1 min 3 s" in time.findtext("desc")
    rings = [float(one.get("cx")) for one in time.iter("circle")]
    assert rings[0] == rings[1]  # both take as long


def test_one_seed_has_no_strokes_and_no_means(file, tree, tmp_path):
    tree = json.loads(json.dumps(tree))
    for one in tree["methods"]:
        runs(tmp_path, one["name"], 1000)
        one["runs"] = one["runs"][:1]
        one["to_target"]["seeds"] = one["to_target"]["seeds"][:1]
    page = render(file(seeds=[1], methods=tree["methods"]))
    assert "strokes are the seeds" not in page
    assert "geometric means" not in page


def test_a_target_of_nothing_is_not_drawn(file, tree, tmp_path):
    tree = json.loads(json.dumps(tree))
    for one in tree["methods"][0]["to_target"]["seeds"]:
        one["goal"] = 0.0
    assert "no target to draw" in render(file(methods=tree["methods"]))


def test_device_classes_are_beside_the_reference_and_a_low_one_is_marked(file):
    section = re.search(r'<section id="classes".*?</section>', render(file()), re.DOTALL)[0]
    cells = {row[0]: row[1:] for row in rows(section)}
    assert cells["dense"] == ["0.0800", "0.0800", "0.0800"]
    assert cells["bad"] == [
        "0.0776 · 97.0 % (92.0 % to 102.0 %)", "<mark>0.0704 · 88.0 % (83.0 % to 93.0 %)</mark>", "–",
    ]  # fmt: skip
    assert "fast (300 users)" in section
    assert "never asked (300 users)" in section
    assert "Marked: below 90 %" in section


def test_one_class_is_no_table(file, tree):
    alone = [one | {"classes": classes(all=1.0, nobody=1.0)} for one in tree["methods"]]
    assert 'id="classes"' not in render(file(methods=alone))


@pytest.mark.parametrize("broken", [{"methods": [{}]}, {"reference": "nobody"}, {"seeds": None}])
def test_a_broken_file_is_named(file, broken, tmp_path):
    with pytest.raises(RunError, match=r"comparison\.json"):
        write(file(**broken), tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RunError, match="nowhere"):
        render(tmp_path / "nowhere.json")


@pytest.mark.parametrize("crowd", [1, 4, 12, 40])
def test_names_touch_neither_each_other_nor_points(crowd):
    unit = scale.linear(0, 1, step=scale.decimal_step, label=scale.plain_label)
    box = axes.frame(unit, unit)
    spots = [Spot(f"method-{n}", 150.0 + 7 * (n % 5), 100.0 + 3 * n, 6.0) for n in range(crowd)]
    drawn = ET.fromstring(f"<g>{labels(box, spots)}</g>")
    boxes = [
        (
            float(t.get("x")),
            float(t.get("y")) - 9,
            float(t.get("x")) + text_width(t.text),
            float(t.get("y")) + 2,
        )
        for t in drawn
    ]
    assert boxes
    for place, one in enumerate(boxes):
        for other in boxes[:place]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert not any(one[0] < s.x < one[2] and one[1] < s.y < one[3] for s in spots)


def test_the_figure_alone_is_an_image_that_needs_no_page(file):
    text = frontier_svg(file())
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(text) < 30_000
    used = set(re.findall(r'class="([^"]+)"', text.split("</style>")[1]))
    rules = text.split("</style>")[0]
    assert {"mark", "grid"} <= {name for names in used for name in names.split()}
    assert all(
        f".{name} " in rules for names in used for name in names.split() if name in ("mark", "grid", "c0")
    )
    assert "var(--page)" in rules
    assert "prefers-color-scheme: dark" in rules
