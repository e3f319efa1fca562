"""Local training of many clients at once, as tensors.

C clients, n local rows (padded to the longest), m rows of one step (padded), D table width. Local
tables hold only the rows each client touches. Padding has weight 0, so its gradient is 0.

An optimizer object and a full table per client is what makes simulators slow; here a cohort is a
few tensor operations per local step, however many clients it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.client import TrainingConfig
from fedras_ray.models.base import BatchCompiledModel, CompiledModel, Model, Rates
from fedras_ray.tensors import torch
from fedras_ray.training.steps import LocalSamples, Samples, StepSamples

if TYPE_CHECKING:
    from torch import Tensor

BUCKET_PADDING = 4_000  # rows of padding that cost about as much as the operations of one more bucket


@dataclass(frozen=True, slots=True, eq=False)
class ClientWork:
    """One client's turn, ready to compute."""

    samples: Samples
    rows: NDArray[np.float32]  # (n, D) its rows of the item table, as it received them
    private: NDArray[np.float32]  # (P,)


@dataclass(frozen=True, slots=True, eq=False)
class ClientResult:
    """What local training changed."""

    delta: NDArray[np.float32]  # (n, D) new rows minus received rows
    private: NDArray[np.float32]  # (P,) the new private state
    loss: float  # mean per sample of each batch before its step; mean over the batches of the first epoch


def train_cohort(model: Model, work: Sequence[ClientWork], config: TrainingConfig) -> list[ClientResult]:
    """Train clients together, in buckets of similar size; results in the order of `work`.

    Where the model is compiled, each client is trained by itself: a row then stays in the cache over
    all steps, and nothing is padded.
    """
    results: list[ClientResult | None] = [_compiled(model, one, config) for one in work]
    together = [place for place, result in enumerate(results) if result is None]
    for bucket in buckets([len(work[place].samples.item_ids) for place in together]):
        some = [together[place] for place in bucket]
        for place, result in zip(some, _train_bucket(model, [work[i] for i in some], config), strict=True):
            results[place] = result
    return [result for result in results if result is not None]


def _compiled(model: Model, one: ClientWork, config: TrainingConfig) -> ClientResult | None:
    """One client by itself; None where the model has no machine code for such a turn."""
    if isinstance(one.samples, LocalSamples):
        return _fit(model, one.samples, one, config) if isinstance(model, CompiledModel) else None
    if not isinstance(model, BatchCompiledModel):
        return None
    rates = Rates(config.item_rate, config.private_rate, config.weight_decay)
    turn, is_mean = one.samples, config.loss == "mean"
    batches = turn.place, turn.label, turn.epoch_samples, turn.batch_size
    return ClientResult(*model.fit_batches(one.rows, one.private, *batches, is_mean, rates))


def _fit(model: CompiledModel, turn: LocalSamples, one: ClientWork, config: TrainingConfig) -> ClientResult:
    rates = Rates(config.item_rate, config.private_rate, config.weight_decay)
    step, steps = turn.steps[0], len(turn.steps)
    samples = max(np.float32(1), step.weight.sum())
    weight, positive = step.weight, step.positive
    if config.loss == "mean":
        weight, positive = weight / samples, positive / samples
    delta, private, loss = model.fit(one.rows, one.private, weight, positive, steps, rates)
    return ClientResult(delta, private, loss if config.loss == "mean" else loss / float(samples))


def buckets(lengths: Sequence[int]) -> list[list[int]]:
    """Places grouped by similar length, longest first; a bucket pads at most `BUCKET_PADDING` rows."""
    grouped: list[list[int]] = []
    longest = padding = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        padding += longest - lengths[place]
        if not grouped or padding > BUCKET_PADDING:
            grouped.append([])
            longest, padding = lengths[place], 0
        grouped[-1].append(place)
    return grouped


def _train_bucket(model: Model, work: list[ClientWork], config: TrainingConfig) -> list[ClientResult]:
    rows = _padded([one.rows for one in work])  # (C, n, D)
    received = rows.clone()
    private = torch.from_numpy(np.stack([one.private for one in work]))  # (C, P), a copy
    rates = Rates(config.item_rate, config.private_rate, config.weight_decay)
    first_epoch = torch.tensor([float(one.samples.epoch_steps) for one in work])  # (C,) steps of it
    mean_loss = torch.zeros(len(work))
    steps = [one.samples.steps for one in work]
    for number in range(max(map(len, steps))):
        loss = _step(model, rows, private, steps, number, rates, config)
        mean_loss += torch.where(number < first_epoch, loss / first_epoch, 0.0)
    return _unpadded(rows.sub_(received), private, mean_loss, work)


def _step(
    model: Model,
    rows: Tensor,
    private: Tensor,
    turns: list[tuple[StepSamples, ...]],
    number: int,
    rates: Rates,
    config: TrainingConfig,
) -> Tensor:
    """One local step of every client that has one; returns (C,) mean loss per sample before it."""
    where, weight, positive = _step_tensors(turns, number, rows.shape[1])
    total = weight.sum(dim=1).clamp_min(1.0)  # (C,)
    if config.loss == "mean":
        weight, positive = weight / total[:, None], positive / total[:, None]
    if where is None:
        loss = model.step(rows, private, weight, positive, rates)
    else:
        flat = rows.view(-1, rows.shape[2])
        part = flat[where]  # (C, m, D), distinct rows within a client
        loss = model.step(part, private, weight, positive, rates)
        real = weight > 0
        flat[where[real]] = part[real]
    return loss if config.loss == "mean" else loss / total


def _step_tensors(
    turns: list[tuple[StepSamples, ...]], number: int, row_count: int
) -> tuple[Tensor | None, Tensor, Tensor]:
    """Where (C, m) the step's rows stand in the flattened tables (None: all in place), weight, positive."""
    steps = [turn[number] if number < len(turn) else None for turn in turns]
    in_place = all(step is None or step.rows is None for step in steps)
    width = row_count if in_place else max(len(step.weight) for step in steps if step is not None)
    where = np.zeros((len(turns), 0 if in_place else width), dtype=np.int64)
    weight = np.zeros((len(turns), width), dtype=np.float32)
    positive = np.zeros((len(turns), width), dtype=np.float32)
    for client, step in enumerate(steps):
        if step is None:
            continue
        count = len(step.weight)
        weight[client, :count] = step.weight
        positive[client, :count] = step.positive
        if not in_place:
            where[client, :count] = np.arange(count) if step.rows is None else step.rows
    where += np.arange(len(turns))[:, None] * row_count
    return None if in_place else torch.from_numpy(where), torch.from_numpy(weight), torch.from_numpy(positive)


def _padded(tables: list[NDArray[np.float32]]) -> Tensor:
    """(C, n, D) with zeros below each client's last row."""
    longest = max(1, *(len(table) for table in tables)) if len(tables) > 1 else max(1, len(tables[0]))
    padded = np.zeros((len(tables), longest, tables[0].shape[1]), dtype=np.float32)
    for client, table in enumerate(tables):
        padded[client, : len(table)] = table
    return torch.from_numpy(padded)


def _unpadded(delta: Tensor, private: Tensor, loss: Tensor, work: list[ClientWork]) -> list[ClientResult]:
    deltas, privates = delta.numpy(), private.numpy()
    losses = loss.tolist()
    return [
        ClientResult(deltas[client, : len(one.samples.item_ids)], privates[client], losses[client])
        for client, one in enumerate(work)
    ]
