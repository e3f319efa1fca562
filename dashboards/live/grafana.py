"""The dashboard as Grafana reads it: ``python -m dashboards.live.grafana FILE`` writes it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dashboards.live.panels import ROWS, Panel, Row

WIDTH, HEIGHT = 8, 8  # of a panel with lines, of the 24 columns
NUMBER_WIDTH, NUMBER_HEIGHT = 6, 4
COLUMNS = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
TYPES = {"lines": "timeseries", "number": "stat"}


def dashboard() -> str:
    """The JSON, the same for the same panels."""
    tree = {
        "uid": "fedras",
        "title": "FedRAS-Ray",
        "description": "Runs that go on, from their coordinators.",
        "tags": ["fedras", "ray"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,  # one crosshair over all panels
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "templating": {"list": _variables()},
        "panels": [*_laid_out(ROWS)],
    }
    return json.dumps(tree, indent=1) + "\n"


def _variables() -> list[dict[str, Any]]:
    query = "label_values(ray_fedras_turns_total, run)"
    everything = {"text": ["All"], "value": ["$__all"]}
    return [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        {
            "name": "run", "label": "Run", "type": "query", "datasource": SOURCE, "definition": query,
            "query": {"query": query, "refId": "run"}, "refresh": 2, "sort": 1, "multi": True,
            "includeAll": True, "allValue": ".*", "current": everything,
        },
    ]  # fmt: skip


def _laid_out(rows: tuple[Row, ...]) -> Iterator[dict[str, Any]]:
    """From left to right and down, each row under its heading."""
    number, y = 1, 0
    for row in rows:
        place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": place,
            "panels": [],
        }
        number, x, y, below = number + 1, 0, y + 1, y + 1
        for panel in row.panels:
            is_number = panel.kind == "number"
            wide, high = (NUMBER_WIDTH, NUMBER_HEIGHT) if is_number else (WIDTH, HEIGHT)
            if x + wide > COLUMNS or (x and high != below - y):
                x, y = 0, below
            below = y + high
            yield {"id": number, "gridPos": {"x": x, "y": y, "w": wide, "h": high}} | _panel(panel)
            number, x = number + 1, x + wide
        y = below


def _panel(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.most is not None:
        defaults["max"] = panel.most
    options: dict[str, Any] = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    if panel.kind == "number":
        del defaults["min"]
        options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "auto", "graphMode": "area"}
    else:
        defaults["custom"] = {"lineWidth": 2, "fillOpacity": 0, "showPoints": "never"}
    return {
        "type": TYPES[panel.kind],
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": one.expression,
             "legendFormat": one.legend, "editorMode": "code", "range": True}
            for place, one in enumerate(panel.questions)
        ],
    }  # fmt: skip


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(dashboard(), encoding="utf-8")
