"""What a client's turn is worth, from its last ones: the utility of Oort.

F. Lai, X. Zhu, H. V. Madhyastha, M. Chowdhury, "Oort: Efficient Federated Learning via Guided Participant
Selection", OSDI 2021, arXiv:2010.06081. Statistical utility: |B|·sqrt(mean loss²) over a client's samples B;
here a client tells one number, its mean loss, so it is |B|·loss. As in the authors' code, it is clipped,
scaled to 0 … 1 over the candidates, raised for who was not asked for long, and then multiplied with (T/t)^α
for who takes t > T. Not here: their pacer, which moves T while the loss stalls (T is a quantile of the turns
seen), and noise against what a loss gives away.

U clients, m of them candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.pacing import UtilitySelection
from fedras_ray.snapshots.kinds import kept

CLIP = 0.95  # quantile of the statistical utility that nobody exceeds
LEAST = 1e-3  # so that everyone known may be chosen
_ABOVE_ZERO = 1e-300

Clients = NDArray[np.int64]
Floats = NDArray[np.float64]


@kept()
@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What is known of each client's last turn: 12 bytes a client, written by `note` alone."""

    last_loss: NDArray[np.float32]  # (U,) mean per sample
    last_turn_s: NDArray[np.float32]  # (U,) from dispatch to arrival
    last_version: NDArray[np.int32]  # (U,) that was current when it arrived; −1: it had no turn yet

    def note(self, client: int, loss: float, turn_s: float, version: int) -> None:
        """A turn has arrived."""
        self.last_loss[client], self.last_turn_s[client] = loss, turn_s
        self.last_version[client] = version

    def never(self, clients: Clients) -> NDArray[np.bool_]:
        """(m,) which of them had no turn yet."""
        return self.last_version[clients] < 0


def no_history(count: int) -> History:
    """Before the first turn of U clients."""
    return History(
        np.zeros(count, np.float32), np.zeros(count, np.float32), np.full(count, -1, dtype=np.int32)
    )


def explored_share(config: UtilitySelection, version: int) -> float:
    """The share of clients to ask who were never asked."""
    return max(config.least_exploration, config.exploration * config.exploration_decay**version)


def utilities(
    config: UtilitySelection, history: History, clients: Clients, samples: NDArray[np.int64], version: int
) -> Floats:
    """(m,) above 0: the utility of some clients that had a turn.

    Args:
        config: exponents and weights.
        history: of all clients.
        clients: (m,) each with a turn behind it.
        samples: (U,).
        version: of the server's table now.
    """
    if len(clients) == 0:
        return np.zeros(0)
    statistical = samples[clients] * np.abs(history.last_loss[clients].astype(np.float64))
    statistical = np.minimum(statistical, np.quantile(statistical, CLIP))
    spread = np.ptp(statistical)
    score: Floats = (statistical - statistical.min()) / spread if spread > 0 else np.ones(len(clients))
    score += np.sqrt(config.bonus * np.log(version + 1) / (history.last_version[clients] + 1))
    turn_s = history.last_turn_s[clients].astype(np.float64)
    seen = history.last_turn_s[history.last_version >= 0]
    slowness = turn_s / max(float(np.quantile(seen, config.preferred)), np.finfo(np.float64).tiny)
    score = np.maximum(score, LEAST)
    score *= np.maximum(slowness, 1.0) ** -config.penalty
    return np.maximum(score, _ABOVE_ZERO, out=score)
