"""What the turns of a finished run come to, from ``records.parquet`` and ``users.parquet``.

By device class: what turns cost and how good lists are. Over all: how evenly clients took part, how well
the time of their turns was predicted, and what the noise that they added comes to.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from dashboards.predictions import COLUMNS as PREDICTIONS
from dashboards.predictions import PREDICTED, predictions
from dashboards.recorded import FILE, NANOS, floats, rows, whole, words
from fedras_ray.config.privacy import PrivacyConfig
from fedras_ray.evaluation.classes import Turns, by_class, turns_per_class, turns_per_client
from fedras_ray.evaluation.fairness import gini, jain
from workloads.guarantee import guarantee
from workloads.user_quality import read_all

COLUMNS = (
    "client",
    "device_class",
    "fate",
    "actions",
    "up_bytes",
    "down_bytes",
    "dispatched_at_ns",
    "arrived_at_ns",
)
USED = "used"


def read_turns(directory: Path) -> Turns:
    """The turns of a run.

    Raises:
        RunError: its records cannot be read.
    """
    table = rows(directory / FILE, "turn", COLUMNS)
    classes, names = words(table["device_class"])
    fates, fate_names = words(table["fate"])
    used = np.array([name == USED for name in fate_names], dtype=np.bool_)
    return Turns(
        client=whole(table["client"]),
        device_class=classes,
        class_names=names,
        used=used[fates],
        actions=whole(table["actions"]),
        up_bytes=whole(table["up_bytes"]),
        down_bytes=whole(table["down_bytes"]),
        turn_s=(floats(table["arrived_at_ns"]) - floats(table["dispatched_at_ns"])) / NANOS,
    )


def device_classes(directory: Path, clients: int, privacy: PrivacyConfig) -> dict[str, Any]:
    """What ``summary.json`` says of a run's classes, of who took part, of predicted times and of noise.

    Args:
        directory: of the run, with its records and its users' quality.
        clients: how many there are.
        privacy: the noise that they added.

    Raises:
        RunError: a file of the run cannot be read.
    """
    turns = read_turns(directory)
    users, quality = read_all(directory)
    classes = by_class(turns, clients, users, quality)
    return {
        "classes": [asdict(one) for one in classes],
        "participation": participation(turns, clients),
        "prediction": prediction(directory),
        "privacy": guarantee(privacy, turns_per_client(turns, clients)),
    }


def participation(turns: Turns, clients: int) -> dict[str, float]:
    """How the turns were spread over all clients, those that had none included."""
    counts = turns_per_client(turns, clients)
    return {
        "clients": clients,
        "asked": int((counts > 0).sum()),
        "most_turns": int(counts.max(initial=0)),
        "gini": gini(counts),
        "jain": jain(counts),
        "jain_classes": jain(turns_per_class(turns)),
    }


def prediction(directory: Path) -> dict[str, float] | None:
    """How far predicted times of turns are from actual ones, |actual − predicted| / actual.

    Returns:
        None where nothing was predicted: the policy is `none`.

    Raises:
        RunError: the records cannot be read.
    """
    found = predictions(rows(directory / FILE, "turn", PREDICTIONS, maybe=(PREDICTED,)))
    return None if found is None else {"turns": found.turns, "median": found.median, "p95": found.p95}
