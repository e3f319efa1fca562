"""Ragged arrays as padded tensors on a device, and back.

C clients, N rows of all of them, one client after the other; of a bucket of c clients of similar size n rows
are the longest's. A launch costs as much there as the work on thousands of rows: few and large buckets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fedras_ray.tensors import torch

if TYPE_CHECKING:
    from torch import Tensor

Numbers = NDArray[np.int64]

MOST_FLOATS = 1 << 26  # of the padded rows of a bucket: 256 MiB
LEAST_FILLED = 0.5  # the shortest client of a bucket, in the rows of its longest


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the rows of c clients stand, among N and in a padded tensor of (c, n)."""

    members: Numbers  # (c,)
    longest: int  # n
    ragged: Tensor  # (m,) their places among N
    padded: Tensor  # (m,) their places among c · n

    def spread(self, values: Tensor) -> Tensor:
        """(N, …) as (c, n, …), with zeros below each client's last row."""
        count, inner = len(self.members), values.shape[1:]
        target = values.new_zeros((count * self.longest, *inner))
        target.index_copy_(0, self.padded, values.index_select(0, self.ragged))
        return target.view(count, self.longest, *inner)

    def gather(self, padded: Tensor, into: Tensor) -> None:
        """Of (c, n, …) what is no padding, to its places in (N, …)."""
        into.index_copy_(0, self.ragged, padded.flatten(0, 1).index_select(0, self.padded))


def fetched(values: Tensor) -> NDArray[np.float32]:
    """A large tensor as an array; from a GPU by way of memory that it can write to by itself."""
    if values.device.type != "cuda":
        return np.asarray(values.numpy())
    ours = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return np.asarray(ours.copy_(values).numpy())


def layouts(offsets: Numbers, clients: Numbers, width: int, device: torch.device) -> Iterator[Layout]:
    """Some of C clients, those of similar size together, longest first.

    Args:
        offsets: (C + 1,) where the rows of each begin.
        clients: which.
        width: of a row.
        device: where the tensors are.
    """
    lengths = np.diff(offsets)[clients]
    order = np.argsort(-lengths, kind="stable")
    clients, lengths = clients[order], lengths[order]
    first = 0
    while first < len(clients):
        longest = max(1, int(lengths[first]))
        alike = int(np.searchsorted(-lengths, -LEAST_FILLED * longest, side="right"))
        last = max(first + 1, min(alike, first + MOST_FLOATS // (longest * width)))
        yield _layout(offsets, clients[first:last], lengths[first:last], longest, device)
        first = last


def _layout(
    offsets: Numbers, members: Numbers, lengths: Numbers, longest: int, device: torch.device
) -> Layout:
    total = int(lengths.sum())  # m
    begins = np.cumsum(lengths) - lengths  # (c,) among m
    moves = np.stack(
        [offsets[members] - begins, np.arange(len(members)) * longest - begins, lengths]
    )  # (3, c)
    to_ragged, to_padded, each = torch.from_numpy(moves).to(device)
    place = torch.arange(total, device=device)
    ragged = to_ragged.repeat_interleave(each, output_size=total) + place
    padded = to_padded.repeat_interleave(each, output_size=total) + place
    return Layout(members, longest, ragged, padded)
