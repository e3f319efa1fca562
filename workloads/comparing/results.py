"""What a comparison came to: means over seeds, bytes, differences to the reference, and time to target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fedras_ray.evaluation.comparison import CONFIDENCE, Difference
from workloads.comparing.classes import ClassQuality, classes
from workloads.comparing.pairs import difference
from workloads.comparing.plan import Plan, headline
from workloads.comparing.runs import Task, read_summary
from workloads.comparing.scores import Score, mean, score
from workloads.comparing.target import Target, targets
from workloads.sinks import Summary

SHOWN = ("sampled_ndcg@10", "ndcg@10", "ndcg@20", "recall@20")
BYTES = ("up", "down", "total", "reduction_up", "reduction_down", "reduction_total")


@dataclass(frozen=True, slots=True)
class MethodResult:
    """One row of the table."""

    name: str
    codec: str
    scores: Mapping[str, Score]  # those of `SHOWN` that were measured, and the headline
    bytes: Mapping[str, float]  # of one run, a mean over seeds; reductions are fractions of dense f32
    virtual_seconds: float
    difference: Difference | None  # None: it is the reference
    to_target: Target
    classes: tuple[ClassQuality, ...]  # device classes, and last, under no name, clients of an unknown one
    runs: tuple[tuple[int, str, str], ...]  # seed, directory within the comparison's, trace digest


@dataclass(frozen=True, slots=True)
class Results:
    """The whole table."""

    plan: Plan
    metric: str
    dataset: Mapping[str, Any]  # of the first run
    methods: tuple[MethodResult, ...]

    def as_tree(self) -> dict[str, Any]:
        """What ``comparison.json`` holds."""
        return {
            "name": self.plan.name,
            "metric": self.metric,
            "reference": self.plan.reference,
            "margin": self.plan.margin,
            "target": self.plan.target,
            "confidence": CONFIDENCE,
            "seeds": list(self.plan.seeds),
            "dataset": dict(self.dataset),
            "methods": [_tree(one) for one in self.methods],
        }


def gather(plan: Plan, tasks: Sequence[Task]) -> Results:
    """Read the finished runs of a comparison.

    Raises:
        RunError: one of them cannot be read, or two cannot be paired.
    """
    summaries = {(task.method, task.experiment.seed): read_summary(task.directory) for task in tasks}
    directories = {
        name: {t.experiment.seed: t.directory for t in tasks if t.method == name} for name in plan.methods
    }
    first = summaries[plan.reference, plan.seeds[0]]
    measured = [name for name, value in first["quality"].items() if value is not None]
    metric = headline(plan.metric, measured)
    shown = [name for name in SHOWN if name in measured]
    shown += [metric] if metric not in shown else []
    ways = targets(directories, plan.reference, metric, plan.target)

    base = directories[plan.reference]
    tested = {
        name: difference(own, base, metric, plan.margin)
        for name, own in directories.items()
        if name != plan.reference
    }
    devices = classes(plan, directories, metric)

    def result(name: str) -> MethodResult:
        own = [summaries[name, seed] for seed in plan.seeds]
        return MethodResult(
            name=name,
            codec=own[0]["codec"],
            scores={one: score([summary["quality"][one] for summary in own]) for one in shown},
            bytes={key: mean([summary["bytes"][key] for summary in own]) for key in BYTES},
            virtual_seconds=mean([summary["virtual_seconds"] for summary in own]),
            difference=tested.get(name),
            to_target=ways[name],
            classes=devices[name],
            runs=tuple(_run(seed, directories[name][seed], summaries[name, seed]) for seed in plan.seeds),
        )

    return Results(plan, metric, first["dataset"], tuple(result(name) for name in plan.methods))


def _run(seed: int, directory: Path, summary: Summary) -> tuple[int, str, str]:
    return seed, directory.name, str(summary["trace_digest"])


def _tree(one: MethodResult) -> dict[str, Any]:
    tree = asdict(one)
    tree["runs"] = [dict(zip(("seed", "directory", "trace_digest"), run, strict=True)) for run in one.runs]
    if one.difference is not None:
        found = one.difference
        tree["difference"] |= {
            "relative": found.relative(found.estimate),
            "relative_low": found.relative(found.low),
            "relative_high": found.relative(found.high),
            "seeds_judged": found.seeds_judged,
            "within_margin": found.within_margin,
            "lower": found.lower,
            "verdict": found.verdict.value,
        }
    return tree
