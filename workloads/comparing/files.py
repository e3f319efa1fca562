"""``comparison.json``, its table, its page and its main figure: the results as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dashboards.comparison import write as write_page
from dashboards.standalone import write_frontier
from workloads.comparing.results import Results
from workloads.run_directory import write_text, writing

DIFFERENCE = ("estimate", "low", "high", "relative", "relative_low", "relative_high", "verdict")


def write(directory: Path, results: Results) -> list[Path]:
    """Write all of them; returns their paths.

    Raises:
        RunError: one cannot be written.
    """
    tree = results.as_tree()
    path, table = directory / "comparison.json", directory / "comparison.csv"
    with writing(directory):
        write_text(path, json.dumps(tree, indent=2) + "\n")
        write_text(table, as_csv(tree))
    page = write_page(path, directory / "comparison.html")
    return [path, table, page, *write_frontier(path, directory / "frontier.svg")]


def as_csv(tree: Mapping[str, Any]) -> str:
    """One row per method, numbers as they are: bytes are bytes, fractions 0 to 1."""
    rows = [_flat(method, len(tree["seeds"])) for method in tree["methods"]]
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _flat(method: Mapping[str, Any], seeds: int) -> dict[str, Any]:
    row = {"method": method["name"], "codec": method["codec"], "seeds": seeds}
    for metric, score in method["scores"].items():
        row |= {metric: score["mean"], f"{metric} error": score["error"]}
    row |= {f"bytes {key}": value for key, value in method["bytes"].items()}
    row["virtual seconds"] = method["virtual_seconds"]
    found = method["difference"] or {}
    row |= {f"difference {key}": found.get(key) for key in DIFFERENCE}
    return row | _to_target(method["to_target"]) | _classes(method["classes"])


def _to_target(way: Mapping[str, Any]) -> dict[str, Any]:
    """Empty where a seed never reached it."""
    row = {"target reached": way["reached"]}
    for key in ("seconds", "bytes"):
        found = way[key] or {}
        row |= {f"target {key}": found.get("mean"), f"target {key} error": found.get("error")}
    for key in ("times_faster", "times_fewer_bytes"):
        row[f"target {key.replace('_', ' ')}"] = (way[key] or {}).get("mean")
    return row


def _classes(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A class's columns bear its name; clients of an unknown one are left to the other files."""
    row: dict[str, Any] = {}
    for one in found:
        if one["name"] is not None:
            row[f"class {one['name']}"] = (one["quality"] or {}).get("mean")
            row[f"class {one['name']} of reference"] = one["of_reference"]
    return row
