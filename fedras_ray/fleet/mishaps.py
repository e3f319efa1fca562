"""Clients that drop out during a turn, and uploads that are lost on their way.

A draw hangs on the seed, the client and the turn alone. What happens at one probability happens at every
higher one too, in the same place, so that runs which differ in a probability can be compared in pairs.
"""

from __future__ import annotations

from fedras_ray.streams import Purpose, stream


def drop_share(probability: float, seed: int, client: int, turn: int) -> float | None:
    """The share of its turn's work, uniform in [0, 1), after which a client drops out; None: it does not."""
    if probability == 0:
        return None
    chance, share = stream(seed, Purpose.DROPOUT, client, turn).random(2).tolist()
    return float(share) if chance < probability else None


def is_lost(probability: float, seed: int, client: int, turn: int) -> bool:
    """Whether the upload of a turn is lost on its way."""
    return probability > 0 and bool(stream(seed, Purpose.LOSS, client, turn).random() < probability)
