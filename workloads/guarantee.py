"""What ``summary.json`` says of the noise that clients added to their updates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.privacy import NoPrivacy, PrivacyConfig
from fedras_ray.guarantees import delta_of, epsilon


def guarantee(config: PrivacyConfig, turns: NDArray[np.int64]) -> dict[str, float] | None:
    """The ε of the client with the most turns and of the median client among those with a turn, at δ.

    Args:
        config: of the run.
        turns: (C,) of each client.

    Returns:
        None where there was no noise.
    """
    if isinstance(config, NoPrivacy):
        return None
    asked = turns[turns > 0]
    most = int(asked.max(initial=0))
    median = int(np.quantile(asked, 0.5, method="higher")) if len(asked) else 0
    return {
        "epsilon_most": epsilon(config, most),
        "turns_most": most,
        "epsilon_median": epsilon(config, median),
        "turns_median": median,
        "delta": delta_of(config),
    }
