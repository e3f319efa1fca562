"""The page of a comparison: its numbers, its drawings, and what it says of a broken file."""

import json
import re
import xml.etree.ElementTree as ET

import pytest

from dashboards.comparison import render, write
from dashboards.drawing import axes, scale
from dashboards.drawing.labels import Spot, labels
from dashboards.drawing.svg import text_width
from fedras_ray.errors import RunError


def method(name, mean, total, difference=None):
    traffic = {"up": total / 2, "down": total / 2, "total": total}
    traffic |= {f"reduction_{way}": 1 - total / 2e9 for way in ("up", "down", "total")}
    return {
        "name": name, "codec": "dense", "virtual_seconds": 90.0, "bytes": traffic,
        "scores": {"ndcg@10": {"mean": mean, "error": 0.002}, "recall@20": {"mean": 2 * mean, "error": None}},
        "difference": difference, "runs": [{"seed": 1, "directory": f"{name}-s1", "trace_digest": "ab"}],
    }  # fmt: skip


def judged(relative, low, high, verdict):
    shares = {"relative": relative, "relative_low": low, "relative_high": high}
    return {"estimate": (relative or 0) * 0.08, "verdict": verdict, **shares}


@pytest.fixture
def tree():
    return {
        "name": "a <study>", "metric": "ndcg@10", "reference": "dense", "margin": 0.02, "seeds": [1, 2],
        "dataset": {"name": "ml-100k"},
        "methods": [
            method("dense", 0.08, 2e9),
            method("few & small", 0.0796, 1e6, judged(-0.005, -0.015, 0.005, "no loss")),
            method("bad", 0.07, 1.1e6, judged(-0.125, -0.2, -0.05, "loss")),
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
