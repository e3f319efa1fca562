"""``comparison.json``: methods beside each other, checked on its way in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboards.targets import ClassShare, Way, shares, way
from fedras_ray.errors import RunError


@dataclass(frozen=True, slots=True)
class Score:
    """A metric over seeds; `error` is the standard error of the mean, 0 for one seed."""

    mean: float
    error: float


@dataclass(frozen=True, slots=True)
class Tested:
    """A method against the reference, as shares of the reference's quality; None where that is 0."""

    estimate: float
    relative: float | None
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Method:
    """One method; `style` is its place, which decides its colour, dash and marker."""

    name: str
    style: int
    codec: str
    scores: Mapping[str, Score]
    traffic: Mapping[str, float]
    virtual_seconds: float
    tested: Tested | None  # None: it is the reference
    way: Way  # to the target
    classes: tuple[ClassShare, ...]
    runs: tuple[str, ...]  # directories, below the comparison's


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of it."""

    name: str
    metric: str
    reference: str
    margin: float
    target: float  # a share of the reference's best quality
    seeds: tuple[int, ...]
    dataset: Mapping[str, Any]
    methods: tuple[Method, ...]
    folder: Path  # that of the file, above those of the runs

    @property
    def base(self) -> Method:
        """The reference."""
        return next(one for one in self.methods if one.name == self.reference)


def read(path: Path) -> Comparison:
    """The comparison in a file.

    Raises:
        RunError: it is missing, is no JSON, or lacks a key.
    """
    try:
        return _built(json.loads(path.read_text(encoding="utf-8")), path.parent)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RunError(f"{path}: cannot be read: {error!r}; repeat the comparison") from error


def _built(tree: Mapping[str, Any], folder: Path) -> Comparison:
    found = Comparison(
        name=str(tree["name"]),
        metric=str(tree["metric"]),
        reference=str(tree["reference"]),
        margin=float(tree["margin"]),
        target=float(tree["target"]),
        seeds=tuple(int(seed) for seed in tree["seeds"]),
        dataset=dict(tree["dataset"]),
        methods=tuple(_method(place, one) for place, one in enumerate(tree["methods"])),
        folder=folder,
    )
    if all(one.name != found.reference for one in found.methods):
        raise LookupError(found.reference)
    return found


def _method(place: int, tree: Mapping[str, Any]) -> Method:
    return Method(
        name=str(tree["name"]),
        style=place,
        codec=str(tree["codec"]),
        scores={
            name: Score(float(score["mean"]), float(score["error"] or 0))
            for name, score in tree["scores"].items()
        },
        traffic={name: float(value) for name, value in tree["bytes"].items()},
        virtual_seconds=float(tree["virtual_seconds"]),
        tested=_tested(tree["difference"]) if tree["difference"] else None,
        way=way(tree["to_target"]),
        classes=shares(tree["classes"]),
        runs=tuple(str(run["directory"]) for run in tree["runs"]),
    )


def _tested(tree: Mapping[str, Any]) -> Tested:
    shares = [tree[name] for name in ("relative", "relative_low", "relative_high")]
    relative, low, high = (None if share is None else float(share) for share in shares)
    return Tested(float(tree["estimate"]), relative, low, high, str(tree["verdict"]))
