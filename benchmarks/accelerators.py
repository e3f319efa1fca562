"""What a GPU is worth: ``python -m benchmarks.accelerators [--device cuda] [--only runs training …]``.

Each part is done by the processor, on one thread and by machine code where there is some, and by the device;
by turns, after one round that is not counted. Told are medians, their ratio, and how far the results are from
each other:

* training: a cohort of clients, matrix factorisation at two widths and a model of two layers by autograd;
* clustering: their updates into 16 actions, on the line and by ten rounds of k-means;
* ranking: recall and NDCG of users over a whole catalogue;
* runs: whole runs in one process, data as wide and long as MovieLens-1M, whose events are compared by digest.

``--device`` may also be torch's processor, "torch", which says what the same code is worth without a GPU.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from unittest import mock

import numpy as np
import torch

from fedras_ray.codecs.accelerated import books_on_device
from fedras_ray.codecs.cohort import Books, codebooks, codebooks_each
from fedras_ray.config import Experiment, build
from fedras_ray.data import load
from fedras_ray.evaluation.accelerated import product_hits_on_device
from fedras_ray.evaluation.products import product_hits
from fedras_ray.executor import SerialExecutor
from fedras_ray.models.base import LossModel
from fedras_ray.models.build import build_model
from fedras_ray.population import population_of
from fedras_ray.records import EvaluationRecord, VersionRecord
from fedras_ray.simulation import simulate
from fedras_ray.streams import Purpose, stream
from fedras_ray.tensors import accelerator
from fedras_ray.training.local import LocalTraining, Turns
from fedras_ray.training.ragged import Trained
from workloads.experiments import find

ML_1M = {"kind": "synthetic", "users": 6_040, "items": 3_706, "mean_interactions": 165}


@dataclass(frozen=True)
class TwoLayers(LossModel):
    """A model that only autograd knows: a user's rows go through a hidden layer of its own."""

    width: int = 32
    hidden: int = 16

    @property
    def private_width(self) -> int:
        return self.width * self.hidden + self.hidden

    def loss(self, rows: Any, private: Any, weight: Any, positive: Any) -> Any:
        inner, outer = private.split([self.width * self.hidden, self.hidden], dim=1)
        hidden = torch.relu(torch.bmm(rows, inner.view(-1, self.width, self.hidden)))
        logits = torch.bmm(hidden, outer[:, :, None])[:, :, 0]
        return (weight * torch.nn.functional.softplus(logits) - positive * logits).sum(dim=1)

    def initial_items(self, item_count: int, rng: np.random.Generator) -> np.ndarray:
        return (0.1 * rng.standard_normal((item_count, self.width))).astype(np.float32)

    def initial_private(self, clients: int, rng: np.random.Generator) -> np.ndarray:
        return (0.1 * rng.standard_normal((clients, self.private_width))).astype(np.float32)


def compared(repetitions: int, here: Callable[[], Any], there: Callable[[], Any]) -> tuple[float, float]:
    """Median seconds of each, by turns."""
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(repetitions + 1):
        for one, times in ((here, took[0]), (there, took[1])):
            began_s = time.perf_counter()
            one()
            if number:
                times.append(time.perf_counter() - began_s)
    return statistics.median(took[0]), statistics.median(took[1])


def tell(what: str, each: str, count: int, times: tuple[float, float], found: str) -> None:
    here, there = (1e6 * one / count for one in times)
    print(f"  {what:46} {here:9.1f} → {there:8.1f} µs {each}, × {here / there:6.1f}; {found}", flush=True)


def apart(here: np.ndarray, there: np.ndarray) -> float:
    """The largest difference, as a share of the largest magnitude."""
    return float(np.abs(here - there).max() / np.abs(here).max())


def world(width: int, **training: float) -> Experiment:
    return build({"data": ML_1M, "model": {"width": width}, "training": training, "execution": {"shards": 1}})


def train(
    experiment: Experiment, model: Any, clients: int, device: torch.device | None
) -> Callable[[], Trained]:
    dataset = load(experiment.data, experiment.seed)
    table = model.initial_items(dataset.item_count, stream(1, Purpose.ITEM_TABLE))
    private = model.initial_private(clients, stream(1, Purpose.PRIVATE_STATE))
    numbers, nothing = np.arange(clients), np.zeros(clients, np.int64)
    of = Turns(numbers, nothing, nothing, nothing)
    training = LocalTraining(experiment, dataset, model, device)
    return lambda: training.train(of, {0: table}, private)


def training(device: torch.device, repetitions: int, clients: int) -> None:
    print(f"training, {clients:,} clients at once")
    cases: list[tuple[str, Experiment, Any]] = []
    for width, epochs in ((32, 2), (128, 10)):
        experiment = world(width, epochs=epochs)
        cases.append(
            (f"factorisation, D = {width}, {epochs} epochs", experiment, build_model(experiment.model))
        )
    batched = world(32, epochs=1, batch_size=128)
    cases.append(("factorisation, D = 32, batches of 128", batched, build_model(batched.model)))
    cases.append(("two layers by autograd, D = 32, 5 epochs", world(32, epochs=5), TwoLayers()))
    for name, experiment, model in cases:
        here, there = (train(experiment, model, clients, one) for one in (None, device))
        far = apart(here().rows, there().rows)
        tell(name, "a client", clients, compared(repetitions, here, there), f"{far:.1e} apart")


def lost(rows: np.ndarray, offsets: np.ndarray, books: Books) -> float:
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return float(np.square(rows - books.actions[owner, books.taken], dtype=np.float64).sum())


def clustering(device: torch.device, repetitions: int, clients: int) -> None:
    print(f"clustering, {clients:,} updates at once")
    experiment = world(32)
    trained = train(experiment, build_model(experiment.model), clients, None)()
    rows, offsets = trained.rows, trained.offsets
    here = codebooks_each(rows, offsets, 16)
    there = books_on_device(rows, offsets, 16, 0, device)
    times = compared(
        repetitions,
        lambda: codebooks_each(rows, offsets, 16),
        lambda: books_on_device(rows, offsets, 16, 0, device),
    )
    ratio = lost(rows, offsets, there) / lost(rows, offsets, here)
    tell("16 actions on the line", "an update", clients, times, f"distortion × {ratio:.3f}")
    few = [rows[first:last] for first, last in pairwise(offsets[: max(1, clients // 16) + 1])]
    here_s, there_s = compared(
        repetitions,
        lambda: codebooks(few, 16, "principal", 10),
        lambda: books_on_device(rows, offsets, 16, 10, device),
    )
    times = here_s * clients / len(few), there_s
    tell("16 actions, ten rounds of k-means", "an update", clients, times, "the same algorithm")


def ranking(device: torch.device, repetitions: int, users: int, items: int) -> None:
    print(f"ranking, {users:,} users, {items:,} items, D = 32")
    data = {"kind": "synthetic", "users": users, "items": items, "mean_interactions": 50}
    experiment = build({"data": data, "execution": {"shards": 1}})
    dataset, draw = load(experiment.data, experiment.seed), stream(1, Purpose.SYNTHETIC)
    queries = draw.standard_normal((users, 32), dtype=np.float32)
    table = draw.standard_normal((items, 32), dtype=np.float32)
    asked = np.flatnonzero(dataset.test.counts() > 0)
    arguments = queries[asked], table, asked, dataset, 20
    equal = np.array_equal(product_hits(*arguments), product_hits_on_device(*arguments, device))
    times = compared(
        repetitions, lambda: product_hits(*arguments), lambda: product_hits_on_device(*arguments, device)
    )
    tell("recall and NDCG at 20", "a user", len(asked), times, f"hits {'equal' if equal else 'DIFFER'}")


def run(experiment: Experiment) -> tuple[int, float, float, float, int, str]:
    """Client updates, their seconds but for the first two versions, recall@10, loss, bytes, trace digest."""
    dataset = load(experiment.data, experiment.seed)
    executor, marks, recall = SerialExecutor(experiment, dataset), [], 0.0
    for record in simulate(experiment, population_of(dataset), executor):
        if isinstance(record, VersionRecord):
            marks.append((time.perf_counter(), record.client_updates, record.train_loss, record.up_bytes))
        elif isinstance(record, EvaluationRecord):
            recall = dict(record.quality)["recall@10"]
    first, last = marks[1], marks[-1]
    return last[1] - first[1], last[0] - first[0], recall, last[2], last[3], record.trace_digest


def runs(device: torch.device, repetitions: int, versions: int) -> None:
    print(f"whole runs, {versions} versions, 1,000 clients each, one shard")
    cases = {
        "FedRAS, 16 actions, D = 32": [],
        "16 actions, ten rounds, D = 128": ["codec.iterations=10", "model.width=128"],
        "f32 rows, D = 32": ["codec={kind = 'sparse'}"],
    }
    for name, settings in cases.items():
        tree = tomllib.loads(find("ml-1m-fedras").read_text()) | {"data": ML_1M}
        asked = [f"schedule.versions={versions}", "schedule.clients_per_version=1000", "evaluation.every=100"]
        experiment = build(tree, [*asked, "execution.shards=1", *settings])
        found: tuple[list[Any], list[Any]] = ([], [])
        for _ in range(repetitions):
            found[0].append(run(experiment))
            with mock.patch("fedras_ray.clients.accelerator", return_value=device):
                found[1].append(run(experiment))
        here, there = found[0][0], found[1][0]
        times = tuple(statistics.median(one[1] for one in side) for side in found)
        again = "repeated to the bit" if len({one[2:] for one in found[1]}) == 1 else "NOT REPEATED"
        events = "events equal" if here[5] == there[5] else f"bytes × {there[4] / here[4]:.4f}"
        tell(
            name,
            "an update",
            here[0],
            (times[0], times[1]),
            f"recall@10 {here[2]:.4f}, {there[2]:.4f}; loss {here[3]:.5f}, {there[3]:.5f}; {events}; {again}",
        )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--device", default="cuda")
    asked.add_argument("--only", nargs="+", default=["training", "clustering", "ranking", "runs"])
    asked.add_argument("--repetitions", type=int, default=3)
    asked.add_argument("--clients", type=int, default=2_000)
    asked.add_argument("--users", type=int, default=100_000)
    asked.add_argument("--items", type=int, default=100_000)
    asked.add_argument("--versions", type=int, default=12)
    options = asked.parse_args()
    device = torch.device("cpu") if options.device == "torch" else accelerator(options.device)
    assert device is not None
    name = torch.cuda.get_device_name() if device.type == "cuda" else "torch on one thread"
    print(f"{name}; torch {torch.__version__}; the processor has one thread", flush=True)
    parts: dict[str, Callable[[], None]] = {
        "training": lambda: training(device, options.repetitions, options.clients),
        "clustering": lambda: clustering(device, options.repetitions, options.clients),
        "ranking": lambda: ranking(device, options.repetitions, options.users, options.items),
        "runs": lambda: runs(device, options.repetitions, options.versions),
    }
    for part in options.only:
        parts[part]()


if __name__ == "__main__":
    main()
