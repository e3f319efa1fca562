"""What a client trains."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from fedras_ray.config.base import Count, NotNegative, Positive, Section

WIDEST = 0xFFFF  # what the header of a blob can say


class MatrixFactorization(Section):
    """A shared item table and one private vector per client."""

    kind: Literal["mf"] = "mf"
    width: int = Field(default=32, ge=1, le=WIDEST)  # D
    item_std: NotNegative = 0.1
    private_std: NotNegative = 0.1
    start: str | None = None  # a file of tables (.npz) to begin with, see docs/model.md; None: normal ones


class TrainingConfig(Section):
    """What one client does in one turn."""

    epochs: Count = 2
    batch_size: int = Field(default=0, ge=0)  # 0: all samples in one step
    samples: Literal["drawn", "given"] = "drawn"  # given: those that the data bring, see `data.label`
    negatives: Count = 4  # per positive, drawn anew every turn; where samples are given there are none
    order: Literal["shuffled", "given"] = "shuffled"  # shuffled: mini-batches anew every epoch
    item_rate: Positive = 0.1
    private_rate: Positive = 0.1
    weight_decay: NotNegative = 0.0
    loss: Literal["sum", "mean"] = "sum"  # over the samples of a step

    @model_validator(mode="after")
    def _has_an_order(self) -> TrainingConfig:
        """What is drawn has no order of its own."""
        if self.order == "given" and self.samples == "drawn":
            raise ValueError("order is 'given', but samples are drawn; set samples to 'given' as well")
        return self
