"""A wish to stop that reaches an actor while it is busy: a key in the store of the cluster's state.

An actor that runs a generator takes no other call. It looks at the sign now and then instead.
"""

from __future__ import annotations

import secrets
import time

from ray.experimental.internal_kv import _internal_kv_del, _internal_kv_exists, _internal_kv_put

LOOK_S = 0.2  # between two looks, each of which asks another process


class StopSign:
    """Made where the wish may come up, and given to whom it concerns."""

    def __init__(self) -> None:
        self._key = f"fedras-stop-{secrets.token_hex(8)}".encode()
        self._looked_s = 0.0
        self._is_up = False

    def put_up(self) -> None:
        """Whoever looks from now on sees it."""
        self._is_up = True
        _internal_kv_put(self._key, b"", overwrite=True)

    def take_down(self) -> None:
        """Leave nothing behind; where it was not put up, there is nothing."""
        if self._is_up:
            _internal_kv_del(self._key)

    def is_up(self) -> bool:
        """Whether it was up at the last look, which was a moment ago."""
        now_s = time.monotonic()
        if not self._is_up and now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self._is_up = bool(_internal_kv_exists(self._key))
        return self._is_up
