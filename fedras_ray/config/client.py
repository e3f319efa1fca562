"""What a client trains."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fedras_ray.config.base import Count, NotNegative, Positive, Section


class MatrixFactorization(Section):
    """A shared item table and one private vector per client."""

    kind: Literal["mf"] = "mf"
    width: Count = 32  # D
    item_std: NotNegative = 0.1
    private_std: NotNegative = 0.1


class TrainingConfig(Section):
    """What one client does in one turn."""

    epochs: Count = 2
    batch_size: int = Field(default=0, ge=0)  # 0: all samples in one step
    negatives: Count = 4  # per positive, drawn anew every turn
    item_rate: Positive = 0.1
    private_rate: Positive = 0.1
    weight_decay: NotNegative = 0.0
    loss: Literal["sum", "mean"] = "sum"  # over the samples of a step
