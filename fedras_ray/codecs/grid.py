"""Rows rounded to multiples of one step, and the integers entropy-coded.

n rows that are not all zero after rounding, D width. Body:

| bytes | what |
|---|---|
| 4 | the step, f32, positive and finite |
| 1 + … | positions |
| the rest | n × D integers, range-coded (`kernels.steps`) |

Uniform rounding with a dead zone, entropy-coded, is within a quarter of a bit per value of the best that any
quantiser can do, and nearer at low rates (G. J. Sullivan, "Efficient scalar quantization of exponential and
Laplacian random variables", IEEE Trans. Inf. Theory 42, 1996, doi:10.1109/18.532878).
Sums of integers are exact, which is what lets a downlink add messages up (`server.lattice`).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.floats import largest_magnitude
from fedras_ray.codecs.positions import take_positions
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from fedras_ray.kernels import multiples
from fedras_ray.kernels import steps as coding

Steps = NDArray[np.int32]

_STEP = struct.Struct("<f")
_SMALLEST = 2.0**-149  # of f32


@dataclass(frozen=True, slots=True)
class GridCodec:
    """A step in proportion to the update's root mean square."""

    config: configs.GridCodec

    leaves_out_rows: ClassVar[bool] = True

    def encode(self, outgoing: Outgoing) -> bytes:
        """As many bytes as the integers are surprising; rows that round to zero are left out."""
        rows = outgoing.update.rows
        peak = largest_magnitude(rows)
        mean_square = float(np.square(rows, dtype=np.float64).mean()) if rows.size else 0.0
        step = as_f32(max(self.config.step * math.sqrt(mean_square), peak / coding.LARGEST, _SMALLEST))
        steps = rounded(rows, step, self.config.dead_zone)
        most = math.floor(peak / step)  # no decoded value is beyond the largest there was
        return pack_steps(outgoing.update.item_ids, steps.clip(-most, most), step, outgoing.update.item_count)

    def decode(self, blob: bytes) -> ItemUpdate:
        """Every row that was not rounded to zero."""
        item_ids, steps, step, item_count = unpack_steps(blob)
        with np.errstate(over="ignore"):
            rows = (steps * np.float64(step)).astype(np.float32)
        if not np.isfinite(rows).all():
            raise CodecError(f"multiples of {step:g} that are no f32")
        return ItemUpdate(item_ids, rows, item_count)


def as_f32(step: float) -> float:
    """The step as it travels; never zero."""
    return max(float(np.float32(step)), _SMALLEST)


def rounded(values: NDArray[np.float32], step: float, dead_zone: float) -> Steps:
    """The nearest multiples, in steps, of the same shape; `dead_zone` (0 … 0.5) favours the smaller one."""
    size = np.floor(np.abs(values.astype(np.float64)) / step + (0.5 - dead_zone))
    return np.where(values < 0, -size, size).clip(-coding.LARGEST, coding.LARGEST).astype(np.int32)


def pack_steps(item_ids: NDArray[np.int32], steps: Steps, step: float, item_count: int) -> bytes:
    """A blob of (n, D) multiples of `step`; rows of zeros are left out.

    Raises:
        CodecError: an integer is larger than `coding.LARGEST`, or a step is no positive f32.
    """
    return _packed(steps, item_ids, step, item_count, in_units=False)


def pack_whole(steps: Steps, step: float) -> bytes:
    """A blob of I rows (I, D), as `pack_steps`, in units of the largest power of two that all divides.

    Raises:
        CodecError: as `pack_steps`.
    """
    return _packed(steps, np.arange(len(steps), dtype=np.int32), step, len(steps), in_units=True)


def _packed(steps: Steps, ids: NDArray[np.int32], step: float, item_count: int, in_units: bool) -> bytes:
    octets, rows, shift, largest = multiples.written(steps, ids, item_count, in_units)
    step *= 1 << shift
    if largest > coding.LARGEST:
        raise CodecError(f"more than {coding.LARGEST} steps of {step:g}: the step is too small")
    if not (math.isfinite(step) and step > 0):
        raise CodecError(f"a step of {step} is none")
    body = _STEP.pack(step), octets.data
    return wire.pack(wire.CodecId.GRID, item_count, steps.shape[1], rows, *body)


def unpack_steps(blob: bytes) -> tuple[NDArray[np.int32], Steps, float, int]:
    """Item ids (n,), integers (n, D), the step, and I.

    Raises:
        CodecError: not what `pack_steps` writes.
    """
    frame = wire.unpack(blob, wire.CodecId.GRID)
    (step,) = _STEP.unpack(frame.body.take(_STEP.size))
    if not (math.isfinite(step) and step > 0):
        raise CodecError(f"a step of {step} is none")
    item_ids = take_positions(frame.body, frame.rows, frame.item_count)  # (n,)
    octets = np.frombuffer(frame.body.rest(), np.uint8)
    steps, exact = coding.decode(octets, frame.rows, frame.width)  # (n, D)
    if not exact:
        raise CodecError(f"{len(octets)} bytes are not {frame.rows} × {frame.width} integers")
    return item_ids, steps, step, frame.item_count
