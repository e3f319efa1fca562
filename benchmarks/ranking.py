"""Users ranked a second, on one core: by counting, and by a matrix of scores as it is for any model.

``python -m benchmarks.ranking --users 20000 --items 100000`` ranks for so many users of made-up
interactions, 40 each, with two tables: *random* rows, and rows as training makes them, longer the more
popular the item is. ``--catalog ml-1m`` takes a data set instead. The matrix is computed for the first
``--matrix`` users alone, as it is slow; both ways have the same hits, or the benchmark stops. Ranking by
popularity is the last line. Seconds are of CPU, the median of ``--times``, the two ways in turn. Peaks are
what NumPy held at the most, by `tracemalloc`, without the data; what PyTorch holds is told from shapes: a
block of 512 KB, or whole matrices. What a million users would take is *extrapolated*: seconds a user, times
a million.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from fedras_ray.config.data import CatalogData, SyntheticData
from fedras_ray.data import load
from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.popularity import popularity_quality
from fedras_ray.evaluation.products import product_hits
from fedras_ray.evaluation.ranking import full_hits
from fedras_ray.streams import Purpose, stream

DEPTH = 20
SCORES = 8_000_000  # of the matrix, at once
MANY = 1_000_000  # users that are spoken of

Floats = NDArray[np.float32]
Users = NDArray[np.int64]


class World(NamedTuple):
    """What is ranked."""

    queries: Floats  # (U, D)
    table: Floats  # (I, D)
    dataset: Dataset


def worlds(dataset: Dataset, width: int) -> dict[str, World]:
    """The same users with two tables."""
    rng = stream(1, Purpose.ITEM_TABLE)
    queries = (0.3 * rng.standard_normal((dataset.user_count, width))).astype(np.float32)
    table = (0.3 * rng.standard_normal((dataset.item_count, width))).astype(np.float32)
    liked = np.log1p(dataset.train.popularity()).astype(np.float32)  # (I,)
    trained, towards = table * liked[:, None] / 3, queries.copy()
    trained[:, 0] += liked
    towards[:, 0] = 1
    return {"random": World(queries, table, dataset), "trained": World(towards, trained, dataset)}


def counted(world: World, users: Users) -> NDArray[np.bool_]:
    """Hits by counting."""
    return product_hits(world.queries[users], world.table, users, world.dataset, DEPTH)


def by_matrix(world: World, users: Users) -> NDArray[np.bool_]:
    """Hits from all scores of some users at once."""
    at_once, parts = max(1, SCORES // len(world.table)), []
    for start in range(0, len(users), at_once):
        some = users[start : start + at_once]
        scores = torch.from_numpy(world.queries[some]) @ torch.from_numpy(world.table).T
        train, test = ([side.of(user) for user in some] for side in (world.dataset.train, world.dataset.test))
        parts.append(full_hits(scores, train, test, DEPTH))
    return np.concatenate(parts)


def cpu_s(work: Callable[[], object]) -> float:
    """Seconds of CPU."""
    began = time.process_time()
    work()
    return time.process_time() - began


def peak_bytes(work: Callable[[], object]) -> int:
    """The most that NumPy held on the way."""
    tracemalloc.start()
    work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def tell(name: str, users: int, seconds: float, more: str = "") -> None:
    """One line."""
    many = seconds / users * MANY
    print(f"{name:28} {users / seconds:>10,.0f} users/s; {MANY:,} users: {many:,.0f} s, extrapolated{more}")


def measure(name: str, world: World, users: Users, few: Users, times: int) -> None:
    """Both ways in turn.

    Raises:
        SystemExit: they differ.
    """
    counted(world, few[:1])  # kernels are compiled
    if not np.array_equal(counted(world, few), by_matrix(world, few)):
        raise SystemExit(f"{name}: the two ways differ")
    pairs = [
        (cpu_s(lambda: counted(world, users)), cpu_s(lambda: by_matrix(world, few))) for _ in range(times)
    ]
    new, old = np.median(pairs, axis=0)
    held = peak_bytes(lambda: counted(world, users)) / 1e6
    matrix = min(len(few), SCORES // len(world.table)) * len(world.table) / 1e6
    tell(f"{name}, counted", len(users), new, f"; peak {held:,.1f} MB")
    tell(f"{name}, matrix", len(few), old, f"; at least {13 * matrix:,.0f} MB: f32, f64 and a mask")
    print(f"{name}: {old / len(few) / (new / len(users)):,.0f} times as fast")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--matrix", type=int, default=500, help="users of the matrix")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--catalog", help="a data set instead of made-up interactions")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    made = SyntheticData(kind="synthetic", users=asked.users, items=asked.items)
    dataset = load(CatalogData(name=asked.catalog) if asked.catalog else made, 1)
    users = np.flatnonzero(dataset.test.counts() > 0)
    print(f"{len(users):,} users with a test item, {dataset.item_count:,} items, width {asked.width}")
    for name, world in worlds(dataset, asked.width).items():
        measure(name, world, users, users[: asked.matrix], asked.times)
    tell("popularity", len(users), cpu_s(lambda: popularity_quality(dataset, 0, 1)))


if __name__ == "__main__":
    main()
