"""What the server does with an aggregated step: SGD with momentum, or Adam.

The step plays the part of a negative gradient (Reddi et al., "Adaptive Federated Optimization",
ICLR 2021, arXiv 2003.00295). State exists per row and moves only when the row is touched, because
most items are absent from most versions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.system import AdamServer, OptimizerConfig, SgdServer
from fedras_ray.kernels import moving
from fedras_ray.snapshots.kinds import kept

Rows = NDArray[np.float32]


class Optimizer(Protocol):
    """Moves rows of the item table, in place."""

    def apply(self, table: Rows, touched: NDArray[np.int32], step: Rows, factor: float = 1.0) -> None:
        """Move ``table[touched]`` along `step`, both (t, D), at `factor` times the rate."""
        ...


@kept("velocity")
@dataclass(slots=True, eq=False)
class Sgd:
    """row += rate · velocity, velocity = momentum · velocity + step."""

    config: SgdServer
    velocity: Rows | None = None  # (I, D), only with momentum

    def apply(self, table: Rows, touched: NDArray[np.int32], step: Rows, factor: float = 1.0) -> None:
        """See `Optimizer.apply`."""
        if self.config.momentum:
            if self.velocity is None:
                self.velocity = np.zeros_like(table)
            step = np.float32(self.config.momentum) * self.velocity[touched] + step
            self.velocity[touched] = step
        moving.move(table, touched, step, np.float32(factor * self.config.rate))


@kept("first", "second", "steps")
@dataclass(slots=True, eq=False)
class Adam:
    """Adam with a step count per row, so that a rare item's bias correction is its own."""

    config: AdamServer
    item_count: int
    width: int
    first: Rows = field(init=False)  # (I, D)
    second: Rows = field(init=False)  # (I, D)
    steps: NDArray[np.int32] = field(init=False)  # (I,)

    def __post_init__(self) -> None:
        self.first = np.zeros((self.item_count, self.width), dtype=np.float32)
        self.second = np.zeros_like(self.first)
        self.steps = np.zeros(self.item_count, dtype=np.int32)

    def apply(self, table: Rows, touched: NDArray[np.int32], step: Rows, factor: float = 1.0) -> None:
        """See `Optimizer.apply`."""
        beta1, beta2 = np.float32(self.config.beta1), np.float32(self.config.beta2)
        self.steps[touched] += 1
        first = self.first[touched] = beta1 * self.first[touched] + (1 - beta1) * step
        second = self.second[touched] = beta2 * self.second[touched] + (1 - beta2) * np.square(step)
        count = self.steps[touched].astype(np.float32)[:, None]
        unbiased = np.sqrt(second / (1 - beta2**count)) + np.float32(self.config.epsilon)
        table[touched] += np.float32(factor * self.config.rate) * first / (1 - beta1**count) / unbiased


def build_optimizer(config: OptimizerConfig, item_count: int, width: int) -> Optimizer:
    """The server optimiser of an experiment."""
    match config:
        case SgdServer():
            return Sgd(config)
        case AdamServer():
            return Adam(config, item_count, width)
