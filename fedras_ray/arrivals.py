"""What has arrived and waits to become a version, and what never will become one: by name, not by content."""

from __future__ import annotations

from collections.abc import Sequence

from fedras_ray.executor import Executor
from fedras_ray.server.folding import Partial, Share, Together, joined
from fedras_ray.site import Receipt
from fedras_ray.snapshots.kinds import kept


@kept("_shares", "_gone")
class Arrivals:
    """Remembers which turns go into a tier's next version, and has them added up where they are."""

    def __init__(self, executor: Executor, shards: int, tiers: int, together: Together) -> None:
        self._executor = executor
        self._shards = shards
        self._together = together
        self._shares: list[dict[int, list[Share]]] = [{} for _ in range(tiers)]  # tier -> shard -> in order
        self._gone: dict[int, list[tuple[int, int]]] = {}  # shard -> (client, turn)

    def use(self, tier: int, client: int, turn: int, weight: float) -> None:
        """What a turn sent goes into the tier's next version."""
        self._shares[tier].setdefault(client % self._shards, []).append(Share(client, turn, weight))

    def use_each(
        self, tier: int, clients: Sequence[int], turns: Sequence[int], weights: Sequence[float]
    ) -> None:
        """What turns sent goes there, in this order."""
        shares, shards = self._shares[tier], self._shards
        for one in map(Share, clients, turns, weights):
            shares.setdefault(one.client % shards, []).append(one)

    def forget(self, receipt: Receipt, turn: int) -> None:
        """Nothing will be made of what a turn sent, be it all of it; what was refused is not kept."""
        if not receipt.refused:
            client = receipt.client
            self._gone.setdefault(client % self._shards, []).append((client, turn))

    def fold(self, tier: int) -> Partial | None:
        """The sum of everything that waits in a tier; None: nothing does."""
        shares, self._shares[tier] = self._shares[tier], {}
        gone, self._gone = self._gone, {}
        parts = self._executor.fold(dict(sorted(shares.items())), gone)
        sums = [one for part in parts for one in part.result()]
        return next(iter(joined(sums, range(self._shards), self._shards, self._together)), None)
