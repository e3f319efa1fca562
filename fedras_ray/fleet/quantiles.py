"""Measured distributions as quantile tables, and drawing from them.

FedScale's device trace (Lai et al., "FedScale: Benchmarking Model and System Performance of
Federated Learning at Scale", ICML 2022, arXiv 2105.11367): the quantiles below are of the 51,496
devices of its ``client_device_capacity`` that could be read. Its compute is the inference latency
of a mobile CNN in ms per sample, so here it serves as *relative* speed (value / median); its link
is one number in kbit/s for both directions. Compute and link are independent in the trace
(Spearman 0.004).

MobiPerf (J. Huang et al., "MobiPerf: Mobile Network Measurement System", University of Michigan,
2011; data through Measurement Lab, https://www.measurementlab.net, those of 2018 and 2019 kept with
https://github.com/NormanLiu/CacheFL): the quantiles are over devices, of each device's median, on
Wi-Fi and on mobile networks: TCP throughput up of 30 devices and down of 32, in kbit/s, and ping
times of 296, in ms. Hardly a device
(3) was tested in both directions, so up and down are two tables, drawn independently. With so few
devices, the first and the last entries are single phones.
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
MOBIPERF_UPLINK_KBIT_PER_S = np.array(
    [46.83, 61.64, 83.86, 110.5, 140.3, 806.8, 991.5, 1039, 1368, 2024, 2774, 6074, 6872, 7809, 15973,
     18591, 29407, 44939, 50116, 55294]
)  # fmt: skip
MOBIPERF_DOWNLINK_KBIT_PER_S = np.array(
    [7.929, 52.97, 120.5, 192.1, 249.6, 331.3, 425.1, 623.7, 1302, 3017, 6234, 8264, 13004, 14231, 19838,
     23292, 27559, 31854, 33286, 34717]
)  # fmt: skip
MOBIPERF_RTT_MS = np.array(
    [1.9, 2.2, 15.65, 20.83, 25, 34.74, 39.26, 44.32, 49.32, 57.28, 69.31, 87.33, 96, 116.4, 202, 333.2,
     594.7, 1061, 1256, 1522]
)  # fmt: skip


def draw(table: NDArray[np.float64], count: int, rng: Generator) -> NDArray[np.float64]:
    """(count,) values whose quantiles are the table's, log-linear between its points."""
    return at(table, rng.random(count))


def at(table: NDArray[np.float64], ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """The table's values at these ranks, 0 (the least) to 1, log-linear between its points."""
    return np.exp(np.interp(ranks, PROBABILITIES, np.log(table)))
