"""The contract of a model, and the short way to write one: a loss in torch.

C clients of a cohort, n local rows (padded), D table width, P private width, I items. A client's
samples are counted per local row: `weight` says how often the row occurs in the step (0: padding),
`positive` how many of these are positives. A client never sees rows that it does not touch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.factors import Factors
from fedras_ray.tensors import torch

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float32]


class Batches(NamedTuple):
    """The samples of C clients in the order in which they train on them, in mini-batches.

    Those of client c, over all of its epochs, are the places from starts[c] to starts[c + 1]: none where it
    takes all of its samples in every step.
    """

    starts: NDArray[np.int64]  # (C + 1,)
    place: NDArray[np.int32]  # the local row of each sample
    label: Floats  # 1: a positive, 0: none
    epoch_samples: NDArray[np.int64]  # (C,)
    size: int  # of a batch; an epoch's last one has what is left


@dataclass(frozen=True, slots=True)
class Rates:
    """How far one local step goes."""

    item: float
    private: float
    weight_decay: float


class Model(Protocol):
    """A shared item table and a private state per client."""

    @property
    def private_width(self) -> int:
        """P, the length of a client's private state."""
        ...

    def initial_items(self, item_count: int, rng: Generator) -> NDArray[np.float32]:
        """(I, D), the item table of version 0."""
        ...

    def initial_private(self, clients: int, rng: Generator) -> NDArray[np.float32]:
        """(clients, P), private states before the first turn."""
        ...

    def step(self, rows: Tensor, private: Tensor, weight: Tensor, positive: Tensor, rates: Rates) -> Tensor:
        """One gradient step, in place on `rows` (C, n, D) and `private` (C, P).

        Returns:
            (C,) the loss before the step, summed over each client's weighted samples.
        """
        ...

    def scores(self, private: Tensor, table: Tensor) -> Tensor:
        """(C, I), how much each client should like each item; higher is better."""
        ...


@runtime_checkable
class CompiledModel(Model, Protocol):
    """A model that can also train one client by itself, where all its samples go into every step."""

    def fit(
        self, rows: Floats, private: Floats, weight: Floats, positive: Floats, steps: int, rates: Rates
    ) -> tuple[Floats, Floats, float]:
        """As many full-batch `step`s as asked, from (n, D) rows and a (P,) private state.

        Returns:
            (n, D) what the rows gained, (P,) the new private state, the loss before, summed.
        """
        ...


@runtime_checkable
class BatchCompiledModel(Model, Protocol):
    """A model that can also train one client by itself in mini-batches."""

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
        """One `step` for each batch, from (n, D) rows and a (P,) private state.

        `place` (E·S,) is the local row of every sample of E epochs, in the order in which they are trained
        on, `label` (E·S,) 1 for a positive. With `is_mean` a step goes along the mean over its samples, else
        along the sum.

        Returns:
            (n, D) what the rows gained, (P,) the new private state, and the loss: per sample of each batch
            before its step, the mean over the batches of the first epoch.
        """
        ...


@runtime_checkable
class RaggedModel(CompiledModel, Protocol):
    """A compiled model that also trains many clients in one call; who changes `fit` changes `fit_each`."""

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
        """`fit` for `members` of C clients, who received rows of `table` (I, D).

        Client c has the N rows' `item_ids`, `weight` and `positive` from offsets[c] to offsets[c + 1], and
        goes as many `steps` (C,) as it should. What its rows gained is written to `delta` (N, D), the loss
        before to `losses` (C,), the new private state to `private` (C, P). Several threads may train others
        at once.
        """
        ...


@runtime_checkable
class FactoringModel(RaggedModel, Protocol):
    """A ragged model that can say what rows gained as a few pulls along a few vectors of each client."""

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
        """`fit_each` where nothing decays, with what rows gained written to `gained`, S of most steps."""
        ...


@runtime_checkable
class RaggedBatchModel(RaggedModel, BatchCompiledModel, Protocol):
    """A ragged model that also trains many clients in mini-batches in one call, as `fit_batches` does."""

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
        """`fit_batches` for `members` of C clients, who received rows of `table` (I, D).

        Client c has the N rows' `item_ids` from offsets[c] to offsets[c + 1]. What its rows gained is written
        to `delta` (N, D), the loss to `losses` (C,), the new private state to `private` (C, P).
        """
        ...


@runtime_checkable
class ProductModel(Model, Protocol):
    """A model whose scores are dot products, so that no matrix of them is needed to rank with it."""

    def queries(self, private: Floats) -> Floats:
        """(C, D), what each client multiplies an item's row by: the sum of that is its score.

        `scores` gives the same numbers, up to rounding.
        """
        ...


class LossModel:
    """A model whose step follows from its loss by autograd.

    Clients of a cohort share nothing, so the gradient of the *sum* of their losses is each client's
    own gradient, and one backward pass serves all.
    """

    def loss(self, rows: Tensor, private: Tensor, weight: Tensor, positive: Tensor) -> Tensor:
        """(C,) loss of each client, differentiable in `rows` and `private`."""
        raise NotImplementedError

    def step(self, rows: Tensor, private: Tensor, weight: Tensor, positive: Tensor, rates: Rates) -> Tensor:
        """See `Model.step`."""
        leaves = rows.detach().clone().requires_grad_(), private.detach().clone().requires_grad_()
        loss = self.loss(*leaves, weight, positive)
        row_gradient, private_gradient = torch.autograd.grad(loss.sum(), leaves)
        descend(rows, private, row_gradient, private_gradient, weight, rates)
        return loss.detach()


def descend(
    rows: Tensor,
    private: Tensor,
    row_gradient: Tensor,
    private_gradient: Tensor,
    weight: Tensor,
    rates: Rates,
) -> None:
    """SGD in place, with weight decay on the rows that the step touches."""
    decay(rows, private, weight, rates)
    rows.sub_(row_gradient, alpha=rates.item)
    private.sub_(private_gradient, alpha=rates.private)


def decay(rows: Tensor, private: Tensor, weight: Tensor, rates: Rates) -> None:
    """Shrink what the step touches; a client without samples in this step stays as it is."""
    if rates.weight_decay == 0:
        return
    touched = (weight > 0).to(rows.dtype)  # (C, n)
    rows.mul_(1 - rates.item * rates.weight_decay * touched[:, :, None])
    active = touched.amax(dim=1, keepdim=True)  # (C, 1)
    private.mul_(1 - rates.private * rates.weight_decay * active)
