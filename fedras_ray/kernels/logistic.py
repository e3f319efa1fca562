"""The logistic loss of a block of logits: loops without a call, so that eight of them go at once.

m samples or rows of a block. exp and log1p are polynomials in f32, right to about two units of the last place
where they are used: exp for x ≤ 0, log1p for 0 ≤ x ≤ 1. (The reduction by powers of two, with ln 2 in two
parts, is that of W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980; the
coefficients are Taylor's.)
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled, inlined

Floats = NDArray[np.float32]

_LEAST: Final = np.float32(-87.0)  # exp is nothing below, beside 1
_INVERSE_LN2: Final = np.float32(1.44269504)
_LN2_HIGH: Final = np.float32(0.693359375)
_LN2_LOW: Final = np.float32(-2.12194440e-4)
_EXP: Final = tuple(np.float32(1 / divisor) for divisor in (720, 120, 24, 6, 2, 1, 1))
_LOG: Final = tuple(np.float32(2 / divisor) for divisor in (13, 11, 9, 7, 5, 3, 1))


@compiled
def add_loss(loss: float, logits: Floats, weight: Floats, positive: Floats) -> float:
    """`loss` + Σ weight · softplus(z) − positive · z, over m samples."""
    for place in range(len(logits)):
        logit = logits[place]
        above = logit if logit >= 0 else np.float32(0)
        softplus = above + _log1p(_exp(-abs(logit)))
        loss += weight[place] * softplus - positive[place] * logit
    return loss


@compiled
def errors(logits: Floats, weight: Floats, positive: Floats) -> None:
    """In place of each logit z: weight · σ(z) − positive."""
    one = np.float32(1)
    for place in range(len(logits)):
        logit = logits[place]
        rest = _exp(-abs(logit))
        share = one if logit >= 0 else rest
        logits[place] = weight[place] * (share / (one + rest)) - positive[place]


@inlined
def _exp(x: np.float32) -> np.float32:
    """Of x ≤ 0."""
    bounded = _LEAST if x < _LEAST else x  # what is no number stays so
    power = np.rint(bounded * _INVERSE_LN2)
    rest = (bounded - power * _LN2_HIGH) - power * _LN2_LOW
    found = _EXP[0]
    found = found * rest + _EXP[1]
    found = found * rest + _EXP[2]
    found = found * rest + _EXP[3]
    found = found * rest + _EXP[4]
    found = found * rest + _EXP[5]
    found = found * rest + _EXP[6]
    bits = np.int32((np.int32(power) + np.int32(127)) << np.int32(23))
    return np.float32(found * bits.view(np.float32))


@inlined
def _log1p(x: np.float32) -> np.float32:
    """Of 0 ≤ x ≤ 1: 2 artanh(x / (2 + x))."""
    ratio = x / (np.float32(2) + x)
    square = ratio * ratio
    found = _LOG[0]
    found = found * square + _LOG[1]
    found = found * square + _LOG[2]
    found = found * square + _LOG[3]
    found = found * square + _LOG[4]
    found = found * square + _LOG[5]
    found = found * square + _LOG[6]
    return np.float32(found * ratio)
