"""Matrix factorisation with a shared item table and one private vector per client.

The score of item i for client c is ⟨v_i, u_c⟩; the loss is binary cross-entropy on the logit. This
is FedMF / FCF (Ammad-ud-din et al., "Federated Collaborative Filtering", arXiv 1901.09888) with
sampled negatives. Its gradient has a closed form: with e = weight · σ(⟨v, u⟩) − positive, row i
moves along e_i · u and u along Σ e_i · v_i, so everything a client sends points along its own u.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config.client import MatrixFactorization
from fedras_ray.factors import Factors
from fedras_ray.kernels import descending, factorizing
from fedras_ray.models.base import Batches, Floats, LossModel, Rates, decay
from fedras_ray.tensors import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class FactorizationModel(LossModel):
    """See the module."""

    config: MatrixFactorization

    @property
    def private_width(self) -> int:
        """P = D."""
        return self.config.width

    def initial_items(self, item_count: int, rng: Generator) -> NDArray[np.float32]:
        """(I, D) normal."""
        return _normal(item_count, self.config.width, self.config.item_std, rng)

    def initial_private(self, clients: int, rng: Generator) -> NDArray[np.float32]:
        """(clients, D) normal."""
        return _normal(clients, self.config.width, self.config.private_std, rng)

    def loss(self, rows: Tensor, private: Tensor, weight: Tensor, positive: Tensor) -> Tensor:
        """(C,) binary cross-entropy, summed over samples: weight · softplus(z) − positive · z."""
        logits = torch.einsum("cnd,cd->cn", rows, private)
        return (weight * torch.nn.functional.softplus(logits) - positive * logits).sum(dim=1)

    def step(self, rows: Tensor, private: Tensor, weight: Tensor, positive: Tensor, rates: Rates) -> Tensor:
        """`LossModel.step` in closed form, without a graph."""
        logits = torch.bmm(rows, private[:, :, None])[:, :, 0]  # (C, n)
        loss = (weight * torch.nn.functional.softplus(logits) - positive * logits).sum(dim=1)
        error = weight * torch.sigmoid(logits) - positive  # (C, n)
        along_private = torch.bmm(error[:, None, :], rows)[:, 0, :]  # (C, D)
        before = private.clone()
        decay(rows, private, weight, rates)
        rows.baddbmm_(error[:, :, None], before[:, None, :], alpha=-rates.item)
        private.sub_(along_private, alpha=rates.private)
        return loss

    def fit(
        self, rows: Floats, private: Floats, weight: Floats, positive: Floats, steps: int, rates: Rates
    ) -> tuple[Floats, Floats, float]:
        """See `CompiledModel.fit`."""
        each = np.float32(rates.item), np.float32(rates.private), np.float32(rates.weight_decay)
        return factorizing.fit(rows, private, weight, positive, steps, *each)

    def fit_batches(
        self,
        rows: Floats,
        private: Floats,
        place: NDArray[np.int32],
        label: Floats,
        epoch_samples: int,
        batch_size: int,
        is_mean: bool,
        rates: Rates,
    ) -> tuple[Floats, Floats, float]:
        """See `BatchCompiledModel.fit_batches`."""
        each = np.float32(rates.item), np.float32(rates.private), np.float32(rates.weight_decay)
        return descending.fit(rows, private, place, label, epoch_samples, batch_size, is_mean, *each)

    def fit_each(
        self,
        table: Floats,
        members: NDArray[np.int64],
        item_ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        weight: Floats,
        positive: Floats,
        private: Floats,
        steps: NDArray[np.int64],
        rates: Rates,
        delta: Floats,
        losses: NDArray[np.float64],
    ) -> None:
        """See `RaggedModel.fit_each`."""
        each = np.float32(rates.item), np.float32(rates.private), np.float32(rates.weight_decay)
        rows = item_ids, offsets, weight, positive
        factorizing.fit_each(table, members, *rows, private, steps, *each, delta, losses)

    def fit_factors_each(
        self,
        table: Floats,
        members: NDArray[np.int64],
        item_ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        weight: Floats,
        positive: Floats,
        private: Floats,
        steps: NDArray[np.int64],
        rates: Rates,
        gained: Factors,
        losses: NDArray[np.float64],
    ) -> None:
        """See `FactoringModel.fit_factors_each`: a step pulls rows along the private vector before it."""
        given = table, members, item_ids, offsets, weight, positive, private, steps
        item_rate, private_rate = np.float32(rates.item), np.float32(rates.private)
        found = gained.pulls, gained.vectors, gained.counts
        factorizing.fit_factors_each(*given, item_rate, private_rate, *found, losses)

    def fit_batches_each(
        self,
        table: Floats,
        members: NDArray[np.int64],
        item_ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        batches: Batches,
        is_mean: bool,
        private: Floats,
        rates: Rates,
        delta: Floats,
        losses: NDArray[np.float64],
    ) -> None:
        """See `RaggedBatchModel.fit_batches_each`."""
        each = np.float32(rates.item), np.float32(rates.private), np.float32(rates.weight_decay)
        order = batches.place, batches.label, batches.starts, batches.epoch_samples, batches.size, is_mean
        descending.fit_each(table, members, item_ids, offsets, *order, private, *each, delta, losses)

    def queries(self, private: Floats) -> Floats:
        """See `ProductModel.queries`: the private vectors themselves."""
        return private

    def scores(self, private: Tensor, table: Tensor) -> Tensor:
        """(C, I) dot products."""
        return private @ table.T


def _normal(count: int, width: int, std: float, rng: Generator) -> NDArray[np.float32]:
    return (std * rng.standard_normal((count, width), dtype=np.float32)).astype(np.float32)
