"""What a client's noise comes to over its turns: ε, at a δ.

Turns compose whatever was seen before (adaptively), as each has noise of its own. A turn is counted if the
client was asked, sent or not: a bound from above.
"""

from __future__ import annotations

import numpy as np

from fedras_ray.config.privacy import GaussianPrivacy, NoiseConfig

# Renyi orders: the best is near 1 + √(ln(1/δ) / ρ) with ρ = turns / (2 · noise_multiplier²), anywhere in here
ORDERS = 1 + np.geomspace(1e-6, 1e10, 2_000)


def epsilon(config: NoiseConfig, turns: int) -> float:
    """Of so many turns of one client.

    Normal noise: Renyi differential privacy, which adds up over turns, made (ε, δ) by opacus' accountant
    (no turn is hidden by sampling: the server knows whom it asks). Laplace noise: the sum, with δ = 0.
    """
    if not turns:
        return 0.0
    if not isinstance(config, GaussianPrivacy):
        return turns * config.epsilon
    from opacus.accountants.analysis import rdp  # it brings much of torch: seconds, for those who add noise

    spent = rdp.compute_rdp(q=1.0, noise_multiplier=config.noise_multiplier, steps=turns, orders=ORDERS)
    found, _ = rdp.get_privacy_spent(orders=ORDERS, rdp=spent, delta=config.delta)
    return max(0.0, float(found))


def delta_of(config: NoiseConfig) -> float:
    """The probability that ε leaves out."""
    return config.delta if isinstance(config, GaussianPrivacy) else 0.0
