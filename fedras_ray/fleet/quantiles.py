"""Measured distributions as quantile tables, and drawing from them.

FedScale's device trace (Lai et al., "FedScale: Benchmarking Model and System Performance of
Federated Learning at Scale", ICML 2022, arXiv 2105.11367): the quantiles below are of the 51,496
devices of its ``client_device_capacity`` that could be read. Its compute is the inference latency
of a mobile CNN in ms per sample, so here it serves as *relative* speed (value / median); its link
is one number in kbit/s for both directions. Compute and link are independent in the trace
(Spearman 0.004).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

PROBABILITIES = np.array(
    [0, 1, 2.5, 5, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 95, 97.5, 99, 99.5, 100]
) / 100  # fmt: skip
FEDSCALE_COMPUTE_MS = np.array(
    [15, 15, 18, 19, 21, 23, 24, 25, 28, 41, 64, 138, 148, 154, 174, 189, 192, 193, 199, 199.0]
)
FEDSCALE_LINK_KBIT_PER_S = np.array(
    [1016.9, 1062.3, 1124.0, 1393.2, 1817.6, 2255.0, 2855.5, 3502.5, 4798.8, 6074.7, 8418.3, 11837.2,
     13882.4, 19750.8, 32545.6, 51663.0, 72644.4, 100206.6, 132721.6, 204056.7]
)  # fmt: skip
FEDSCALE_COMPUTE_MEDIAN_MS = 41.0


def draw(table: NDArray[np.float64], count: int, rng: Generator) -> NDArray[np.float64]:
    """(count,) values whose quantiles are the table's, log-linear between its points."""
    return np.exp(np.interp(rng.random(count), PROBABILITIES, np.log(table)))
