"""``summary.json``: what a whole run came to, checked on its way in."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboards.device_classes import DeviceClass, built
from fedras_ray.errors import RunError


@dataclass(frozen=True, slots=True)
class Traffic:
    """Totals of a run; the fields are the keys of ``summary.json``'s ``bytes``, fractions are 0 to 1."""

    up: float
    down: float
    total: float
    wasted: float
    refused: float  # 0 where the run did not tell
    duplicates: float
    dense_up: float
    dense_down: float
    dense_total: float
    reduction_up: float
    reduction_down: float
    reduction_total: float


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary of one run; a quality that was not measured is absent."""

    name: str
    digest: str
    seed: int
    dataset: str
    users: int
    items: int
    interactions: int
    model: str
    codec: str
    schedule: str
    quality: Mapping[str, float]
    popularity: Mapping[str, float]  # of recommending what is popular; empty where it was not computed
    asked: int  # users whose lists were measured; 0 where the run did not tell
    tested: int  # users with a test item
    errors: Mapping[str, float]  # standard errors of the quality; empty where everyone was asked
    traffic: Traffic
    virtual_seconds: float
    versions: int
    client_updates: int
    mean_staleness: float
    classes: tuple[DeviceClass, ...]  # empty where the run did not tell
    participation: Mapping[str, float]  # empty where the run did not tell
    privacy: Mapping[str, float]  # empty where there was no noise
    wall_seconds: float
    updates_per_second: float
    peak_rss_bytes: float
    trace_digest: str


def read(path: Path) -> Summary:
    """The summary in a file.

    Raises:
        RunError: it is missing, is no JSON, or lacks a key; the message names the file and the key.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(
            f"{path}: not found, so this is no run directory or its run has not ended; "
            f"finish it with: fedras run --resume {path.parent}"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read: {error}; {_again(path)}") from error
    return _build(_Tree(path, tree))


@dataclass(frozen=True, slots=True)
class _Tree:
    """A parsed file that knows its name, so that whatever it lacks can be named."""

    path: Path
    root: Any

    def find(self, key: str) -> Any:
        """The value at a dotted key."""
        node = self.root
        for name in key.split("."):
            if not isinstance(node, dict) or name not in node:
                raise RunError(f"{self.path}: key '{key}' is missing; {_again(self.path)}")
            node = node[name]
        return node

    def number(self, key: str) -> float:
        value = self.find(key)
        if not _is_number(value):
            raise RunError(f"{self.path}: key '{key}' is no finite number but {value!r}; {_again(self.path)}")
        return float(value)

    def whole(self, key: str) -> int:
        value = self.find(key)
        return value if isinstance(value, int) else round(self.number(key))

    def text(self, key: str) -> str:
        value = self.find(key)
        if isinstance(value, dict):  # a whole section where its kind was asked for
            value = value.get("kind", "")
        return str(value)

    def scores(self, key: str) -> dict[str, float]:
        """The finite numbers in a section; what was not measured is null, NaN or absent."""
        section = self.find(key)
        if not isinstance(section, dict):
            raise RunError(f"{self.path}: key '{key}' is no section but {section!r}; {_again(self.path)}")
        return {name: float(value) for name, value in section.items() if _is_number(value)}


def _classes(tree: _Tree) -> tuple[DeviceClass, ...]:
    try:
        return built(tree.find("classes"))
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RunError(f"{tree.path}: key 'classes' is broken: {error!r}; {_again(tree.path)}") from error


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer no float can hold
        return False


def _again(path: Path) -> str:
    return f"repeat the run with: fedras run {path.parent / 'config.toml'}"


def _build(tree: _Tree) -> Summary:
    root = tree.root if isinstance(tree.root, dict) else {}
    told = root.get("bytes")
    later = {name: 0.0 for name in ("refused", "duplicates") if isinstance(told, dict) and name not in told}
    found = {name: tree.number(f"bytes.{name}") for name in Traffic.__dataclass_fields__ if name not in later}
    traffic = Traffic(**found, **later)
    return Summary(
        name=tree.text("name"),
        digest=tree.text("digest"),
        seed=tree.whole("seed"),
        dataset=tree.text("dataset.name"),
        users=tree.whole("dataset.users"),
        items=tree.whole("dataset.items"),
        interactions=tree.whole("dataset.interactions"),
        model=tree.text("model"),
        codec=tree.text("codec"),
        schedule=tree.text("schedule"),
        quality=tree.scores("quality"),
        popularity=tree.scores("quality_popularity") if root.get("quality_popularity") else {},
        asked=tree.whole("evaluation.users") if root.get("evaluation") else 0,
        tested=tree.whole("evaluation.of") if root.get("evaluation") else 0,
        errors=tree.scores("evaluation.standard_error") if root.get("evaluation") else {},
        traffic=traffic,
        virtual_seconds=tree.number("virtual_seconds"),
        versions=tree.whole("versions"),
        client_updates=tree.whole("client_updates"),
        mean_staleness=tree.number("mean_staleness"),
        classes=_classes(tree) if root.get("classes") else (),
        participation=tree.scores("participation") if root.get("participation") else {},
        privacy=tree.scores("privacy") if root.get("privacy") else {},
        wall_seconds=tree.number("wall.seconds"),
        updates_per_second=tree.number("wall.updates_per_second"),
        peak_rss_bytes=tree.number("wall.peak_rss_bytes"),
        trace_digest=tree.text("trace_digest"),
    )
