"""The dashboard for Grafana is what its panels say, and asks for nothing that is not told."""

import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest

from dashboards.live.grafana import COLUMNS, dashboard
from dashboards.live.panels import ROWS
from fedras_ray.telemetry.instruments import INSTRUMENTS

FILE = Path(__file__).parents[2] / "dashboards" / "grafana.json"
KNOWN = {f"ray_{one.name}": {"run", *one.labels} for one in INSTRUMENTS}
SELECTED = re.compile(r"(ray_\w+)\{(.*?)\}")
EXPRESSIONS = [question.expression for row in ROWS for panel in row.panels for question in panel.questions]
PROMTOOL = shutil.which("promtool")


def test_the_file_is_what_the_panels_say():
    assert FILE.read_text(encoding="utf-8") == dashboard(), "make grafana writes it anew"


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_panel_asks_for_what_is_told(expression):
    found = SELECTED.findall(expression)
    assert found
    for name, matchers in found:
        assert set(re.findall(r"(\w+)=", matchers)) <= KNOWN[name]
        assert name.endswith("_total") or f"rate({name}" not in expression
    grouped = {label for group in re.findall(r"by \((.*?)\)", expression) for label in group.split(", ")}
    assert all(grouped <= KNOWN[name] for name, _ in found)


@pytest.mark.parametrize("panel", [panel for row in ROWS for panel in row.panels], ids=lambda one: one.title)
def test_a_legend_names_labels_that_the_answer_has(panel):
    for question in panel.questions:
        kept = {
            label for group in re.findall(r"by \((.*?)\)", question.expression) for label in group.split(", ")
        }
        assert set(re.findall(r"\{\{(\w+)\}\}", question.legend)) <= kept
    assert len({question.legend for question in panel.questions}) == len(panel.questions)


def test_every_instrument_is_on_the_dashboard():
    assert {name for one in EXPRESSIONS for name, _ in SELECTED.findall(one)} == set(KNOWN)


def test_panels_have_a_place_of_their_own():
    panels = json.loads(dashboard())["panels"]
    assert len({one["id"] for one in panels}) == len(panels)
    places = [one["gridPos"] for one in panels]
    for one in places:
        assert one["x"] + one["w"] <= COLUMNS
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: apt-get install prometheus)")
def test_prometheus_takes_every_expression(tmp_path):
    rules = [
        {"record": f"panel_{number}", "expr": one.replace("$__rate_interval", "1m").replace("$run", ".*")}
        for number, one in enumerate(EXPRESSIONS)
    ]
    path = tmp_path / "rules.json"  # YAML takes JSON
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    said = subprocess.run(
        [str(PROMTOOL), "check", "rules", str(path)], capture_output=True, text=True, timeout=60
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"{len(EXPRESSIONS)} rules found" in said.stdout
