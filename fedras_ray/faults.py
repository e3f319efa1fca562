"""What goes wrong on purpose: bits that flip, copies, delays, and clients that mean harm.

Every draw hangs on the seed, the client and its turn alone (whether a client means harm: on the client). What
happens at one probability happens at every higher one too, in the same place, so that runs which differ in a
probability can be compared in pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.clock import Nanos, nanos
from fedras_ray.codecs import wire
from fedras_ray.config.faults import FaultsConfig
from fedras_ray.streams import Purpose, stream

LARGEST = 1e15  # that a poisoned update says of an entry: any codec carries it, and its square


class Faults:
    """See the module."""

    def __init__(self, config: FaultsConfig, seed: int) -> None:
        self._config = config
        self._seed = seed

    @property
    def flips_bits(self) -> bool:
        """Whether bits of some uploads flip."""
        return self._config.flip > 0

    def in_flight(self, turns: Sequence[tuple[int, int]], blobs: Sequence[bytes]) -> Sequence[bytes]:
        """What arrives of what some (client, turn) sent."""
        return [self._flipped(client, turn, blob) for (client, turn), blob in zip(turns, blobs, strict=True)]

    def _flipped(self, client: int, turn: int, blob: bytes) -> bytes:
        rng = self._struck(self._config.flip, Purpose.FLIP, client, turn)
        if rng is None:
            return blob
        count = min(self._config.flipped_bits, 8 * len(blob))
        octets = bytearray(blob)
        for bit in rng.choice(8 * len(blob), count, replace=False).tolist():
            octets[bit // 8] ^= 1 << bit % 8
        return bytes(octets)

    def copy_after_ns(self, client: int, turn: int) -> Nanos | None:
        """How long after an upload a second copy of it arrives; None: none does."""
        return self._delay_ns(self._config.duplicate, Purpose.DUPLICATE, client, turn)

    def held_up_ns(self, client: int, turn: int) -> Nanos:
        """How much later than its link says an upload arrives."""
        return self._delay_ns(self._config.reorder, Purpose.REORDER, client, turn) or Nanos(0)

    def _delay_ns(self, probability: float, purpose: Purpose, client: int, turn: int) -> Nanos | None:
        rng = self._struck(probability, purpose, client, turn)
        return None if rng is None else Nanos(1 + nanos(rng.exponential(self._config.delay_s)))

    def means_harm(self, client: int) -> bool:
        """Whether a client sends damage, in all of its turns."""
        return self._struck(self._config.poison, Purpose.POISON, client, 0) is not None

    @property
    def scales_rows(self) -> bool:
        """Whether some clients encode multiples of their rows."""
        return self._config.poison > 0 and self._config.poison_kind == "scaled"

    def scaled(
        self, clients: Sequence[int], offsets: NDArray[np.int64], rows: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The rows (N, D) that clients encode: theirs, those of some of them multiplied.

        Args:
            clients: C of them.
            offsets: (C + 1,) where each one's rows begin and end.
            rows: (N, D) of honest clients.
        """
        if not self.scales_rows:
            return rows
        harmful = np.array([self.means_harm(client) for client in clients], dtype=bool)  # (C,)
        factor = np.where(harmful, self._config.poison_factor, 1.0)
        most = np.where(harmful, LARGEST, np.inf)
        each = np.repeat(np.arange(len(clients)), np.diff(offsets))  # (N,)
        scaled = factor[each, None] * rows
        return np.clip(scaled, -most[each, None], most[each, None]).astype(np.float32)

    def forged(self, clients: Sequence[int], blobs: Sequence[bytes]) -> Sequence[bytes]:
        """What clients send: what their encoder wrote, or something that it would not write."""
        if not self._config.poison or self._config.poison_kind != "not-a-number":
            return blobs
        return [
            not_a_number(blob) if self.means_harm(client) else blob
            for client, blob in zip(clients, blobs, strict=True)
        ]

    def _struck(self, probability: float, purpose: Purpose, client: int, turn: int) -> Generator | None:
        """The stream of a fault, if it happens; its first draw is taken."""
        if probability == 0:
            return None
        rng = stream(self._seed, purpose, client, turn)
        return rng if rng.random() < probability else None


def not_a_number(blob: bytes) -> bytes:
    """A blob whose first floats are NaN, with a checksum that says that this is as it should be.

    No encoder of ours writes one. With all bits set, floats are NaN in f32 and in f16; in nearly every codec
    the bytes from 4 to 16 of the body are among the first, and in the others they count what there is.
    """
    begin = wire.HEADER_BYTES + 4
    damage = b"\xff" * len(blob[begin : begin + 12])
    return wire.resealed(blob[:begin] + damage + blob[begin + len(damage) :])
