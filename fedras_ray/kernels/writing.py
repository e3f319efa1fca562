"""Sections of the blobs of many updates at once: floats in f16 with a shared exponent, indices, positions.

C updates, N rows of all of them, one update after the other. What is written is what `codecs.floats`,
`codecs.bits` and `codecs.positions` write for one update; the tests hold them to each other.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import marking, packing
from fedras_ray.kernels.compiling import exact
from fedras_ray.kernels.forms import BITMAP, ELIAS_FANO

Rows = NDArray[np.float32]
Octets = NDArray[np.uint8]
Numbers = NDArray[np.int64]

TOP = 15  # magnitudes are below 2**15 on the wire
LARGEST = 32_752.0  # the largest f16 below 2**15
LEAST_EXPONENT, MOST_EXPONENT = -148 - TOP, 128 - TOP  # what frexp gives for a finite f32, less TOP
_LEAST_NORMAL, _SUBNORMALS = 2.0**-14, 2.0**24  # of f16: below, there are so many steps to 1

_LOST_BITS = 42  # of a double's significand
_REBIASED = 1023 - 15 << 10  # the difference of the exponents' biases


@exact
def halves_each(octets: Octets, starts: Numbers, values: Rows, counts: Numbers) -> None:
    """From starts[c] on, the first counts[c] of each update's (C, M) finite values: exponent, f16 each."""
    for update in range(len(values)):
        some, at = values[update, : counts[update]], starts[update]
        exponent = _exponent(some)
        _put_short(octets, at, exponent & 0xFFFF)
        scale = _power(-exponent)
        for place in range(len(some)):
            half = _half(min(max(scale * np.float64(some[place]), -LARGEST), LARGEST))
            _put_short(octets, at + 2 + 2 * place, half)


@exact
def as_sent(values: NDArray[np.float32], sent: NDArray[np.float32]) -> None:
    """What the decoder has of (M,) finite values, into `sent`."""
    exponent = _exponent(values)
    scale, back = _power(-exponent), _power(exponent)
    for place in range(len(values)):
        half = _half(min(max(scale * np.float64(values[place]), -LARGEST), LARGEST))
        sent[place] = _value(half) * back


@exact
def _exponent(values: Rows) -> int:
    """The shared exponent: what brings the largest magnitude into [2**14, 2**15); 0 for zeros."""
    peak = np.float32(0)
    for value in values:
        peak = max(peak, abs(value))
    return math.frexp(np.float64(peak))[1] - TOP if peak > 0 else 0


@exact
def _power(exponent: int) -> float:
    return math.ldexp(1.0, exponent)


@exact
def _half(value: float) -> int:
    """The bits of the f16 nearest to a value below its largest; of two as near, the even one."""
    bits = np.float64(value).view(np.int64)
    sign, size = (bits >> 48) & 0x8000, abs(value)
    if size < _LEAST_NORMAL:
        return int(sign) | int(np.rint(size * _SUBNORMALS))
    bits &= (1 << 63) - 1
    even = (bits >> _LOST_BITS) & 1
    return int(sign | ((bits + even + ((1 << _LOST_BITS - 1) - 1) >> _LOST_BITS) - _REBIASED))


@exact
def _value(half: int) -> float:
    """The number of an f16's bits."""
    exponent, steps = half >> 10 & 31, half & 0x3FF
    size = steps / _SUBNORMALS if exponent == 0 else math.ldexp(float(steps + 1024), exponent - 25)
    return -size if half & 0x8000 else size


@exact
def _put_short(octets: Octets, at: int, value: int) -> None:
    octets[at], octets[at + 1] = value & 255, value >> 8


@exact
def taken_each(
    octets: Octets,
    starts: Numbers,
    index: NDArray[np.int32],
    item_ids: NDArray[np.int32],
    offsets: Numbers,
    forms: Numbers,
    item_count: int,
) -> None:
    """From starts[c] on, each update's indices and positions, of the (C, 4) forms of `forms.taken_each`."""
    for update in range(len(forms)):
        its = slice(offsets[update], offsets[update + 1])
        taken(octets, starts[update], index[its], item_ids[its], forms[update], item_count)


@exact
def taken(
    octets: Octets,
    at: int,
    index: NDArray[np.int32],
    item_ids: NDArray[np.int32],
    layout: Numbers,
    item_count: int,
) -> None:
    """`taken_each` of one update, of the (4,) form `layout`."""
    if layout[0]:
        at = packing.pack_into(octets, at, index, layout[0])
    positions(octets, at, item_ids, layout, item_count)


@exact
def positions(octets: Octets, at: int, item_ids: NDArray[np.int32], layout: Numbers, item_count: int) -> None:
    """The positions alone."""
    _, form, low, top = layout
    octets[at] = form
    if len(item_ids) and form == BITMAP:
        marking.mark_into(octets, at + 1, item_ids, item_count)
    elif len(item_ids) and form == ELIAS_FANO:
        marking.pack_ids_into(octets, at + 1, item_ids, low, top)
