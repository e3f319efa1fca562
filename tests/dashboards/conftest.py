"""Made-up run directories with the shapes of real ones: a synchronous dense run, a buffered adaptive one.

Bytes, times and quality follow simple formulas; nothing here is a claim about any method.
"""

import heapq
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fedras_ray.config.reading import build
from fedras_ray.records import EndRecord, EvaluationRecord, Fate, Record, TurnRecord, VersionRecord, rows
from tests.dashboards.looking import fetched

ITEMS, WIDTH, S = 1682, 32, 10**9
DENSE = ITEMS * WIDTH * 4 + 24
CLASSES = (("phone, high", 4.0e6, 0.6), ("phone, mid", 1.5e6, 1.0), ("phone <low>", 3.0e5, 2.2))

NEVER_ASKED = {
    "name": None, "clients": 0, "turns": 0, "used": 0, "wasted": 0, "median_actions": None,
    "up_bytes_per_turn": None, "down_bytes_per_turn": None, "median_turn_seconds": None,
    "p95_turn_seconds": None, "users": 340, "quality": {"ndcg@10": 0.0412, "recall@20": 0.08},
}  # fmt: skip
MakeRun = Callable[..., Path]


class Story:
    """A made-up simulation: yields records the way the kernel does."""

    def __init__(self, codec: str, schedule: str, versions: int, clients: int, every: int, seed: int) -> None:
        self.codec, self.schedule, self.every = codec, schedule, every
        self.versions, self.clients = versions, clients
        self.oldest = 10_000  # versions; what is staler is wasted
        self.rng = np.random.default_rng(seed)
        self.at = self.up = self.down = self.sparse = self.wasted = self.updates = self.turns = 0
        self.staleness = 0.0
        self.late: list[tuple[int, int, TurnRecord]] = []

    def records(self) -> Iterator[Record]:
        yield self.evaluation(0)
        for version in range(1, self.versions + 1):
            arrived = self.arrivals(version - 1)
            yield from arrived
            stale = sum(turn.staleness for turn in arrived) / len(arrived)
            self.staleness += stale * len(arrived)
            self.updates += len(arrived)
            yield VersionRecord(
                version=version, updates=len(arrived), mean_staleness=stale, in_flight=len(self.late),
                train_loss=0.69 * math.exp(-version / 60), client_updates=self.updates, **self.totals(),
            )  # fmt: skip
            if version % self.every == 0 or version == self.versions:
                yield self.evaluation(version)
        yield EndRecord(
            versions=self.versions, client_updates=self.updates, trace_digest="ab12" * 16,
            mean_staleness=self.staleness / self.updates, closing_bytes=0, refused_bytes=0, duplicate_bytes=0,
            participation_gini=0.3, participation_jain=0.8, **self.totals(),
        )  # fmt: skip

    def totals(self) -> dict[str, int]:
        return {
            "at_ns": self.at, "up_bytes": self.up, "down_bytes": self.down, "wasted_bytes": self.wasted,
            "catch_up_bytes": 0, "snapshot_bytes": 0, "downlink_state_bytes": 0, "left_for_later": 0,
            "dense_up_bytes": self.turns * DENSE, "dense_down_bytes": self.turns * DENSE,
            "sparse_up_bytes": self.sparse,
        }  # fmt: skip

    def arrivals(self, version: int) -> list[TurnRecord]:
        wanted = self.clients if self.schedule == "sync" else max(1, self.clients // 4)
        while len(self.late) < self.clients:
            turn = self.turn(version)
            heapq.heappush(self.late, (turn.arrived_at_ns, self.turns, turn))
        found = [heapq.heappop(self.late)[2] for _ in range(wanted)]
        self.at = found[-1].arrived_at_ns
        return [self.arrive(turn, version) for turn in found]

    def arrive(self, turn: TurnRecord, version: int) -> TurnRecord:
        self.up += turn.up_bytes
        self.down += turn.down_bytes
        self.sparse += turn.sparse_up_bytes
        names = turn.__dataclass_fields__
        values = {name: getattr(turn, name) for name in names} | {"staleness": version - turn.version}
        if version - turn.version > self.oldest:
            values["fate"] = Fate.WASTED
            self.wasted += turn.up_bytes
        return TurnRecord(**values)

    def turn(self, version: int) -> TurnRecord:
        self.turns += 1
        name, speed, slowness = CLASSES[self.rng.choice(3, p=(0.25, 0.5, 0.25))]
        samples, touched = int(self.rng.gamma(1.2, 700)) + 20, int(self.rng.gamma(1.5, 150)) + 10
        k = {"dense": 0, "actions": 16}.get(self.codec, int(np.clip(self.rng.gamma(4, 3), 2, 64)))
        up = DENSE if not k else 60 + k * WIDTH * 4 + touched * math.ceil(math.log2(k) + 2) // 8
        down = DENSE if self.codec == "dense" else DENSE // 40
        link = speed * float(self.rng.lognormal(0, 0.4))
        start = self.at + int((0.056 + down / link) * S)
        trained = start + int(samples * 1e-3 * slowness * S)
        return TurnRecord(
            int(self.rng.integers(943)), name, 0, version, self.at, start, trained,
            trained + int((0.056 + up / link) * S), down, up, 0, 0, 0, DENSE, DENSE, touched * WIDTH * 4,
            samples, touched, k, 2, 0, 0, 0, Fate.USED,
        )  # fmt: skip

    def evaluation(self, version: int) -> EvaluationRecord:
        grown = (1 - math.exp(-version / 35)) * (0.985 if self.codec == "adaptive" else 1.0)
        wobble = float(self.rng.normal(0, 0.004))
        tops = {"ndcg@10": 0.078, "ndcg@20": 0.084, "recall@10": 0.12, "recall@20": 0.19,
                "sampled_hr@10": 0.55, "sampled_ndcg@10": 0.325}  # fmt: skip
        floors = {"sampled_hr@10": 0.1, "sampled_ndcg@10": 0.055}
        scores = {name: floors.get(name, 0.005) + top * grown * (1 + wobble) for name, top in tops.items()}
        return EvaluationRecord(
            version, self.at, self.up, self.down, 943, 943, tuple(sorted(scores.items())), ()
        )


def summary_of(
    story: Story, name: str, seed: int, quality: dict[str, float], dataset: str
) -> dict[str, object]:
    """The keys of DESIGN.md §7."""
    dense = story.turns * DENSE
    return {
        "name": name, "digest": f"{seed:02x}c4" * 16, "seed": seed,
        "dataset": {"name": dataset, "users": 943, "items": ITEMS, "interactions": 100_000},
        "model": "mf", "codec": story.codec, "schedule": story.schedule, "quality": quality,
        "quality_popularity": {"ndcg@10": 0.0412, "recall@20": 0.1021, "sampled_ndcg@10": 0.2441},
        "bytes": {
            "up": story.up, "down": story.down, "total": story.up + story.down, "wasted": story.wasted,
            "refused": 0, "duplicates": 0,
            "dense_up": dense, "dense_down": dense, "dense_total": 2 * dense,
            "reduction_up": 1 - story.up / dense, "reduction_down": 1 - story.down / dense,
            "reduction_total": 1 - (story.up + story.down) / (2 * dense),
        },
        "virtual_seconds": story.at / S, "versions": story.versions, "client_updates": story.updates,
        "mean_staleness": story.staleness / story.updates,
        "classes": [
            {
                "name": name, "clients": 200 + place, "turns": 800, "used": 790 - place, "wasted": 10 + place,
                "median_actions": 16.0, "up_bytes_per_turn": 4321.0, "down_bytes_per_turn": 9876.0,
                "median_turn_seconds": 1.5 * slowness, "p95_turn_seconds": 4.0 * slowness,
                "users": 190 + place, "quality": {"ndcg@10": 0.07 - 0.001 * place, "recall@20": 0.11},
            }
            for place, (name, _, slowness) in enumerate(CLASSES)
        ] + [NEVER_ASKED],
        "participation": {"clients": 943, "asked": 603, "most_turns": 9},
        "wall": {"seconds": 21.4, "updates_per_second": story.updates / 21.4, "peak_rss_bytes": 611_000_000},
        "trace_digest": "ab12" * 16,
    }  # fmt: skip


@pytest.fixture(scope="session")
def modules(tmp_path_factory):
    """Where the packages are that drive Chromium."""
    return fetched(tmp_path_factory.mktemp("npm"))


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """``make_run(name, codec=…, schedule=…)`` writes a run directory and returns it."""

    def make(
        name: str = "ml-100k-fedras", codec: str = "actions", schedule: str = "sync", versions: int = 40,
        clients: int = 24, every: int = 4, seed: int = 1, dataset: str = "ml-100k", oldest: int = 10_000,
    ) -> Path:  # fmt: skip
        folder = tmp_path / f"{name}-{codec}-{schedule}-{seed}"
        folder.mkdir(parents=True)
        story = Story(codec, schedule, versions, clients, every, seed)
        story.oldest = oldest
        written = list(story.records())
        pq.write_table(pa.Table.from_pylist(_padded(rows(written))), folder / "records.parquet")
        last = [record for record in written if isinstance(record, EvaluationRecord)][-1]
        summary = summary_of(story, name, seed, dict(last.quality), dataset)
        (folder / "summary.json").write_text(json.dumps(summary, indent=2))
        kind = "dense" if codec == "dense" else "actions"
        experiment = build({"seed": seed, "codec": {"kind": kind}, "schedule": {"kind": schedule}})
        (folder / "config.toml").write_text(experiment.to_toml())
        return folder

    return make


def _padded(table: list[dict[str, object]]) -> list[dict[str, object]]:
    """Every row with every column, null where it has none: `from_pylist` takes the first row's columns."""
    names = dict.fromkeys(name for row in table for name in row)
    return [{name: row.get(name) for name in names} for row in table]
