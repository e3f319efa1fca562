"""How long a turn will take, before it begins; and what is learned from how long it took.

U clients. The functions of time take floats for one client, or arrays (U,) for all of them.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Number = TypeVar("Number", float, Floats)

LEAST_FACTOR, MOST_FACTOR = 0.1, 10.0  # what one turn may teach is bounded


def predict_turn_s(
    train_s_per_sample: Number,
    uplink_bytes_per_s: Number,
    downlink_bytes_per_s: Number,
    latency_s: Number,
    *,
    samples: Number,
    down_bytes: Number,
    up_bytes: Number,
    request_bytes: Number | float = 0,
) -> Number:
    """Seconds from dispatch to arrival: request, download, training, upload, at the rates given.

    Args:
        train_s_per_sample: of the device.
        uplink_bytes_per_s: now.
        downlink_bytes_per_s: now.
        latency_s: once per transfer.
        samples: trained on, epochs included.
        down_bytes: of the download.
        up_bytes: of the upload, as forecast.
        request_bytes: asked for before the download; 0: nothing is, and nothing is waited for.
    """
    asked_s = (request_bytes > 0) * latency_s + request_bytes / uplink_bytes_per_s
    received_s = latency_s + down_bytes / downlink_bytes_per_s
    return asked_s + received_s + samples * train_s_per_sample + latency_s + up_bytes / uplink_bytes_per_s


def target_s(turn_s: Floats, patience: float) -> float:
    """The time to allow where there is no deadline: within it, `patience` of the clients do the full work.

    Args:
        turn_s: (U,) predicted turns of the full work, of the clients that have training data; not empty.
        patience: within 0 and 1.
    """
    return float(np.quantile(turn_s, patience))


def expected_rows(
    positives: NDArray[np.int64], item_count: int, draws: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Distinct rows (U,) of a turn on average: its positives, and `draws` (U,) negatives with replacement.

    Where samples are given, the others are taken for drawn: which they are is not the server's to know.
    """
    free = item_count - positives  # (U,)
    with np.errstate(divide="ignore"):
        untouched = np.exp(draws * np.log1p(-1.0 / np.maximum(free, 1)))  # (1 − 1/free)^draws
    drawn = np.where((free > 0) & (draws > 0), free * (1 - untouched), 0.0)
    return np.rint(positives + drawn).astype(np.int64)


def learned_factor(factor: float, predicted_s: float, actual_s: float, memory: float) -> float:
    """What the predictions of one client are multiplied with from now on, 1 before its first turn.

    A moving average of actual over predicted time, where the prediction is taken as it was before `factor`.

    Args:
        factor: what `predicted_s` was multiplied with already.
        predicted_s: above 0.
        actual_s: how long the turn took.
        memory: the weight of this turn, from 0 to 1.
    """
    ratio = actual_s * factor / predicted_s
    return min(max((1 - memory) * factor + memory * ratio, LEAST_FACTOR), MOST_FACTOR)
