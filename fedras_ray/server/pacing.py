"""How much is asked of one client in one turn: what a policy sees, and what it decides.

A policy is a pure function ``policy(view, options) -> Decision``, called at every dispatch. It sees numbers
that a server may know, and nothing of what a client owns. What it predicts helps it to choose; what is
counted is what happens.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from fedras_ray.codecs.forecast import UploadForecast
from fedras_ray.config.pacing import PacingConfig
from fedras_ray.server.prediction import predict_turn_s


class Reason(IntEnum):
    """Why a decision is what it is. Append only: records carry these numbers."""

    CONFIGURED = 0  # as the experiment says, whatever the prediction
    IN_TIME = 1  # all of it, and it is predicted to be in time
    LESS = 2  # fewer actions, fewer epochs or both, to be in time
    LEAST = 3  # the least, though it is not predicted to be in time, or in time without the reserve
    MORE = 4  # more epochs: there is time for them
    LATER = 5  # not asked now: not even the least would be in time
    OWN = 6  # a policy of one's own has its reasons


class Decision(NamedTuple):
    """What one client is asked for in one turn."""

    epochs: int  # local epochs
    predicted_s: float  # from dispatch to arrival
    actions: int | None = None  # K; None: the codec's own
    budget_bytes: int | None = None  # that a codec whose K adapts may send; None: its own
    later: bool = False  # the client is not asked now
    reason: Reason = Reason.OWN


class DispatchView(NamedTuple):
    """What the server knows when it is about to ask a client."""

    client: int
    device_class: str
    train_s_per_sample: float
    uplink_bytes_per_s: float  # now
    downlink_bytes_per_s: float  # now
    latency_s: float  # once per transfer
    samples_per_epoch: int
    rows: int  # that the turn touches: exact where the client asked for them, otherwise expected
    down_bytes: int  # of the download, if it is asked now
    request_bytes: int  # that it sent to ask for its rows; 0: it did not
    epochs: int  # as configured
    codec: str  # kind
    actions: int | None  # K as configured, the most of one that adapts; None: the codec has no actions
    budget_bytes: int | None  # of a codec whose K adapts, for this client; None: it does not adapt
    deadline_s: float | None  # from now until the upload must be here; None: nobody waits
    target_s: float | None  # a good time for a turn in this fleet (`prediction.target_s`); None: not known
    item_count: int  # I
    width: int  # D
    forecast: UploadForecast
    turns: int = 0  # that the client had before
    slow_factor: float = 1.0  # actual over predicted time of its turns so far (`prediction.learned_factor`)
    last_predicted_s: float | None = None
    last_actual_s: float | None = None
    last_staleness: int | None = None  # versions that its last update was late by

    @property
    def allowed_s(self) -> float | None:
        """The deadline, or the target where there is none."""
        return self.target_s if self.deadline_s is None else self.deadline_s

    def upload_bytes(self, actions: int | None) -> int:
        """What the upload is expected to weigh with K actions (None: as configured)."""
        return self.forecast.upload_bytes(self.rows, actions)

    def turn_s(self, actions: int | None, epochs: int) -> float:
        """How long the turn is expected to take with K actions (None: as configured) and so many epochs."""
        up_bytes = self.upload_bytes(actions)
        if self.budget_bytes is not None:
            up_bytes = min(up_bytes, max(self.budget_bytes, self.upload_bytes(1)))
        return self.slow_factor * predict_turn_s(
            self.train_s_per_sample,
            self.uplink_bytes_per_s,
            self.downlink_bytes_per_s,
            self.latency_s,
            samples=self.samples_per_epoch * epochs,
            down_bytes=self.down_bytes,
            up_bytes=up_bytes,
            request_bytes=self.request_bytes,
        )

    def decision(
        self, actions: int | None, epochs: int, reason: Reason = Reason.OWN, *, later: bool = False
    ) -> Decision:
        """Ask for K actions (None: the codec's own) and so many epochs, with the time that is expected of it.

        Where the codec adapts K itself, it still does: it gets a budget that carries K of them.
        """
        predicted_s = self.turn_s(actions, epochs)
        if actions is None or self.budget_bytes is None:
            return Decision(epochs, predicted_s, actions, None, later, reason)
        budget_bytes = min(self.budget_bytes, self.upload_bytes(actions))
        return Decision(epochs, predicted_s, None, budget_bytes, later, reason)


Policy = Callable[[DispatchView, PacingConfig], Decision]
