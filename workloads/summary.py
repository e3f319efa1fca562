"""What a run comes to: the keys of ``summary.json``."""

from __future__ import annotations

from typing import Any

from fedras_ray.clock import seconds
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.quality import METRICS
from fedras_ray.records import EndRecord, EvaluationRecord
from workloads.sinks import Summary


def summarize(
    experiment: Experiment,
    dataset: Dataset,
    last: EvaluationRecord,
    end: EndRecord,
    wall: dict[str, float],
    popularity: dict[str, float],
    classes: dict[str, Any],
) -> Summary:
    """The summary of a finished run.

    Args:
        experiment: what was run.
        dataset: on what.
        last: the last evaluation.
        end: the last record.
        wall: seconds (all of it), startup_seconds (to the first version), updates_per_second (after
            that, see `Pace`), peak_rss_bytes, pools.
        popularity: the quality of ranking by popularity for the same users.
        classes: the keys of `workloads.device_classes.device_classes`.
    """
    quality, errors = dict(last.quality), dict(last.errors)
    return {
        "name": experiment.name,
        "digest": experiment.digest(),
        "seed": experiment.seed,
        "dataset": {
            "name": dataset.name,
            "users": dataset.user_count,
            "items": dataset.item_count,
            "interactions": len(dataset.train) + len(dataset.test),
            "digest": dataset.digest(),
        },
        "model": experiment.model.kind,
        "codec": experiment.codec.kind,
        "downlink": experiment.downlink.kind,
        "schedule": experiment.schedule.kind,
        "quality": {metric: quality.get(metric) for metric in METRICS},
        "quality_popularity": {metric: popularity.get(metric) for metric in METRICS},
        "evaluation": {
            "users": last.users,
            "of": last.tested,
            "standard_error": {metric: errors.get(metric) for metric in METRICS},
        },
        "bytes": byte_counts(end),
        "virtual_seconds": seconds(end.at_ns),
        "versions": end.versions,
        "client_updates": end.client_updates,
        "downlink_state_bytes": end.downlink_state_bytes,
        "mean_staleness": end.mean_staleness,
        "left_for_later": end.left_for_later,
        **classes,
        "wall": wall,
        "trace_digest": end.trace_digest,
    }


def byte_counts(end: EndRecord) -> dict[str, float]:
    """Bytes by direction, and as reductions (fractions) against dense f32 for the same turns."""
    dense_total = end.dense_up_bytes + end.dense_down_bytes
    total = end.up_bytes + end.down_bytes
    return {
        "up": end.up_bytes,
        "down": end.down_bytes,
        "total": total,
        "catch_up": end.catch_up_bytes,
        "snapshots": end.snapshot_bytes,
        "closing": end.closing_bytes,
        "wasted": end.wasted_bytes,
        "refused": end.refused_bytes,
        "duplicates": end.duplicate_bytes,
        "dense_up": end.dense_up_bytes,
        "dense_down": end.dense_down_bytes,
        "dense_total": dense_total,
        "sparse_up": end.sparse_up_bytes,
        "reduction_up": reduction(end.up_bytes, end.dense_up_bytes),
        "reduction_down": reduction(end.down_bytes, end.dense_down_bytes),
        "reduction_total": reduction(total, dense_total),
        "reduction_up_sparse": reduction(end.up_bytes, end.sparse_up_bytes),
    }


def reduction(byte_count: int, baseline: int) -> float:
    """1 − bytes / baseline; negative where more was sent than the baseline."""
    return 1 - byte_count / baseline if baseline else 0.0
