"""Codebooks for many updates of different lengths: padded together, a few at a time.

C updates in a batch, n rows in an update, D width, K actions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.codecs.clustering import Start, cluster
from fedras_ray.codecs.floats import largest_magnitude
from fedras_ray.errors import CodecError
from fedras_ray.factors import Factors, rows_of
from fedras_ray.kernels import lines, nearest, spanning
from fedras_ray.tensors import torch

LEAST_ROWS_PER_ACTION = 4
ROUNDS_OFF_THE_LINE = 5
_BATCH_PADDING = 4_000  # rows of padding that cost about as much as one more batch does
_DEVICE_PADDING = 100 * _BATCH_PADDING  # on an accelerator
_BELOW_TWO = float(np.nextafter(np.float32(2), np.float32(0)))
_BATCH_FLOATS = 1 << 23  # 32 MiB of padded rows in a batch


@dataclass(frozen=True, slots=True, eq=False)
class Codebook:
    """The actions of one update, each taken by at least one row."""

    actions: NDArray[np.float32]  # (K, D)
    index: NDArray[np.int32]  # (n,) below K


def codebooks(
    rows: Sequence[NDArray[np.float32]],
    k: int,
    start: Start,
    iterations: int,
    generators: Sequence[Generator] = (),
    device: torch.device | None = None,
) -> list[Codebook]:
    """At most K actions for each update, in order.

    Rows of any magnitude. On a device all of it is done with tensors, and so are rounds that were asked for
    and random starts; otherwise in machine code, on the line where it is enough.

    Raises:
        CodecError: a value is not finite.
    """
    rounds = ROUNDS_OFF_THE_LINE if start == "principal" and iterations == 0 else iterations
    if rounds != iterations and device is None:
        return [_on_the_line(one, k) or _off_the_line(one, k) for one in rows]
    found: dict[int, Codebook] = {}
    width = rows[0].shape[1] if rows else 0
    lengths = [len(one) for one in rows]
    for batch in _batches(lengths, width, _BATCH_PADDING if device is None else _DEVICE_PADDING):
        streams = [generators[i] for i in batch] if generators else []
        with torch.inference_mode():  # a tenth less time: no autograd in small operations
            books = _cluster([rows[i] for i in batch], k, start, rounds, streams, device)
        found.update(zip(batch, books, strict=True))
    nothing = Codebook(np.zeros((0, width), np.float32), np.zeros(0, np.int32))
    return [found.get(i, nothing) for i in range(len(rows))]


class Books(NamedTuple):
    """The actions of each of C updates, with N rows of all of them."""

    actions: NDArray[np.float32]  # (C, K, D), of which the first `used` count
    used: NDArray[np.int64]  # (C,)
    taken: NDArray[np.int32]  # (N,) below the update's `used`


def codebooks_each(rows: NDArray[np.float32] | Factors, offsets: NDArray[np.int64], k: int) -> Books:
    """`codebooks` from `principal` without further iterations, of C updates.

    Update c's rows (N, D) are those from offsets[c] to offsets[c + 1].

    Raises:
        CodecError: a value is not finite.
    """
    if isinstance(rows, Factors):
        found = spanning.codebooks_each(rows.pulls, rows.vectors, rows.counts, offsets, k)
    else:
        found = lines.codebooks_each(np.ascontiguousarray(rows), offsets, k)
    actions, used, index, is_found = found
    is_found &= np.diff(offsets) >= LEAST_ROWS_PER_ACTION * k
    rest = np.flatnonzero(~is_found).tolist()
    its_rows = [rows_of(rows, offsets, one) for one in rest]
    for one, book in zip(rest, codebooks(its_rows, k, "principal", 0), strict=True):
        used[one] = len(book.actions)
        actions[one, : used[one]] = book.actions
        index[offsets[one] : offsets[one + 1]] = book.index
    return Books(actions, used, index)


def _on_the_line(rows: NDArray[np.float32], k: int) -> Codebook | None:
    """The clusters of the rows' projections, without a round in D dimensions; one update, no padding.

    None where the line is not enough: with few rows to an action some would be left without, and no
    more than K distinct rows must be told apart even where their projections are the same.
    """
    if len(rows) < LEAST_ROWS_PER_ACTION * k:
        return None
    points = lines.project(rows)  # (n,)
    order = np.argsort(points)  # (n,)
    edges = lines.cut(points[order], k)
    return Codebook(*lines.averages(rows, order, edges)) if len(edges) else None


def _off_the_line(rows: NDArray[np.float32], k: int) -> Codebook:
    """At most K distinct rows as they are, or rounds in D dimensions from where the line is cut.

    Raises:
        CodecError: a value is not finite.
    """
    largest_magnitude(rows)  # refuses what is not finite
    is_few, kinds, index = nearest.few_kinds(rows, k)
    if is_few:
        order = np.lexsort(rows[kinds].T[::-1])  # by the first column, then the second, …
        return Codebook(rows[kinds[order]], order.argsort().astype(np.int32)[index])
    points = lines.project(rows)  # (n,)
    order = np.argsort(points, kind="stable")  # (n,)
    line = points[order]
    edges = lines.cut(line, k)
    if not len(edges):  # rows differ more than their projections, of which each is a cluster then
        edges = np.full(k + 1, len(line))
        steps = np.flatnonzero(np.diff(line, prepend=-np.inf))
        edges[: len(steps)] = steps
    return _used(*nearest.settle(rows, order, edges, ROUNDS_OFF_THE_LINE))


def _cluster(
    rows: Sequence[NDArray[np.float32]],
    k: int,
    start: Start,
    iterations: int,
    streams: Sequence[Generator],
    device: torch.device | None,
) -> list[Codebook]:
    """One batch, padded to its longest and scaled by a power of two, which loses nothing."""
    lengths = torch.tensor([len(one) for one in rows], device=device)  # (C,)
    padded = _pad(rows).to(lengths.device)  # (C, n, D)
    centroids, index = scaled(padded, lengths, k, start, iterations, streams)
    found = zip(rows, centroids.cpu().numpy(), index.cpu().numpy(), strict=True)
    return [_used(book, taken[: len(one)]) for one, book, taken in found]


def scaled(
    padded: torch.Tensor,
    lengths: torch.Tensor,
    k: int,
    start: Start,
    iterations: int,
    streams: Sequence[Generator] = (),
) -> tuple[torch.Tensor, torch.Tensor]:
    """`cluster` of rows (C, n, D) of any magnitude, which are written to.

    Raises:
        CodecError: a value is not finite.
    """
    scale = _scale(padded)  # (C, 1, 1)
    centroids, index = cluster(padded.div_(scale), lengths, k, start, iterations, streams)
    centroids.clamp_(-_BELOW_TWO, _BELOW_TWO).mul_(scale)  # a mean is within its rows, but for rounding
    return centroids, index


def _batches(lengths: Sequence[int], width: int, most_padding: int) -> Iterator[list[int]]:
    """Updates of similar length together, longest first; empty ones are in none."""
    batch: list[int] = []
    longest = padding = 0
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        length = lengths[i]
        if not length:
            break
        padding += longest - length
        if batch and (padding > most_padding or longest * width * (len(batch) + 1) > _BATCH_FLOATS):
            yield batch
            batch = []
        if not batch:
            longest, padding = length, 0
        batch.append(i)
    if batch:
        yield batch


def _pad(rows: Sequence[NDArray[np.float32]]) -> torch.Tensor:
    """Zeros beyond an update's length: (C, n, D)."""
    padded = np.zeros((len(rows), max(map(len, rows)), rows[0].shape[1]), np.float32)
    for target, one in zip(padded, rows, strict=True):
        target[: len(one)] = one
    return torch.from_numpy(padded)


def _scale(rows: torch.Tensor) -> torch.Tensor:
    """The power of two that brings a client's largest magnitude into [1, 2), within f32: (C, 1, 1)."""
    peaks = torch.maximum(rows.amax((1, 2)), -rows.amin((1, 2)))  # (C,)
    if not peaks.isfinite().all():
        raise CodecError("a value is not finite, and cannot be sent")
    exponents = torch.frexp(peaks).exponent - 1  # (C,)
    return torch.ldexp(torch.ones_like(peaks), exponents.clamp_min(-126))[:, None, None]


def _used(actions: NDArray[np.float32], index: NDArray[np.int32]) -> Codebook:
    """Drop the actions that no row takes."""
    taken = np.bincount(index, minlength=len(actions)) > 0  # (K,)
    if taken.all():
        return Codebook(actions, index)
    return Codebook(actions[taken], (taken.cumsum() - 1).astype(np.int32)[index])
