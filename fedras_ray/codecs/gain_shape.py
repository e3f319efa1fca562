"""Gain and shape: one direction for the whole update, K scalar gains, and an index per row.

The gradient of a dot product by an item's row is a scalar times the client's private vector, so what a
client of such a model sends is nearly rank one, and a codeword needs one number instead of D. (Gain-shape
vector quantisation: A. Buzo, A. H. Gray, R. M. Gray, J. D. Markel, IEEE Trans. ASSP 28, 1980,
doi:10.1109/TASSP.1980.1163445; there every row has a shape of its own, here all share one.)

n rows touched by this client, D width, K actions. Body:

| bytes | what |
|---|---|
| 2 + 2·D | the direction in f16 with a shared exponent; its largest magnitude is 1, or it is zero |
| 2 + 2 + 2·K | K and the gains (`books`, of width 1) |
| … | the index of every row, and positions (`taken`) |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.blobs import Blobs
from fedras_ray.codecs.books import as_sent, book_bytes, pack_book, take_book
from fedras_ray.codecs.floats import floats_bytes, largest_magnitude, pack_floats, unpack_floats
from fedras_ray.codecs.ladder import clustered
from fedras_ray.codecs.opened import open_each
from fedras_ray.codecs.ragged import RaggedOutgoing, RaggedUpdates
from fedras_ray.codecs.taken import pack_taken, take_taken, taken_bytes
from fedras_ray.codecs.written import Found, write_each
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from fedras_ray.factors import Factors
from fedras_ray.kernels import gains, lines, reading, spanning, tables

_IDS = {"packed": wire.CodecId.GAIN_SHAPE, "entropy": wire.CodecId.GAIN_SHAPE_ENTROPY}


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """An update's rows along the direction that its decoder will know."""

    shape: NDArray[np.float32]  # (D,) as the decoder has it
    exact: NDArray[np.float64]  # (n,) the gain of each row, of least squares
    order: NDArray[np.int64]  # (n,) what sorts them
    peak: float  # the largest magnitude in the update


@dataclass(frozen=True, slots=True, eq=False)
class Gains:
    """An update as few gains along its line."""

    line: Line
    levels: NDArray[np.float32]  # (K, 1)
    index: NDArray[np.int32]  # (n,) below K


@dataclass(frozen=True, slots=True)
class GainShapeCodec:
    """The strongest direction, and gains clustered along it.

    Gains are those of least squares against the direction as it was rounded for the wire. No gain is
    larger than the update's largest entry, so no entry comes back larger than any that there was.
    """

    config: configs.GainShapeCodec

    def encode(self, outgoing: Outgoing) -> bytes:
        """A batch of one."""
        return self.encode_cohort([outgoing])[0]

    def encode_cohort(self, outgoing: Sequence[Outgoing]) -> list[bytes]:
        """One after the other: nothing is gained by padding."""
        how = self.config.indices
        found = clustered(Quantiser(how), outgoing, self.config.actions)
        return [
            _blob(one.update, gains_of_one, how) for one, gains_of_one in zip(outgoing, found, strict=True)
        ]

    def encode_ragged(self, outgoing: RaggedOutgoing) -> Blobs | None:
        """As `encode_cohort`; in a few calls where there is one K."""
        how, k = self.config.indices, outgoing.common_actions(self.config.actions)
        if k is None:
            return None
        return write_each(_IDS[how], outgoing, _gains_each(outgoing.given, outgoing.offsets, k), how)

    def decode(self, blob: bytes) -> ItemUpdate:
        """Every touched row, as the direction times the gain it took."""
        frame = wire.unpack(blob, _IDS[self.config.indices])
        shape = unpack_floats(frame.body.take(floats_bytes(frame.width, "f16")), frame.width, "f16")  # (D,)
        if (peak := largest_magnitude(shape)) not in (0.0, 1.0):
            raise CodecError(f"a direction whose largest magnitude is {peak}, not 1")
        levels = take_book(frame.body, frame.rows, 1)  # (K, 1)
        (index,), item_ids = take_taken(frame, [len(levels)], self.config.indices)
        rows = (levels * shape).take(index, axis=0)  # (n, D)
        return ItemUpdate(item_ids, rows, frame.item_count, actions=len(levels))

    def decode_ragged(self, blobs: Sequence[bytes]) -> RaggedUpdates | None:
        """As `decode`, in a few calls."""
        how = self.config.indices
        opened = open_each(blobs, _IDS[how])
        if opened is None:
            return None
        return opened.updates(reading.gains_each, how, floats_bytes(opened.width, "f16"), 2)


class Quantiser:
    """Gains of the updates of one cohort; each is projected once, however many numbers of gains are tried."""

    def __init__(self, how: configs.Indices) -> None:
        self._how = how
        self._lines: dict[int, Line] = {}  # by the identity of an update, which outlives this

    def cluster(self, outgoing: Sequence[Outgoing], k: int) -> list[Gains]:
        """At most K gains for each update."""
        return [_gains(self._line(one.update), k) for one in outgoing]

    def distortion(self, update: ItemUpdate, found: Gains) -> float:
        """What the gains lose along the direction, of |x|²; what is off it no gain brings back."""
        shape, exact = found.line.shape.astype(np.float64), found.line.exact
        lost = np.square(exact - as_sent(found.levels)[found.index, 0]).sum() * np.square(shape).sum()
        energy = np.square(update.rows.astype(np.float64)).sum()
        return float(lost / energy) if energy else 0.0

    def most_bytes(self, update: ItemUpdate, k: int) -> int:
        """The size where all K gains are taken."""
        return gain_shape_bytes(update, k, self._how)

    def _line(self, update: ItemUpdate) -> Line:
        if id(update) not in self._lines:
            self._lines[id(update)] = _projected(update.rows)
        return self._lines[id(update)]


def gain_shape_bytes(update: ItemUpdate, k: int, how: configs.Indices = "packed") -> int:
    """The size of a blob whose K gains are all taken: exact if packed, otherwise the largest."""
    shape = floats_bytes(update.width, "f16")
    return wire.HEADER_BYTES + shape + book_bytes(k, 1) + taken_bytes(update, [k], how)


def _projected(rows: NDArray[np.float32]) -> Line:
    """The strongest direction as it will be sent, and the rows along it."""
    peak = largest_magnitude(rows)
    rows = np.ascontiguousarray(rows)
    shape = np.zeros(rows.shape[1], np.float32)
    if len(rows):
        shape = as_sent(gains.direction(rows, lines.project(rows)))
    exact = gains.least_squares(rows, shape)
    return Line(shape, exact, np.argsort(exact), peak)


def _gains(line: Line, k: int) -> Gains:
    edges = lines.cut(line.exact[line.order], k)
    if len(edges):
        levels, index = gains.means(line.exact, line.order, edges)
    else:  # no more than K distinct gains: each is kept
        levels, inverse = np.unique(line.exact, return_inverse=True)
        index = inverse.astype(np.int32)
    return Gains(line, levels.clip(-line.peak, line.peak).astype(np.float32)[:, None], index)


def _gains_each(rows: NDArray[np.float32] | Factors, offsets: NDArray[np.int64], k: int) -> Found:
    """`_gains` along the lines of C updates, whose rows (N, D) are from offsets[c] to offsets[c + 1]."""
    found, peaks = _fitted_each(rows, offsets, k)
    levels, used, taken = found.levels, found.used, found.taken
    for one in np.flatnonzero(~found.is_cut).tolist():  # no more than K distinct gains: each is kept
        its = slice(offsets[one], offsets[one + 1])
        distinct, taken[its] = np.unique(found.exact[its], return_inverse=True)
        used[one] = len(distinct)
        levels[one, : len(distinct)] = distinct
    clipped = levels.clip(-peaks[:, None], peaks[:, None]).astype(np.float32)
    return Found(clipped, 1, used, taken, found.shapes)


def _fitted_each(
    rows: NDArray[np.float32] | Factors, offsets: NDArray[np.int64], k: int
) -> tuple[gains.Fitted, NDArray[np.float32]]:
    """C updates on lines, and the largest magnitude in each (C,); of factors, or one above its gains."""
    if not isinstance(rows, Factors):
        rows = np.ascontiguousarray(rows)
        peaks = tables.magnitude_each(rows.view(np.uint32), offsets).view(np.float32)  # (C,)
        largest_magnitude(peaks)  # refuses what is not finite
        return gains.fitted_each(rows, offsets, k), peaks
    found, peaks, is_sound = spanning.fitted_each(rows.pulls, rows.vectors, rows.counts, offsets, k)
    for one in np.flatnonzero(~is_sound).tolist():
        alone = np.array([0, offsets[one + 1] - offsets[one]])
        fitted, peaks[one : one + 1] = _fitted_each(rows.of(one), alone, k)
        its = slice(offsets[one], offsets[one + 1])
        found.exact[its], found.taken[its] = fitted.exact, fitted.taken
        for name in ("shapes", "levels", "used", "is_cut"):
            getattr(found, name)[one] = getattr(fitted, name)[0]
    return found, peaks


def _blob(update: ItemUpdate, found: Gains, how: configs.Indices) -> bytes:
    k, n = len(found.levels), len(found.index)
    body = (
        pack_floats(found.line.shape, "f16")
        + pack_book(found.levels)
        + pack_taken(update, [k], [found.index], how)
    )
    return wire.pack(_IDS[how], update.item_count, update.width, n, body)
