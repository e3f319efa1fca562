"""Rows as combinations of r orthonormal directions: coefficients, and rows from coefficients.

n rows, D width, r directions. On the wire a coefficient is divided by √D: then it is never larger than the
largest entry of its row (Cauchy and Schwarz), and fits f32 wherever the row does. Rows that are put
together again are held to the range of f32.

Products are torch's, in f64: it keeps to the one thread that a pool gives it, and numpy's BLAS does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.tensors import torch

Doubles = NDArray[np.float64]

_F32_LARGEST = float(np.finfo(np.float32).max)
_LOST = 2.0**-40  # of the largest magnitude: what f16 with a shared exponent rounds to zero (see floats)


def coefficients(rows: Doubles, directions: Doubles) -> NDArray[np.float32]:
    """(n, D) rows and (r, D) orthonormal directions to (n, r) least-squares coefficients, for the wire."""
    return settled(product(rows, directions.T / np.sqrt(rows.shape[1])))


def combine(coefficients: NDArray[np.float32], directions: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n, r) coefficients from the wire and (r, D) directions to (n, D) rows."""
    scaled = directions.astype(np.float64) * np.sqrt(directions.shape[1])
    rows = product(coefficients.astype(np.float64), scaled)
    return rows.clip(-_F32_LARGEST, _F32_LARGEST).astype(np.float32)


def settled(values: Doubles) -> NDArray[np.float32]:
    """In f32, and +0 for what f16 cannot hold: noise must not decide the sign of a zero on the wire."""
    peak = np.abs(values).max(initial=0.0)
    return np.where(np.abs(values) > _LOST * peak, values, 0.0).astype(np.float32)


def product(left: Doubles, right: Doubles) -> Doubles:
    """A matrix product on torch's threads."""
    made: Doubles = torch.mm(torch.from_numpy(left), torch.from_numpy(right)).numpy()
    return made
