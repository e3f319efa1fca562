"""What is in the files: a checkpoint with the newest records, and parts with the older ones.

A checkpoint names how many parts come before its own records, so that going on from it leaves records exactly
where it was taken; a part is written once, before the first checkpoint that counts on it. Records are kept as
snapshots of their own inside, each a stretch, so that what was said is made into bytes once however many
checkpoints it is in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fedras_ray import __version__
from fedras_ray.checkpoints import Plain
from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.errors import RunError, SnapshotError, excerpt
from fedras_ray.snapshots.container import MADE_UP, Contents, ForeignSnapshotError, Piece, packed, unpacked
from fedras_ray.snapshots.sealed import opened, sealed
from fedras_ray.snapshots.writer import Array
from fedras_ray.stretches import Stretch
from workloads.checkpoints.store import Store
from workloads.speech import say
from workloads.tracking.flat import flatten

SUFFIX, PART = ".checkpoint", ".part"
MOST_NAMED = 3  # differences


class Found(NamedTuple):
    """A checkpoint to go on from."""

    plain: Plain
    parted: list[Stretch]  # everything said before it that is in parts
    tail: list[Stretch]  # and what is not
    parts: int


def checkpoint_name(version: int) -> str:
    """Of a checkpoint's file; names are in the order of versions."""
    return f"version-{version:09d}{SUFFIX}"


def part_name(number: int) -> str:
    """Of a file of records."""
    return f"records-{number:07d}{PART}"


def about(experiment: Experiment, dataset: Dataset) -> dict[str, Any]:
    """What must be the same for a checkpoint to be gone on with."""
    tree = experiment.model_dump(mode="json", exclude={"tracking", "execution", "checkpoint"})
    execution = experiment.execution
    tree["execution"] = {"shards": execution.shards, "device": execution.device}
    return {
        "program": __version__,
        "experiment": experiment.digest(),
        "dataset": dataset.digest(),
        "tree": json.dumps(tree),  # text once, and not for each checkpoint
    }


class Said:
    """A stretch, and its bytes as soon as they are needed."""

    def __init__(self, stretch: Stretch) -> None:
        self._stretch = stretch
        self._blob: Array | None = None

    def __len__(self) -> int:
        """How many records there are."""
        return len(self._stretch)

    @property
    def blob(self) -> Array:
        """A snapshot of the stretch, as an array of bytes."""
        if self._blob is None:
            one = self._stretch
            self._blob = np.frombuffer(sealed((one.class_names, one.table(), one.others)), np.uint8)
        return self._blob


def checkpoint_pieces(
    told: dict[str, Any], plain: Plain, parts: int, records: Sequence[Said]
) -> Iterator[Piece]:
    """The file of a checkpoint."""
    about = {**told, "version": plain.version, "parts": parts}
    trees = [plain.simulation, plain.results, plain.views]
    return packed(Contents(about, trees, [*plain.arrays, plain.shards, [one.blob for one in records]]))


def part_pieces(told: dict[str, Any], records: Sequence[Said]) -> Iterator[Piece]:
    """The file of some records."""
    return packed(Contents({"experiment": told["experiment"]}, [], [[one.blob for one in records]]))


def newest(store: Store, told: dict[str, Any]) -> Found | None:
    """The newest checkpoint that is whole; None: there is none. A damaged one is passed over, and said.

    Raises:
        RunError: there is one, and it is not of this experiment, these data, or this program.
    """
    for name in reversed(checkpoints(store)):
        try:
            return found(store, name, told)
        except ForeignSnapshotError as error:
            raise RunError(f"checkpoint {name} {error}; run without --resume to begin anew") from error
        except (OSError, SnapshotError) as error:
            say(f"checkpoint {name} {error}; the one before is taken")
    return None


def checkpoints(store: Store) -> list[str]:
    """The names of all, the oldest first.

    Raises:
        RunError: the store cannot be read.
    """
    try:
        return [name for name in store.names() if name.endswith(SUFFIX)]
    except OSError as error:
        raise RunError(f"checkpoints cannot be read: {error}") from error


def found(store: Store, name: str, told: dict[str, Any]) -> Found:
    """One checkpoint, with the records before it.

    Raises:
        OSError: a file is not there.
        SnapshotError: a file is damaged, or not what it should be.
        RunError: it is of another run.
    """
    contents = unpacked(store.read(name))
    try:
        _check(name, contents.about, told)
        parts, version = int(contents.about["parts"]), int(contents.about["version"])
        records = [one for number in range(parts) for one in _part(store, number)]
        simulation, results, views = contents.trees
        shards, tail = contents.arrays[3:]
        plain = Plain(version, simulation, results, views, contents.arrays[:3], shards)
        return Found(plain, records, _stretches(tail), parts)
    except MADE_UP as error:
        raise SnapshotError(f"is no checkpoint: {type(error).__name__}: {excerpt(str(error))}") from error


def _part(store: Store, number: int) -> list[Stretch]:
    return _stretches(unpacked(store.read(part_name(number))).arrays[0])


def _check(name: str, found: dict[str, Any], told: dict[str, Any]) -> None:
    if found["experiment"] != told["experiment"]:
        problem = f"is of another experiment: {differences(*map(json.loads, (found['tree'], told['tree'])))}"
    elif found["dataset"] != told["dataset"]:
        problem = "is of other data: their digest changed"
    elif found["program"] != told["program"]:
        problem = f"was written by version {found['program']} of this program, and this is {told['program']}"
    else:
        return
    raise RunError(f"checkpoint {name} {problem}; run without --resume to begin anew")


def differences(was: dict[str, Any], now: dict[str, Any]) -> str:
    """The first keys whose values differ."""
    before, after = flatten(was), flatten(now)
    keys = [key for key in sorted(before | after) if before.get(key) != after.get(key)]
    named = [
        f"{key} was {_spoken(before.get(key))}, is {_spoken(after.get(key))}" for key in keys[:MOST_NAMED]
    ]
    return "; ".join(named) + (f"; and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else "")


def _spoken(value: Any) -> str:
    return json.dumps(value)


def _stretches(blobs: Sequence[Array]) -> list[Stretch]:
    return [Stretch(*opened(blob.tobytes())) for blob in blobs]
