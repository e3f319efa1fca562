"""Codebooks of many updates on an accelerator, from ragged arrays to ragged arrays.

C updates, N rows of all of them, D width, K actions; c updates of a bucket, n rows of its longest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.cohort import LEAST_ROWS_PER_ACTION, ROUNDS_OFF_THE_LINE, Books, scaled
from fedras_ray.layouts import Layout, layouts
from fedras_ray.tensors import torch

if TYPE_CHECKING:
    from torch import Tensor


def books_on_device(
    rows: NDArray[np.float32], offsets: NDArray[np.int64], k: int, iterations: int, device: torch.device
) -> Books:
    """`codebooks_each` on a device, and with further iterations; update c's rows are those of its offsets.

    Raises:
        CodecError: a value is not finite.
    """
    count, width = len(offsets) - 1, rows.shape[1]
    actions, used = np.zeros((count, k, width), np.float32), np.zeros(count, np.int64)
    lengths = np.diff(offsets)
    few = lengths < LEAST_ROWS_PER_ACTION * k
    with torch.inference_mode():
        flat = torch.from_numpy(rows).to(device)
        index = torch.zeros(len(rows), dtype=torch.int32, device=device)
        for some, least in ((~few, 0), (few, ROUNDS_OFF_THE_LINE)):
            for layout in layouts(offsets, np.flatnonzero(some & (lengths > 0)), width, device):
                its = torch.from_numpy(lengths[layout.members]).to(device)
                found, taken = scaled(layout.spread(flat), its, k, "principal", iterations or least)
                found, kept, taken = _used(layout, found, its, taken)
                layout.gather(taken, index)
                actions[layout.members], used[layout.members] = found.cpu().numpy(), kept.cpu().numpy()
        return Books(actions, used, index.cpu().numpy())


def _used(layout: Layout, actions: Tensor, lengths: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Actions that a row takes first (c, K, D), how many these are (c,), and the index of each row (c, n)."""
    is_row = torch.arange(layout.longest, device=index.device) < lengths[:, None]  # (c, n)
    members = torch.zeros(actions.shape[:2], device=index.device)
    members.scatter_add_(1, index.long(), is_row.float())
    taken = members > 0  # (c, K)
    order = (~taken).int().argsort(dim=1, stable=True)  # (c, K)
    number = (taken.int().cumsum(1) - 1).int()
    first = actions.gather(1, order[:, :, None].expand_as(actions))
    return first, taken.sum(1), number.gather(1, index.long())
