"""What `tests.inputs.fuzz` feeds: a reader, a few sound files, and words that mean something to it."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from dashboards import summary
from fedras_ray.config import build, read
from fedras_ray.config.client import MatrixFactorization
from fedras_ray.config.data import FileData
from fedras_ray.config.fleet import FileFleet
from fedras_ray.config.network import TraceAvailability, TraceVariation
from fedras_ray.data import load
from fedras_ray.data.folders import read_folder
from fedras_ray.data.text import RATINGS_DAT, U_DATA, read_text
from fedras_ray.fleet.build import build_fleet
from fedras_ray.fleet.traces import read_factors, read_presence
from fedras_ray.models.build import build_model
from fedras_ray.models.start import first_items
from fedras_ray.records import EvaluationRecord
from fedras_ray.streams import Purpose, stream
from tests.dashboards.conftest import Story, summary_of
from tests.inputs import checkpoints

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Target:
    """A reader of bytes; `read` raises a `FedrasError` or returns."""

    read: Callable[[bytes, Random, Path], Any]
    seeds: list[bytes]
    words: list[bytes]


def experiment_file(content, _, folder):
    path = folder / "experiment.toml"
    path.write_bytes(content)
    experiment = read(path)
    path.write_text(experiment.to_toml(), encoding="utf-8")
    assert read(path).digest() == experiment.digest(), "what is written is not what was read"


def overrides(content, draw, _):
    lines = content.decode("utf-8", errors="surrogateescape").split("\n")
    build({}, draw.sample(lines, min(len(lines), 4)))


def ratings(content, draw, folder):
    ending = ".parquet" if content.startswith(b"PAR1") else ".csv"
    if b"\t" in content[:80]:
        ending = ".inter" if b":token" in content[:80] else ".tsv"
    (folder / f"r{ending}").write_bytes(content)
    maybe = {name: draw.choice([None, None, name]) for name in ("rating", "timestamp", "label")}
    split = draw.choice(["leave-last-out", "ratio", "temporal"])
    named = {name: column for name, column in maybe.items() if column}
    tree = {"kind": "file", "path": str(folder / f"r{ending}"), "split": {"kind": split}, **named}
    load(FileData.model_validate(tree), draw.randrange(9))


def movielens(content, draw, folder):
    (folder / "u.data").write_bytes(content)
    read_text(folder / "u.data", draw.choice([U_DATA, RATINGS_DAT]))


def presplit(content, _, folder, pairs=False):
    files = content.split(b"---\n")
    for name, part in zip(("train.txt", "test.txt", "negatives.txt"), [*files, b"", b"", b""], strict=False):
        (folder / name).write_bytes(part)
    read_folder(folder, pairs=pairs)


def devices(content, _, folder):
    path = folder / ("f.parquet" if content.startswith(b"PAR1") else "f.csv")
    path.write_bytes(content)
    build_fleet(FileFleet(kind="file", path=str(path)), 5, 1)


def link_trace(content, draw, folder):
    (folder / "link.csv").write_bytes(content)
    period_s = draw.choice([None, 10.0])
    read_factors(TraceVariation(kind="trace", file=str(folder / "link.csv"), period_s=period_s))


def presence_trace(content, _, folder):
    (folder / "on.csv").write_bytes(content)
    read_presence(TraceAvailability(kind="trace", file=str(folder / "on.csv"), period_s=100.0))


def first_table(content, _, folder):
    (folder / "start.npz").write_bytes(content)
    config = MatrixFactorization(width=4, start=str(folder / "start.npz"))
    first_items(config, build_model(config), 3, stream(1, Purpose.ITEM_TABLE))


def run_summary(content, _, folder):
    (folder / "summary.json").write_bytes(content)
    summary.read(folder / "summary.json")


def _summary():
    story = Story("actions", "sync", versions=3, clients=5, every=1, seed=1)
    last = [record for record in story.records() if isinstance(record, EvaluationRecord)][-1]
    return summary_of(story, "x", 1, dict(last.quality), "ml-100k")


def _parquet(**columns):
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _npz(**arrays):
    sink = io.BytesIO()
    np.savez(sink, **arrays)
    return sink.getvalue()


_ROWS = [(user, item, 1 + item % 5, 100 * item + user, item % 2) for user in range(4) for item in range(5)]
_HEAD = ("user_id", "item_id", "rating", "timestamp", "label")
_TYPED = tuple(f"{name}:token" for name in _HEAD)
_COLUMNS = {name: list(column) for name, column in zip(_HEAD, zip(*_ROWS, strict=True), strict=True)}
_LINKS = {"uplink_bytes_per_s": [1e3, 2e3], "downlink_bytes_per_s": [1e4, 2e4]}


def _table(mark, rows, head=_HEAD):
    return "\n".join(mark.join(map(str, row)) for row in [head, *rows]).encode()


_KINDS = b"dense|sparse|actions|gain-shape|product|buffered|async|tiered|custom|file|synthetic|lanes|lattice"
_CONFIG_WORDS = [
    *_KINDS.split(b"|"),
    *b"kind|codec|downlink|schedule|server|options|name|seed|[[codec]]|[codec.x]|{}|[]|''|true|2024-01-01|=|.".split(
        b"|"
    ),
    b"[" * 600,
    b"a." * 600,
    b"9" * 4_400,
    b"0x" + b"f" * 5_000,
]
_EXPERIMENTS = [path.read_bytes() for path in sorted((ROOT / "workloads" / "experiments").glob("*.toml"))]
_TEXT_WORDS = [
    b"user_id",
    b"item_id",
    b"1_0",
    b"2024-01-01",
    b"7.5",
    b"\t",
    b";",
    b" ",
    b"9" * 140_000,
    b"---\n",
]

TARGETS = {
    "experiment": Target(experiment_file, [*_EXPERIMENTS, build({}).to_toml().encode()], _CONFIG_WORDS),
    "overrides": Target(
        overrides, [b"seed=3", b"codec.kind=dense", b"schedule={kind='sync'}\ncodec.kind=grid"], _CONFIG_WORDS
    ),
    "ratings": Target(
        ratings,
        [_table(",", _ROWS), _table("\t", _ROWS), _table("\t", _ROWS, _TYPED), _parquet(**_COLUMNS)],
        _TEXT_WORDS,
    ),
    "movielens": Target(movielens, [b"1\t2\t3\t4\n1\t3\t4\t5\n2\t2\t1\t9\n"], [*_TEXT_WORDS, b"::"]),
    "folder": Target(presplit, [b"0 1 2\n1 2 3\n---\n0 3\n1 1\n---\n0 4 5\n1 4 5\n"], _TEXT_WORDS),
    "folder of pairs": Target(
        partial(presplit, pairs=True), [b"0 1 1\n1 2 1\n---\n0 2 1\n1 3 1\n---\n0 4 5\n1 4 5\n"], _TEXT_WORDS
    ),
    "fleet": Target(
        devices,
        [
            b"uplink_bytes_per_s,downlink_bytes_per_s,slowness,device_class\n1000,2000,1,old\n3000,100,2,new\n",
            _parquet(**_LINKS, slowness=[1.0, 2.0]),
        ],
        [*_TEXT_WORDS, b"latency_s", b"energy_class", b"phone-4g", b"train_s_per_sample"],
    ),
    "link trace": Target(link_trace, [b"t_s,factor\n0,1\n5,2\n7,0\n"], _TEXT_WORDS),
    "presence trace": Target(presence_trace, [b"client,on_s,off_s\n0,1,5\n1,2,9\n"], _TEXT_WORDS),
    "first table": Target(
        first_table, [_npz(items=np.zeros((3, 4), np.float32))], [b"items", b"\x93NUMPY", b"|O"]
    ),
    "checkpoint": Target(checkpoints.read, [checkpoints.sound()], checkpoints.MARKS),
    "summary": Target(run_summary, [json.dumps(_summary()).encode()], [b"{}", b"[" * 3_000, b"null", b"NaN"]),
}
