"""What has arrived and waits to become a version, and what never will become one: by name, not by content."""

from __future__ import annotations

from fedras_ray.executor import Executor, results
from fedras_ray.server.folding import Partial, Share, Shares, Together, joined
from fedras_ray.snapshots.kinds import kept
from fedras_ray.work import Receipt


@kept("_shares", "_gone")
class Arrivals:
    """Remembers which turns go into a tier's next version, and has them added up where they are."""

    def __init__(self, executor: Executor, shards: int, tiers: int, together: Together) -> None:
        self._executor = executor
        self._shards = shards
        self._together = together
        self._shares: list[dict[int, list[Share]]] = [{} for _ in range(tiers)]  # tier -> shard -> in order
        self._gone: dict[int, list[tuple[int, int]]] = {}  # shard -> (client, turn)
        self._sums: dict[int, list[Partial]] = {}  # tier -> of all there is, within one event

    def use(self, tier: int, client: int, turn: int, weight: float) -> None:
        """What a turn sent goes into the tier's next version."""
        self._shares[tier].setdefault(client % self._shards, []).append(Share(client, turn, weight))

    def forget(self, receipt: Receipt, turn: int) -> None:
        """Nothing will be made of what a turn sent, be it all of it; what was refused is not kept."""
        if not receipt.refused:
            client = receipt.client
            self._gone.setdefault(client % self._shards, []).append((client, turn))

    def have(self, tier: int, sums: list[Partial]) -> None:
        """All that there is in a tier before the next `fold` is added up already."""
        self._sums[tier] = sums

    def fold(self, tier: int) -> Partial | None:
        """The sum of everything that waits in a tier; None: nothing does."""
        sums = self._sums.pop(tier, None)
        if sums is None:
            waiting, self._shares[tier] = self._shares[tier], {}
            gone, self._gone = self._gone, {}
            shares = {shard: Shares.of(some) for shard, some in sorted(waiting.items())}
            sums = [one for part in results(self._executor.fold(shares, gone)) for one in part]
        return next(iter(joined(sums, range(self._shards), self._shards, self._together)), None)
