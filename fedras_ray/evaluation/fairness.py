"""placeholder until merged"""

import numpy as np


def gini(counts):  # type: ignore
    c = np.sort(counts.astype(float))
    n = len(c)
    return float((2 * np.arange(1, n + 1) - n - 1) @ c / (n * c.sum())) if n and c.sum() else 0.0


def jain(counts):  # type: ignore
    c = counts.astype(float)
    return float(c.sum() ** 2 / (len(c) * (c**2).sum())) if len(c) and c.any() else 1.0
