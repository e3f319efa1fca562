"""Local training of many clients on an accelerator: ragged arrays go there, padded tensors are trained.

C clients, N rows of all of them, D width, P private width; c clients of a bucket, n rows of its longest. A
mini-batch counts its samples over all of a client's rows instead of looking for the distinct ones. What comes
out is what `train_each` gives, up to rounding; the tests hold them to each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.client import TrainingConfig
from fedras_ray.layouts import Layout, fetched, layouts
from fedras_ray.models.base import Batches, Model, Rates
from fedras_ray.tensors import torch
from fedras_ray.training.ragged import RaggedSamples, Trained

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


class Cohort(NamedTuple):
    """A bucket of clients on the device."""

    rows: Tensor  # (c, n, D) as they were received
    private: Tensor  # (c, P), which moves in place
    weight: Tensor  # (c, n) samples of a step on each row
    positive: Tensor  # (c, n) positives among them
    epochs: Tensor  # (c,)
    samples: Tensor  # (c,) of one epoch


class DeviceTraining:
    """Trains cohorts with one model on one device; tables stay there as long as there is work for them."""

    def __init__(self, model: Model, config: TrainingConfig, device: torch.device) -> None:
        self._model, self._config, self._device = model, config, device
        self._rates = Rates(config.item_rate, config.private_rate, config.weight_decay)
        self._tables: dict[int, Tensor] = {}  # view -> (I, D)

    def train(
        self,
        samples: RaggedSamples,
        views: Mapping[int, Floats],
        view_of: Numbers,
        private: Floats,
        epochs: Numbers,
        batches: Batches | None,
    ) -> Trained:
        """Train each client.

        Args:
            samples: of each client.
            views: the states of the item table that are held, (I, D) each.
            view_of: (C,) which of them each client received.
            private: (C, P), which does not change.
            epochs: (C,)
            batches: of those who train in mini-batches; None: nobody does.
        """
        width = next(iter(views.values())).shape[1]
        delta = torch.empty((len(samples.item_ids), width), device=self._device)
        received = self._received(samples, views, view_of, width)
        own, losses = self._sent(private), torch.empty(len(epochs), device=self._device)
        counted = self._sent(samples.weight), self._sent(samples.positive)  # (N,) each
        order = None if batches is None else self._order(batches)
        in_batches = np.zeros(len(epochs), bool) if batches is None else np.diff(batches.starts) > 0  # (C,)
        for is_batched in (False, True):
            clients = np.flatnonzero(in_batches == is_batched)
            for layout in layouts(samples.offsets, clients, width, self._device):
                mine = self._sent(layout.members)
                cohort = self._cohort(layout, samples, counted, received, own.index_select(0, mine), epochs)
                trained = cohort.rows.clone()
                if batches is not None and order is not None and is_batched:
                    starts = self._sent(batches.starts[layout.members])  # (c,)
                    found = self._in_batches(trained, cohort, starts, order, batches.size)
                else:
                    found = self._whole(trained, cohort)
                layout.gather(trained.sub_(cohort.rows), delta)
                own.index_copy_(0, mine, cohort.private)
                losses.index_copy_(0, mine, found)
        return Trained(
            samples.offsets,
            samples.item_ids,
            fetched(delta),
            own.cpu().numpy(),
            losses.cpu().numpy().astype(np.float64),
            epochs * samples.counts,
        )

    def _whole(self, rows: Tensor, cohort: Cohort) -> Tensor:
        """All samples in every step: (c,) the loss per sample before the first."""
        total = cohort.weight.sum(1).clamp_min(1.0)  # (c,)
        scale = total if self._config.loss == "mean" else torch.ones_like(total)
        weight, positive = cohort.weight / scale[:, None], cohort.positive / scale[:, None]
        first = torch.zeros_like(total)
        longest = int(cohort.epochs.max())
        all_alike = bool((cohort.epochs == longest).all())
        for number in range(longest):
            going = (cohort.epochs > number)[:, None].float()  # (c, 1)
            counts = (weight, positive) if all_alike else (weight * going, positive * going)
            loss = self._model.step(rows, cohort.private, *counts, self._rates)
            first = loss if number == 0 else first
        return first if self._config.loss == "mean" else first / total

    def _order(self, batches: Batches) -> tuple[Tensor, Tensor]:
        """The local row of every sample of all clients, and its label."""
        return self._sent(batches.place.astype(np.int64)), self._sent(batches.label)

    def _in_batches(
        self, rows: Tensor, cohort: Cohort, starts: Tensor, order: tuple[Tensor, Tensor], size: int
    ) -> Tensor:
        """A step for each batch: (c,) the loss per sample of each, the mean over those of the first epoch."""
        samples, (places, labels) = cohort.samples, order
        steps = (samples + size - 1) // size  # (c,) of an epoch
        step_of = torch.arange(min(size, int(samples.max())), device=self._device)  # (s,)
        losses = torch.zeros(len(samples), device=self._device)
        for number in range(int((cohort.epochs * steps).max())):
            epoch, batch = number // steps, number % steps  # (c,)
            within = (batch * size)[:, None] + step_of  # (c, s) in the epoch
            is_there = (within < samples[:, None]) & (epoch < cohort.epochs)[:, None]
            at = torch.where(is_there, (starts + epoch * samples)[:, None] + within, 0)
            weight, positive = torch.zeros_like(cohort.weight), torch.zeros_like(cohort.weight)
            there = is_there.float()
            weight.scatter_add_(1, places[at] * is_there, there)  # whole numbers: exact in any order
            positive.scatter_add_(1, places[at] * is_there, there * labels[at])
            total = weight.sum(1).clamp_min(1.0)  # (c,)
            if self._config.loss == "mean":
                weight, positive = weight / total[:, None], positive / total[:, None]
            loss = self._model.step(rows, cohort.private, weight, positive, self._rates)
            each = loss if self._config.loss == "mean" else loss / total
            losses += torch.where(number < steps, each / steps, 0.0)
        return losses

    def _cohort(
        self,
        layout: Layout,
        samples: RaggedSamples,
        counted: tuple[Tensor, Tensor],
        received: Tensor,
        private: Tensor,
        epochs: Numbers,
    ) -> Cohort:
        mine = layout.members
        return Cohort(
            layout.spread(received),
            private,
            layout.spread(counted[0]),
            layout.spread(counted[1]),
            self._sent(epochs[mine]),
            self._sent(samples.counts[mine]),
        )

    def _received(
        self, samples: RaggedSamples, views: Mapping[int, Floats], view_of: Numbers, width: int
    ) -> Tensor:
        """(N, D) every client's rows of the table that it was sent."""
        for view in self._tables.keys() - views.keys():
            del self._tables[view]
        used, ids = np.unique(view_of).tolist(), self._sent(samples.item_ids)
        for view in used:
            if view not in self._tables:
                self._tables[view] = self._sent(views[view])
        if len(used) == 1:
            return self._tables[used[0]].index_select(0, ids)
        rows = torch.empty((len(ids), width), device=self._device)
        of_row = np.repeat(view_of, np.diff(samples.offsets))
        for view in used:
            mine = self._sent(np.flatnonzero(of_row == view))
            rows.index_copy_(0, mine, self._tables[view].index_select(0, ids.index_select(0, mine)))
        return rows

    def _sent(self, values: NDArray[np.generic]) -> Tensor:
        """A copy on the device."""
        return torch.tensor(values, device=self._device)
